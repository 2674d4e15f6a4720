"""The `flumes` command and the embedded parts."""
