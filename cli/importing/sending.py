"""A file in pieces: numbered lines, packed, sent one after the other, none skipped and none sent twice for nothing."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from typing import Any

from cli.importing.client import Client
from cli.importing.files import Item, LogFile

_PIECE_BYTES = 2_000_000
_PIECE_LINES = 2_000

Told = Callable[[LogFile, dict[str, Any]], None]


def send(client: Client, log: LogFile, options: dict[str, Any], told: Told) -> dict[str, Any]:
    """All of the file; `told` hears of each piece that is kept. What an earlier run sent is not sent again."""
    job = client.send(gzip.compress(b""), {**options, "more": "true"})
    start = int(job["last_line"])
    told(log, job)
    changed: list[int] = []
    for first, piece in _pieces(item for item in log.items() if item.number > start):
        job = client.send(gzip.compress(piece, 5), {**options, "more": "true", "from_line": first})
        changed += job["changed_lines"]
        told(log, job)
    job = client.send(gzip.compress(b""), options)
    return job | {"changed_lines": changed}


def _pieces(items: Iterator[Item]) -> Iterator[tuple[int, bytes]]:
    """(number of the first line, lines). Numbers that hold nothing are empty lines: they only count."""
    piece = bytearray()
    first = following = 0
    for item in items:
        if piece and (len(piece) + len(item.raw) > _PIECE_BYTES or item.number - first >= _PIECE_LINES):
            yield first, bytes(piece)
            piece.clear()
        if not piece:
            first = following = item.number
        piece += b"\n" * (item.number - following) + item.raw + b"\n"
        following = item.number + 1
    if piece:
        yield first, bytes(piece)
