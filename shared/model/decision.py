"""A record that passed the checks, with its sources resolved: what commit turns into rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from shared.model.memory import Source
from shared.model.message import Message
from shared.model.record import Candidate, Op
from shared.model.scope import ScopeIds


@dataclass(frozen=True, slots=True)
class EventTraits:
    """What an event hands to the memories made from its messages."""

    event_id: UUID
    seq: int
    ids: ScopeIds
    metadata: Mapping[str, Any] | None = None
    expires_on: date | None = None
    immutable: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """One checked record. `owner`: the event of src[0]. `cited`: the events behind the sources, in accept order.

    A message that only repeats the cited one before it word for word is a source like it, but states nothing: `stating`
    are the cited events without such repeats (all when empty), `said_at` is the newest time among their messages,
    `observed_at` the newest of all. `stated_at`: when the message that states the final state said so first (`said_at`
    when None). `stamped_at`: the caller's own timestamp of the oldest cited message, if any. `opening`: the first of
    several stating messages, `following`: the events of the others. `apart`: the message before which a window must end
    for this record's statements to be weighed one by one, `beside`: for the one that states the final state to be
    weighed alone; None when they are already. `barred`: an immutable memory speaks of the same.
    """

    op: Op
    text: str
    index_text: str
    kind: str
    about: str
    weight: int
    categories: tuple[str, ...]
    sources: tuple[Source, ...]
    owner: UUID
    said_at: datetime
    cited: tuple[UUID, ...]
    stating: tuple[UUID, ...] = ()
    observed_at: datetime | None = None
    stated_at: datetime | None = None
    opening: Message | None = None
    following: tuple[UUID, ...] = ()
    apart: UUID | None = None
    beside: UUID | None = None
    barred: bool = False
    target: Candidate | None = None
    speaker: str | None = None
    role: str | None = None
    happens_at: datetime | None = None
    happens_until: datetime | None = None
    precision: str | None = None
    valid_from: datetime | None = None
    stamped_at: datetime | None = None
    embedding: Any = field(default=None, compare=False)
