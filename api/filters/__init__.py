"""Filters as callers write them: JSON, or JSON and Python literals in a query string."""
