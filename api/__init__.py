"""HTTP only: authenticate, translate a dialect, accept, wait, read."""
