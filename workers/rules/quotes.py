"""The evidence behind a record: 3 to 12 consecutive words copied from its message."""

from __future__ import annotations

import re

from shared.model.sentences import Sentence

_MIN_WORDS, _MAX_WORDS = 3, 12
_MIN_CHARS, _MAX_CHARS = 6, 40  # scripts without spaces
_TOKEN = re.compile(r"\S+")


def quote(message: str, start: int, end: int, sentence: Sentence) -> str:
    """Words of `message[start:end]`; of the whole sentence where the part is too short to prove anything."""
    part = _cut(message, start, end)
    if part is not None:
        return part
    return _cut(message, sentence.start, sentence.end) or _head(sentence.text)


def _cut(message: str, start: int, end: int) -> str | None:
    words = [match.span() for match in _TOKEN.finditer(message, start, end)]
    if len(words) >= _MIN_WORDS:
        return message[words[0][0] : words[min(len(words), _MAX_WORDS) - 1][1]][:500]
    piece = message[start:end].strip()
    unspaced = len(piece) > _MIN_CHARS * max(1, len(words)) and not piece.isascii()
    return _whole_words(piece) if unspaced else None


def _whole_words(piece: str) -> str:
    """At most 40 characters, without half a Latin word at the end."""
    if len(piece) <= _MAX_CHARS or not (piece[_MAX_CHARS - 1].isascii() and piece[_MAX_CHARS].isascii()):
        return piece[:_MAX_CHARS]
    whole = re.sub(r"[!-~]+$", "", piece[:_MAX_CHARS]).rstrip()
    return whole if len(whole) >= _MIN_CHARS else piece[:_MAX_CHARS]


def _head(text: str) -> str:
    return text if len(text) <= 200 else text[:200]
