"""Which messages of a window say the same thing again, so that the model reads them once and all count as sources."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from shared.model.message import Message

Key = tuple[object, ...]


def stands_for(messages: Sequence[Message]) -> dict[int, tuple[int, ...]]:
    """Index of each message that is shown -> the indexes it stands for, itself first.

    An event repeats the one directly before it when all its messages in the window are the same (role, speaker, text,
    day said). Elsewhere the same words may answer another question or restore what was changed in between.
    """
    shown: dict[int, tuple[int, ...]] = {}
    before: list[int] = []
    for indexes in _events(messages):
        if before and _keys(messages, indexes) == _keys(messages, before):
            for original, again in zip(before, indexes, strict=True):
                shown[original] = (*shown[original], again)
        else:
            before = indexes
            shown |= {index: (index,) for index in indexes}
    return shown


def _events(messages: Sequence[Message]) -> list[list[int]]:
    runs = groupby(range(len(messages)), key=lambda index: messages[index].event_id)
    return [list(run) for _, run in runs]


def _keys(messages: Sequence[Message], indexes: list[int]) -> list[Key]:
    return [_key(messages[index]) for index in indexes]


def _key(message: Message) -> Key:
    return (message.role, message.speaker, message.text, message.said_at.date(), message.said_at.utcoffset())
