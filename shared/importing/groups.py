"""One line of a log, whatever its format, as the groups of messages that are accepted one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from itertools import pairwise
from typing import Any

from shared.importing import chatgpt, locomo, plain, sharegpt
from shared.importing.errors import BadLine


class Format(StrEnum):
    """The formats of a line; `auto` looks at each."""

    AUTO = "auto"
    FLUMES = "flumes"  # a body of POST /v1/memories/; mem0's `add` bodies too
    MESSAGES = "messages"  # a list of messages, or one message
    SHAREGPT = "sharegpt"
    CHATGPT = "chatgpt"
    LOCOMO = "locomo"


def _messages(value: Any) -> Iterator[dict[str, Any]]:
    return plain.single(value) if isinstance(value, Mapping) else plain.listed(value, {})


_READERS: dict[Format, Callable[[Any], Iterator[dict[str, Any]]]] = {
    Format.FLUMES: plain.body,
    Format.MESSAGES: _messages,
    Format.SHAREGPT: sharegpt.bodies,
    Format.CHATGPT: chatgpt.bodies,
    Format.LOCOMO: locomo.bodies,
}
_MARKS = {Format.FLUMES: "messages", Format.SHAREGPT: "conversations", Format.CHATGPT: "mapping",
          Format.LOCOMO: "conversation"}  # fmt: skip


def groups(value: Any, form: Format, most: int) -> list[dict[str, Any]]:
    """Bodies of at most `most` messages each, in order. Raises `BadLine`.

    A `conversation` in a body is the log's own name for it; it is no field of `POST /v1/memories/`.
    """
    form = detect(value) if form is Format.AUTO else form
    mark = _MARKS.get(form)
    if mark and (not isinstance(value, Mapping) or mark not in value):
        raise BadLine(f"this is not of the format {form.value}: `{mark}` is missing")
    return [part for body in _READERS[form](value) for part in _split(body, most)]


def detect(value: Any) -> Format:
    """The format of one line. Raises `BadLine` when it looks like none."""
    if isinstance(value, list):
        return Format.MESSAGES
    if not isinstance(value, Mapping):
        raise BadLine("a line must be a JSON object or a list of messages")
    for form, mark in _MARKS.items():
        inside = value.get(mark)
        if inside is not None and (form is not Format.LOCOMO or isinstance(inside, Mapping)):
            return form
    if any(name in value for name in ("role", "from", "sender", "speaker")):
        return Format.MESSAGES
    raise BadLine("this line looks like none of the known formats (see `flumes import --help`)")


def _split(body: dict[str, Any], most: int) -> Iterator[dict[str, Any]]:
    """A long conversation in even parts, so that none is left with a message or two."""
    messages = body["messages"]
    parts = -(-len(messages) // most)
    edges = [len(messages) * place // parts for place in range(parts + 1)]
    for start, end in pairwise(edges):
        yield {**body, "messages": messages[start:end]}
