"""Which messages of a window only repeat another one: they vouch for what it states, and change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import groupby

from shared.model.message import Message

Groups = tuple[tuple[Message, ...], ...]
Words = tuple[str, str | None, str]  # role, speaker, text


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
    runs = _runs(shown, indexes)
    return Cited(
        tuple(message for index in indexes for message in groups[index]),
        tuple(shown[run[0]] for run in runs),
        shown[place(shown, src)],
    )


def place(shown: Sequence[Message], src: Sequence[int]) -> int:
    """Where in the window the final state was said first: `src[0]`, or the cited message that it only repeats.

    -1 when there is no such message.
    """
    if not src or not all(0 <= index < len(shown) for index in src):
        return -1
    return next(run[0] for run in _runs(shown, src) if src[0] in run)


def _runs(shown: Sequence[Message], indexes: Sequence[int]) -> list[list[int]]:
    """Cited messages in accept order; those that say the same words one after the other are one run."""
    ordered = sorted(set(indexes))
    return [list(run) for _, run in groupby(ordered, lambda index: _words(shown[index]))]


def only_repeats(message: Message, before: Words | None) -> bool:
    """True for a message that says the very words of the one before it."""
    return before is not None and _words(message) == before


def _words(message: Message) -> Words:
    return (message.role, message.speaker, message.text)


def _on_the_day(message: Message) -> tuple[object, ...]:
    return (*_words(message), message.said_at.date(), message.said_at.utcoffset())
