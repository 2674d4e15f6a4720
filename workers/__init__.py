"""Everything that happens after a POST was accepted."""
