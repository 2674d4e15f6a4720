"""The vector index: every call to Qdrant goes through this package and names a project."""
