"""A text as a reader sees it: full-width letters, invisible signs and odd white space hide no word."""

from __future__ import annotations

import re
import unicodedata

_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_SPACE = re.compile(r"\s+")


def visible(text: str) -> str:
    """For matching only: NFKC, no format characters, white space collapsed."""
    text = unicodedata.normalize("NFKC", text)
    if not text.isascii():
        text = "".join(char for char in text if unicodedata.category(char) != "Cf")
    return _SPACE.sub(" ", text).strip()


def storable(text: str) -> str:
    """One line without control characters and lone surrogates, which no text column can hold."""
    return _SPACE.sub(" ", _UNSTORABLE.sub(" ", text)).strip()
