"""Thin translators between wire dialects and the core; no SQL and no policy here."""
