"""What a statement may rest on: the cited messages, what was said before them, what is known already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from shared.model.grounding import mentions
from shared.model.language import Language, language
from shared.model.message import Message, Window
from shared.model.record import Candidate
from workers.checks import names, numbers
from workers.checks.folding import Folded, fold

_DATES_READ = 4_000


class Passage:
    """One text and what it grounds; each part is worked out once, when first asked for."""

    def __init__(self, text: str, said_at: datetime | None = None, since: str | None = None) -> None:
        self.text = text
        self.said_at = said_at
        self.since = since

    @cached_property
    def folded(self) -> Folded:
        return fold(self.text)

    @cached_property
    def words(self) -> frozenset[str]:
        return names.words(self.text)

    @cached_property
    def numbers(self) -> frozenset[str]:
        return numbers.readings(self.text)

    @cached_property
    def clocks(self) -> frozenset[tuple[int, int]]:
        return numbers.clocks(self.text)

    @cached_property
    def dates(self) -> frozenset[str]:
        """Partial ISO dates it names or means; for what was said also its own day."""
        found = {self.since[:10]} if self.since else set()
        if self.said_at is None:
            return frozenset(found)
        for mention in mentions(self.text[:_DATES_READ], self.said_at):
            found |= {mention.moment.value, mention.moment.until or mention.moment.value}
        return frozenset((*found, self.said_at.date().isoformat()))

    @cached_property
    def language(self) -> Language | None:
        return language(self.text)


@dataclass(frozen=True, slots=True)
class Sources:
    """The passages behind one record. `cited[0]` is the message the quote must stand in."""

    cited: tuple[Passage, ...]
    context: tuple[Passage, ...]
    called: frozenset[str]  # plain words of the names of people in this conversation
    numbered: tuple[str, ...] = ()  # those names that hold a number ("User 1")

    def all(self) -> Iterable[Passage]:
        return (*self.cited, *self.context)

    def texts(self) -> list[str]:
        return [passage.text for passage in self.all()]

    def words(self) -> frozenset[str]:
        return self.called.union(*(passage.words for passage in self.all()))

    def has_number(self, readings: frozenset[str]) -> bool:
        return any(not readings.isdisjoint(passage.numbers) for passage in self.all())

    def has_clock(self, clock: tuple[int, int]) -> bool:
        return any(clock in passage.clocks for passage in self.all())

    def dates(self) -> frozenset[str]:
        return frozenset().union(*(passage.dates for passage in self.all()))


class Ground:
    """The passages of a window and its candidates, shared by all records of an answer."""

    def __init__(self, window: Window, candidates: Sequence[Candidate]) -> None:
        self.window = window
        self.messages = tuple(Passage(message.text, message.said_at) for message in window.messages)
        self._earlier = tuple(
            Passage(message.text, message.said_at) for message in window.earlier if _is_speech(message)
        )
        self._known = tuple(Passage(candidate.text, since=candidate.since) for candidate in candidates)
        spoken = {message.speaker or "" for message in (*window.messages, *window.earlier)}
        people = (window.subject, window.assistant, *sorted(spoken, key=len, reverse=True))
        self._called = frozenset().union(*(names.words(name) for name in people))
        self._numbered = tuple(name for name in people if any(char.isdigit() for char in name))

    def sources(self, src: Sequence[int]) -> Sources:
        """For valid indexes. What the window holds before the last cited message counts like `earlier`.

        So an answer stands or falls alike, however the conversation was cut into windows.
        """
        cited = tuple(self.messages[index] for index in dict.fromkeys(src))
        before = tuple(
            self.messages[index]
            for index in range(max(src))
            if index not in src and _is_speech(self.window.messages[index])
        )
        return Sources(cited, (*before, *self._earlier, *self._known), self._called, self._numbered)


def _is_speech(message: Message) -> bool:
    return message.role in ("user", "assistant")
