"""Normalised text: what counts as the same statement."""

from __future__ import annotations

import hashlib
import re
import unicodedata

_SPACE = re.compile(r"\s+")


def normalise(text: str) -> str:
    """NFKC, casefold, white space collapsed, one final full stop removed; nothing inside is dropped."""
    folded = _SPACE.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()
    return folded[:-1].rstrip() if folded.endswith((".", "。")) else folded


def text_hash(text: str) -> bytes:
    """32 bytes: equal for statements that differ only in case, white space or a final full stop."""
    return hashlib.sha256(normalise(text).encode()).digest()


def raw_hash(text: str, role: str, speaker: str | None, timestamp: str | None) -> bytes:
    """32 bytes for a message stored as it is: byte-exact text with role, speaker and the caller's own timestamp."""
    parts = ("raw", role, speaker or "", timestamp or "", text)
    return hashlib.sha256("\0".join(parts).encode()).digest()
