"""A statement is neither a bare word nor a page."""

from __future__ import annotations

import re

from workers.checks.script import is_spaced

MIN_WORDS, MAX_WORDS = 2, 60
MIN_CHARS, MAX_CHARS = 4, 240  # scripts without spaces
_MAX_SPACED_CHARS = 1_000
_WORD = re.compile(r"\S*\w\S*")


def wrong_length(text: str) -> str | None:
    """How the text is too short or too long; None where it is neither."""
    if not is_spaced(text):
        chars = len(text)
        return (
            None if MIN_CHARS <= chars <= MAX_CHARS else f"{chars} characters, allowed are {MIN_CHARS} to {MAX_CHARS}"
        )
    if len(text) > _MAX_SPACED_CHARS:
        return f"{len(text)} characters, allowed are {_MAX_SPACED_CHARS}"
    words = sum(1 for word in text.split() if _WORD.fullmatch(word))
    return None if MIN_WORDS <= words <= MAX_WORDS else f"{words} words, allowed are {MIN_WORDS} to {MAX_WORDS}"
