"""Qdrant's own engine in one small process that serves the Qdrant REST routes this service uses."""
