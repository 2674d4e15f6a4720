"""A chat message as accepted, and the window of messages that is worked on at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

Role = Literal["user", "assistant", "system", "tool"]
ROLES: tuple[Role, ...] = ("user", "assistant", "system", "tool")

CHARS_PER_TOKEN = 4


def tokens(text: str) -> int:
    """The service-wide token estimate: characters / 4, rounded up."""
    return -(-len(text) // CHARS_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class Message:
    """One accepted message; `said_at` is aware and keeps the caller's UTC offset."""

    id: UUID
    event_id: UUID
    seq: int  # the event's place in the scope
    index: int  # the message's place in the event
    role: Role
    text: str
    said_at: datetime
    speaker: str | None = None  # the wire's `name`: the person who speaks, whatever the role


@dataclass(frozen=True, slots=True)
class Rules:
    """What an operator asks of extraction; part of what must be equal for events to share a window."""

    instructions: str = ""
    includes: str = ""
    excludes: str = ""
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """A run of messages of one lane of one scope, oldest first, and what the extractor may read beside it.

    `messages` are what is extracted from (a record's `src` counts into this tuple); `earlier` is only for
    resolving references.
    """

    messages: tuple[Message, ...]
    earlier: tuple[Message, ...] = ()
    rules: Rules = field(default_factory=Rules)
    subject: str = ""  # project setting; never an id
    assistant: str = ""
    timezone: str | None = None  # IANA name; used where a message carries no offset of its own

    def of(self, messages: tuple[Message, ...]) -> Window:
        """The same window with other messages."""
        return replace(self, messages=messages)

    def first_half(self) -> Window:
        """The older half (at least one message), for narrowing down to a poison message."""
        return self.of(self.messages[: max(1, len(self.messages) // 2)])
