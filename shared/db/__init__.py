"""All SQL of the service; tables are private to this package."""
