"""Texts to dense vectors, behind one small protocol."""
