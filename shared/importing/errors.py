"""What is wrong with a line of an import."""

from __future__ import annotations


class BadLine(ValueError):
    """This line cannot be imported; the text says why, for people."""
