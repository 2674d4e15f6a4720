"""Which messages of a window only repeat another one: they vouch for what it states, and change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import groupby

from shared.model.message import Message

Groups = tuple[tuple[Message, ...], ...]


@dataclass(frozen=True, slots=True)
class Cited:
    """The messages behind a record. `messages`: all accepted ones, those of its first source first.

    `stating`: in accept order, without those that repeat the one before; `final`: the one that says the final state.
    """

    messages: tuple[Message, ...]
    stating: tuple[Message, ...]
    final: Message


def in_a_row(messages: Sequence[Message]) -> Groups:
    """Messages in a row that say the same words on the same day; the extractor is shown the first of each.

    Only in a row: elsewhere the same words may answer another question or restore what was changed in between.
    """
    return tuple(tuple(same) for _, same in groupby(messages, _on_the_day))


def cite(
    shown: Sequence[Message], groups: Groups, src: Sequence[int], claimed: AbstractSet[int] = frozenset()
) -> Cited:
    """What a record with these sources rests on; `src[0]` states the final state.

    A later message that no record cites (`claimed`) and that says the same as `src[0]` on the same day is a source too.
    """
    again = [
        index
        for index in range(max(src) + 1, len(shown))
        if index not in claimed and _on_the_day(shown[index]) == _on_the_day(shown[src[0]])
    ]
    indexes = tuple(dict.fromkeys((*src, *again)))
    stating: list[Message] = []
    final = shown[src[0]]
    for index in sorted(indexes):
        if not stating or _words(shown[index]) != _words(stating[-1]):
            stating.append(shown[index])
        if index == src[0]:
            final = stating[-1]
    return Cited(tuple(message for index in indexes for message in groups[index]), tuple(stating), final)


def _words(message: Message) -> tuple[object, ...]:
    return (message.role, message.speaker, message.text)


def _on_the_day(message: Message) -> tuple[object, ...]:
    return (*_words(message), message.said_at.date(), message.said_at.utcoffset())
