"""Messages as accepted: what waits in a lane, what was said before, what a commit marks as applied or failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.db.scopes import Claim
from shared.model.message import Message
from shared.model.scope import Lane, ScopeRef


@dataclass(frozen=True, slots=True)
class OpenMessage:
    """A message not yet applied, with what its event says about how to work on it."""

    message: Message
    window_key: bytes
    crash_count: int
    lone_crashes: int
    attempts: int
    immutable: bool = False


_OPEN = sa.text(
    """
    SELECT m.id, m.event_id, m.seq, m.idx, m.role, m.speaker, m.text, m.said_at, m.said_offset,
           e.window_key, e.crash_count, e.lone_crashes, e.attempts, (p.options->'immutable') IS NOT NULL AS immutable
    FROM messages m JOIN events e ON e.project_id = m.project_id AND e.id = m.event_id
    JOIN event_payloads p ON p.project_id = m.project_id AND p.event_id = m.event_id
    WHERE m.project_id = :p AND m.scope_id = :s AND m.lane = :lane AND m.applied_by IS NULL AND m.failed_code IS NULL
    ORDER BY m.seq, m.idx LIMIT :limit
    """
)

_EARLIER = sa.text(
    """
    SELECT m.id, m.event_id, m.seq, m.idx, m.role, m.speaker, m.text, m.said_at, m.said_offset
    FROM messages m
    WHERE m.project_id = :p AND m.scope_id = :s AND m.lane = :lane AND (m.seq, m.idx) < (:seq, :idx)
      AND m.failed_code IS NULL
    ORDER BY m.seq DESC, m.idx DESC LIMIT :limit
    """
)


def _message(row: Any) -> Message:
    offset = timezone(timedelta(minutes=row.said_offset))
    return Message(
        row.id, row.event_id, row.seq, row.idx, row.role, row.text, row.said_at.astimezone(offset), row.speaker
    )


def waiting(session: Session, scope: ScopeRef, lane: Lane, limit: int) -> list[OpenMessage]:
    """The lane's unapplied messages in accept order."""
    rows = session.execute(_OPEN, {"p": scope.project_id, "s": scope.scope_id, "lane": lane, "limit": limit})
    return [
        OpenMessage(
            _message(row), bytes(row.window_key or b""), row.crash_count, row.lone_crashes, row.attempts,
            row.immutable,
        )
        for row in rows
    ]  # fmt: skip


def before(session: Session, scope: ScopeRef, lane: Lane, seq: int, limit: int) -> list[Message]:
    """Up to `limit` messages of the lane accepted before the event of this place in the scope, oldest first."""
    values = {"p": scope.project_id, "s": scope.scope_id, "lane": lane, "seq": seq, "idx": 0, "limit": limit}
    return [_message(row) for row in session.execute(_EARLIER, values)][::-1]


def earlier(session: Session, scope: ScopeRef, lane: Lane, first: Message, limit: int) -> list[Message]:
    """Up to `limit` messages of the lane said before `first`, oldest first.

    Without those that failed: what a model refused once it would refuse as context too.
    """
    if limit <= 0:
        return []
    values = {"p": scope.project_id, "s": scope.scope_id, "lane": lane, "seq": first.seq, "idx": first.index}
    rows = session.execute(_EARLIER, values | {"limit": limit}).all()
    return [_message(row) for row in reversed(rows)]


def open_of_event(session: Session, project_id: UUID, event_id: UUID) -> list[Message]:
    """An event's messages that were neither applied nor failed."""
    rows = session.execute(
        sa.text(
            "SELECT id, event_id, seq, idx, role, speaker, text, said_at, said_offset FROM messages"
            " WHERE project_id = :p AND event_id = :e AND applied_by IS NULL AND failed_code IS NULL ORDER BY idx"
        ),
        {"p": project_id, "e": event_id},
    )
    return [_message(row) for row in rows]


def stamped(session: Session, project_id: UUID, ids: Sequence[UUID]) -> frozenset[UUID]:
    """Of these messages, those whose time is the caller's own."""
    rows = session.execute(
        sa.text("SELECT id FROM messages WHERE project_id = :p AND id = ANY(:ids) AND stamped"),
        {"p": project_id, "ids": list(ids)},
    )
    return frozenset(row.id for row in rows)


def mark_applied(session: Session, claim: Claim, window_id: UUID, ids: Sequence[UUID]) -> int:
    """These messages are behind us; returns the UTF-8 bytes they held in the backlog."""
    return _mark(session, claim.scope, ids, "applied_by = :mark", {"mark": window_id})


def mark_failed(session: Session, scope: ScopeRef, ids: Sequence[UUID], code: str) -> int:
    """These messages could not be worked on; returns the UTF-8 bytes they held in the backlog."""
    return _mark(session, scope, ids, "failed_code = :mark", {"mark": code})


def _mark(session: Session, scope: ScopeRef, ids: Sequence[UUID], change: str, values: dict[str, Any]) -> int:
    statement = sa.text(
        f"""
        WITH done AS (
            UPDATE messages SET {change} WHERE project_id = :p AND id = ANY(:ids) RETURNING octet_length(text) AS size
        ) SELECT coalesce(sum(size), 0) FROM done
        """
    )
    return int(session.execute(statement, {"p": scope.project_id, "ids": list(ids), **values}).scalar_one())


def count_of(session: Session, project_id: UUID, event_id: UUID) -> int:
    """How many messages an event brought (0 after they were erased)."""
    return int(
        session.execute(
            sa.text("SELECT count(*) FROM messages WHERE project_id = :p AND event_id = :e"),
            {"p": project_id, "e": event_id},
        ).scalar_one()
    )


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as shown beside a memory."""

    id: UUID
    event_id: UUID
    role: str
    speaker: str | None
    text: str
    said_at: datetime


def by_ids(session: Session, project_id: UUID, ids: Sequence[UUID]) -> dict[UUID, StoredMessage]:
    """Messages of one project by id."""
    rows = session.execute(
        sa.text(
            "SELECT id, event_id, role, speaker, text, said_at, said_offset FROM messages"
            " WHERE project_id = :p AND id = ANY(:ids)"
        ),
        {"p": project_id, "ids": list(ids)},
    )
    found = {}
    for row in rows:
        offset = timezone(timedelta(minutes=row.said_offset))
        found[row.id] = StoredMessage(
            row.id, row.event_id, row.role, row.speaker, row.text, row.said_at.astimezone(offset)
        )
    return found
