"""What every embedder shares: texts made fit to send, and an answer held against what was asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shared.errors import Snooze

PROVIDER = "embeddings"
MOST_CHARS_OF_A_TEXT = 8_000  # at most 8,191 tokens in any script; what follows is still found by its words

Vectors = NDArray[np.float32]


def sendable(text: str) -> str:
    """The text as models take it: never empty, never overlong."""
    return text[:MOST_CHARS_OF_A_TEXT] if text.strip() else " "


def stacked(rows: Sequence[Vectors | None], count: int, size: int | None) -> Vectors:
    """One float32 array, shape (count, size); raises Snooze `embeddings_invalid` unless each text has a good row."""
    good = [row for row in rows if row is not None]
    if len(good) != count:
        raise _invalid("another number of vectors than texts, or unreadable ones")
    size = size or good[0].size
    if size == 0 or any(row.size != size for row in good):
        raise _invalid("vectors of another size")
    vectors = np.stack(good).astype(np.float32, copy=False)
    if not np.isfinite(vectors).all():
        raise _invalid("vectors that are not finite")
    return vectors


def _invalid(what: str) -> Snooze:
    return Snooze(f"the embeddings provider sent {what}", code="embeddings_invalid", provider=PROVIDER)
