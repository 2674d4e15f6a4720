"""The one way in: an accepted write, its messages and its idempotency row, in the caller's single transaction.

Every dialect and every import goes through `accept`. Nothing here talks to anything but Postgres.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from shared import clock
from shared.db import idempotency, raw_memories
from shared.db.entering import EventRow, MessageRow, enter
from shared.model.ids import uuid7
from shared.model.message import Role, Rules
from shared.model.scope import ID_FIELDS, Lane, ScopeIds
from shared.model.text import raw_hash
from shared.model.windows import window_key


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message as the caller sent it. `said_at` None: the accept time stands in. `stamp`: the timestamp as written."""

    role: Role
    text: str
    said_at: datetime | None = None
    speaker: str | None = None
    stamp: str | None = None


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One write, parsed and validated by a dialect; `infer=False` stores the messages as they are."""

    project_id: UUID
    ids: ScopeIds
    messages: tuple[NewMessage, ...]
    infer: bool = True
    metadata: dict[str, Any] | None = None
    rules: Rules = field(default_factory=Rules)
    timezone: str | None = None
    expires_on: date | None = None
    immutable: bool = False
    lane: Lane = "live"
    scope_key: tuple[str, ...] = ID_FIELDS
    origin: dict[str, Any] = field(default_factory=dict)
    reply_to: str | None = None
    idempotency: idempotency.Key | None = None

    @property
    def size(self) -> int:
        """UTF-8 bytes of all texts."""
        return sum(len(message.text.encode()) for message in self.messages)


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the caller is promised. `replayed`: an earlier request with the same key made this event.

    `ring`: the lane was idle, so a bell is worth sending. `wait`: seconds until the lane is due (snoozed), 0 = now.
    """

    event_id: UUID
    scope_id: UUID | None
    replayed: bool = False
    ring: bool = False
    wait: float = 0.0


def accept(session: Session, new: NewEvent) -> Accepted:
    """Keep a write for good; raises `Unprocessable` when its idempotency key was used with another body."""
    event_id = uuid7()
    if new.idempotency is not None:
        earlier = idempotency.take(session, new.project_id, new.idempotency, event_id)
        if earlier is not None:
            return Accepted(earlier, None, replayed=True)
    messages = _messages(new)
    entered = enter(session, _event(new, event_id), messages)
    if not new.infer:
        raw_memories.store(session, new, event_id, entered, [message.id for message in messages])
    return Accepted(event_id, entered.scope.scope_id, ring=entered.was_idle, wait=entered.wait)


def _event(new: NewEvent, event_id: UUID) -> EventRow:
    queued = len(new.messages) if new.infer else 0
    return EventRow(
        project_id=new.project_id, id=event_id, key=new.ids.key(new.scope_key), ids=new.ids, lane=new.lane,
        kind="add" if new.infer else "raw", status="PENDING" if queued else "RUNNING", pending=queued,
        size=new.size if queued else 0, window_key=window_key(new.rules, new.timezone), reply_to=new.reply_to,
        origin=new.origin, options=_options(new), metadata=new.metadata,
    )  # fmt: skip


def _options(new: NewEvent) -> dict[str, Any]:
    options: dict[str, Any] = {"infer": new.infer}
    if new.rules != Rules():
        options["rules"] = {
            "instructions": new.rules.instructions, "includes": new.rules.includes,
            "excludes": new.rules.excludes, "categories": list(new.rules.categories),
        }  # fmt: skip
    if new.timezone:
        options["timezone"] = new.timezone
    if new.expires_on:
        options["expires_on"] = new.expires_on.isoformat()
    if new.immutable:
        options["immutable"] = True
    return options


def _messages(new: NewEvent) -> list[MessageRow]:
    """Unstamped messages get the database's time and the offset their zone has now."""
    here = offset_minutes(in_zone(clock.now(), new.timezone))
    return [
        MessageRow(
            uuid7(), message.role, message.speaker, message.text, message.said_at,
            offset_minutes(message.said_at) if message.said_at else here,
            raw_hash(message.text, message.role, message.speaker, message.stamp),
        )
        for message in new.messages
    ]  # fmt: skip


def in_zone(moment: datetime, timezone: str | None) -> datetime:
    """The same moment with the offset of an IANA zone (UTC when none is given)."""
    return moment.astimezone(ZoneInfo(timezone)) if timezone else moment


def offset_minutes(moment: datetime) -> int:
    """The UTC offset of an aware datetime in whole minutes."""
    offset = moment.utcoffset()
    return 0 if offset is None else int(offset.total_seconds() // 60)
