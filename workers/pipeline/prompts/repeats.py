"""Which messages of a window say the same thing again, so that the model reads them once and all count as sources."""

from __future__ import annotations

from itertools import groupby

from shared.model.message import Message, Window

Key = tuple[object, ...]


def stands_for(window: Window) -> dict[int, tuple[int, ...]]:
    """Index of each message that is shown -> the indexes it stands for, itself first.

    An event repeats another when all its messages in the window are the same (role, speaker, text, day said). An event
    of one message must also follow its twin directly: a second "yes" elsewhere answers another question.
    """
    shown: dict[int, tuple[int, ...]] = {}
    first_of: dict[Key, list[int]] = {}
    previous: Key | None = None
    for indexes in _events(window.messages):
        key = tuple(_key(window.messages[index]) for index in indexes)
        twin = first_of.get(key)
        if twin is not None and (len(indexes) > 1 or key == previous):
            for original, again in zip(twin, indexes, strict=True):
                shown[original] = (*shown[original], again)
        else:
            first_of[key] = indexes
            shown |= {index: (index,) for index in indexes}
        previous = key
    return shown


def _events(messages: tuple[Message, ...]) -> list[list[int]]:
    runs = groupby(range(len(messages)), key=lambda index: messages[index].event_id)
    return [list(run) for _, run in runs]


def _key(message: Message) -> Key:
    return (message.role, message.speaker, message.text, message.said_at.date(), message.said_at.utcoffset())
