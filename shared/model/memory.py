"""A memory as it stands in Postgres, and the rows that a change of it writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from shared.model.scope import ScopeIds

# `source`: a message kept beside its statements, served only to who asks for raw messages too.
State = Literal["current", "retracted", "replaced", "deleted", "source"]
ResultEvent = Literal["ADD", "UPDATE", "DELETE"]


@dataclass(frozen=True, slots=True)
class Memory:
    """One long-term statement. Times are aware; `happens_*` say when, `valid_*` how long it was true."""

    project_id: UUID
    id: UUID
    scope_id: UUID
    ids: ScopeIds
    text: str
    index_text: str
    hash: bytes
    kind: str
    observed_at: datetime
    created_at: datetime
    updated_at: datetime
    about: str = "user"
    role: str | None = None
    speaker: str | None = None
    weight: int = 2
    metadata: dict[str, Any] | None = None
    categories: tuple[str, ...] = ()
    happens_at: datetime | None = None
    happens_until: datetime | None = None
    precision: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    expires_on: date | None = None
    immutable: bool = False
    version: int = 1
    state: State = "current"
    replaced_by: UUID | None = None
    extractor: dict[str, Any] = field(default_factory=dict)
    evidence_count: int = 1
    deleted_seq: int | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where a memory version comes from: a message and the quoted span in it (characters, end exclusive)."""

    message_id: UUID
    start: int | None
    end: int | None
    quote: str


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One line of a memory's history. `before`: the fields this change replaced, for undoing it.

    `valid_from`: since when its text holds; for a version without a new text, when the one before stopped to hold.
    """

    memory_id: UUID
    version: int
    op: str
    old_text: str | None
    new_text: str | None
    hash: bytes
    event_id: UUID | None = None
    seq: int | None = None
    valid_from: datetime | None = None
    before: dict[str, Any] | None = None
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What one event did to one memory, as callers see it."""

    event_id: UUID
    memory_id: UUID
    memory: str
    event: ResultEvent
    previous_memory: str | None = None
    role: str | None = None
    actor_id: str | None = None
    raw: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The stored form; dialects choose what they show of it."""
        shown: dict[str, Any] = {"id": str(self.memory_id), "memory": self.memory, "event": self.event}
        if self.previous_memory is not None:
            shown["previous_memory"] = self.previous_memory
        if self.raw:
            shown |= {"actor_id": self.actor_id, "role": self.role}
        return shown
