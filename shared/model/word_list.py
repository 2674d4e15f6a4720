"""Closed lists of words, written as running text."""

from __future__ import annotations


def word_list(text: str) -> frozenset[str]:
    """The words of `text`, split at white space."""
    return frozenset(text.split())
