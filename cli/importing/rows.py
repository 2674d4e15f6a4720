"""CSV: a message a row; rows in a row of one conversation are one group."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from cli.embedded.errors import EmbeddedError

_CONVERSATION = ("conversation_id", "conversation", "thread_id", "session_id", "chat_id")
_IDS = ("user_id", "agent_id", "app_id", "run_id")
_NEEDED = ("content", "text", "message", "value", "body")
_MOST = 50  # messages in a group


def grouped(text: Iterable[str], delimiter: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """(number of the group's first line, body). Raises EmbeddedError for a table without a column of texts."""
    csv.field_size_limit(16_000_000)
    rows = csv.reader(text, delimiter=delimiter)
    header = [name.strip().lower().replace(" ", "_") for name in next(rows, [])]
    if not set(header) & set(_NEEDED):
        raise EmbeddedError(
            f"the first row must name the columns, one of them {' or '.join(_NEEDED[:3])}; it says {', '.join(header)}"
        )
    numbered = _numbered(rows, header)
    for _, run in groupby(numbered, key=lambda pair: _key(pair[1])):
        piece: list[tuple[int, dict[str, str]]] = []
        for pair in run:
            piece.append(pair)
            if len(piece) == _MOST:
                yield _body(piece)
                piece = []
        if piece:
            yield _body(piece)


def _numbered(rows: Any, header: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with the line of the file on which it starts; a field may span lines."""
    before = rows.line_num
    for row in rows:
        if any(field.strip() for field in row):
            yield before + 1, {name: field for name, field in zip(header, row, strict=False) if field != ""}
        before = rows.line_num


def _key(row: Mapping[str, str]) -> tuple[str | None, ...]:
    return tuple(row.get(name) for name in (*_IDS, *_CONVERSATION))


def _body(piece: list[tuple[int, dict[str, str]]]) -> tuple[int, dict[str, Any]]:
    number, first = piece[0]
    around = {name: first[name] for name in (*_IDS, *_CONVERSATION) if name in first}
    messages = [{k: v for k, v in row.items() if k not in around} for _, row in piece]
    return number, {"messages": messages, **around}
