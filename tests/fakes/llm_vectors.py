"""Deterministic embeddings: hashed bags of words, so that texts sharing words lie near each other."""

from __future__ import annotations

import base64
import re
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"\w+")


def vector(text: str, dimensions: int) -> NDArray[np.float32]:
    """A unit vector of one text; a text without words still has a direction."""
    values = np.zeros(dimensions, dtype=np.float32)
    for word in _WORD.findall(text.casefold()) or ["<empty>"]:
        for part, weight in ((word, 1.0), (word[:4] + "*", 0.5)):
            place, sign = _place(part, dimensions)
            values[place] += sign * weight
    norm = float(np.linalg.norm(values))
    if norm == 0.0:
        values[0], norm = 1.0, 1.0
    return values / np.float32(norm)


@lru_cache(maxsize=100_000)
def _place(word: str, dimensions: int) -> tuple[int, float]:
    code = crc32(word.encode())
    return (code >> 1) % dimensions, 1.0 if code & 1 else -1.0


def encoded(values: NDArray[np.float32], encoding_format: str) -> str | list[float]:
    """The wire form of a vector: base64 of little-endian float32, or a list."""
    if encoding_format == "base64":
        return base64.b64encode(values.astype("<f4").tobytes()).decode()
    return [float(value) for value in values]
