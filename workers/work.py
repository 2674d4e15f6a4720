"""The values that travel between the stages of the pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from shared.db.events import Finished
from shared.db.scopes import Claim
from shared.model.decision import Decision, EventTraits
from shared.model.message import Message, Window
from shared.model.record import Candidate, Extractor, Usage


class Stale(Exception):
    """Somebody else holds the scope by now; this attempt's work is thrown away."""


class Shorter(Exception):
    """Only so many of the messages shown may be worked on together; `usage` is what it cost to find out."""

    def __init__(self, messages: int, usage: Usage) -> None:
        super().__init__(messages)
        self.messages = messages
        self.usage = usage


@dataclass(frozen=True, slots=True)
class Work:
    """One claimed window. `groups[i]` are all accepted messages that `window.messages[i]` stands for.

    Identical messages in a row are shown once; the first of a group is the one shown.
    `stamped`: messages whose time is the caller's own. `keeps_messages`: they stay searchable beside their statements.
    """

    id: UUID
    claim: Claim
    window: Window
    groups: tuple[tuple[Message, ...], ...]
    events: Mapping[UUID, EventTraits]
    stamped: frozenset[UUID] = frozenset()
    keeps_messages: bool = False

    @property
    def messages(self) -> list[Message]:
        """Every accepted message of the window, in accept order."""
        return sorted((m for group in self.groups for m in group), key=lambda m: (m.seq, m.index))

    def place_of(self, message_id: UUID) -> int:
        """Which of the messages shown this is; it must be one of them."""
        return next(place for place, group in enumerate(self.groups) if group[0].id == message_id)

    def upto(self, messages: int) -> Work:
        """The same work on the oldest `messages` of what is shown."""
        return replace(self, window=self.window.of(self.window.messages[:messages]), groups=self.groups[:messages])


@dataclass(frozen=True, slots=True)
class Suspect:
    """The next event in line was in work when its worker died, more than once: it is worked on apart."""

    event_id: UUID


@dataclass(frozen=True, slots=True)
class Recalled:
    """What the extractor is shown as known, and the hints that were used up by showing it."""

    candidates: tuple[Candidate, ...]
    hints: tuple[UUID, ...] = ()
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Checked:
    """Records that passed, resolved into decisions; the others counted by reason on their event."""

    decisions: tuple[Decision, ...]
    rejections: Mapping[UUID, Mapping[str, int]]
    extractor: Extractor
    usage: Usage
    neighbours: tuple[UUID, ...] = ()  # near memories the extractor was not shown


@dataclass(frozen=True, slots=True)
class Done:
    """A committed window: which memories the index must follow and which events ended."""

    memories: tuple[UUID, ...]
    finished: tuple[Finished, ...]
    snoozed: float = 0.0
