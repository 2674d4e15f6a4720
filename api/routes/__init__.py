"""Route tables, one file per resource."""
