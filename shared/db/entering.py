"""A write's way into its scope: lock, place, event, payload and messages in one statement, one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.model.ids import uuid7
from shared.model.scope import ID_FIELDS, Lane, ScopeIds, ScopeRef


@dataclass(frozen=True, slots=True)
class Entered:
    """An event's place in its scope.

    `was_idle`: the lane had nothing pending. `wait`: seconds until the lane is due. `now`: Postgres' clock, read
    under the scope lock, so that it never runs backwards within a scope.
    """

    scope: ScopeRef
    seq: int
    was_idle: bool
    wait: float
    now: datetime


@dataclass(frozen=True, slots=True)
class EventRow:
    """What is kept of a write beside its messages. `key`: the ids that make the scope; `ids`: those it came with."""

    project_id: UUID
    id: UUID
    key: ScopeIds
    ids: ScopeIds
    lane: Lane
    kind: str
    status: str
    pending: int  # messages that wait for a worker
    size: int  # their UTF-8 bytes
    window_key: bytes
    reply_to: str | None
    origin: dict[str, Any]
    options: dict[str, Any]
    metadata: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One message. `said_at` None: the moment of the accept stands in; `offset`: minutes from UTC either way."""

    id: UUID
    role: str
    speaker: str | None
    text: str
    said_at: datetime | None
    offset: int
    hash: bytes


# A lane's clock starts when its first message arrives. The event's own row, its payload and its messages hang on the
# scope row, which stays locked until the transaction ends: seqs are taken and seen in one order.
_ENTER = sa.text(
    """
    WITH entered AS (
        INSERT INTO scopes AS s (project_id, id, user_id, agent_id, app_id, run_id, next_seq,
                                 pending_live, pending_bulk, available_live, available_bulk, pending_bytes)
        VALUES (:project_id, :scope_id, :key_user_id, :key_agent_id, :key_app_id, :key_run_id, 2, :live, :bulk,
                CASE WHEN :live > 0 THEN clock_timestamp() END, CASE WHEN :bulk > 0 THEN clock_timestamp() END, :bytes)
        ON CONFLICT (project_id, user_id, agent_id, app_id, run_id) DO UPDATE SET
            next_seq = s.next_seq + 1,
            pending_live = s.pending_live + :live,
            pending_bulk = s.pending_bulk + :bulk,
            pending_bytes = s.pending_bytes + :bytes,
            available_live = CASE WHEN :live > 0 AND s.pending_live = 0
                                  THEN clock_timestamp() ELSE s.available_live END,
            available_bulk = CASE WHEN :bulk > 0 AND s.pending_bulk = 0
                                  THEN clock_timestamp() ELSE s.available_bulk END
        RETURNING s.id, s.next_seq - 1 AS seq,
            s.pending_live - :live AS live_before, s.pending_bulk - :bulk AS bulk_before,
            greatest(0, extract(epoch FROM
                CASE WHEN :live > 0 THEN s.available_live WHEN :bulk > 0 THEN s.available_bulk END - clock_timestamp()
            ))::float8 AS wait,
            clock_timestamp() AS now
    ),
    event AS (
        INSERT INTO events (project_id, id, scope_id, seq, kind, lane, status, user_id, agent_id, app_id, run_id,
                            window_key, reply_to, pending)
        SELECT :project_id, :event_id, e.id, e.seq, :kind, :lane, :status, :user_id, :agent_id, :app_id, :run_id,
               :window_key, :reply_to, :pending
        FROM entered e
    ),
    payload AS (
        INSERT INTO event_payloads (project_id, event_id, origin, options, metadata)
        SELECT :project_id, :event_id, CAST(:origin AS jsonb), CAST(:options AS jsonb), CAST(:metadata AS jsonb)
        FROM entered
    ),
    said AS (
        INSERT INTO messages (project_id, id, scope_id, event_id, seq, idx, lane, role, speaker, text, said_at,
                              said_offset, stamped, hash, applied_by)
        SELECT :project_id, m.id, e.id, :event_id, e.seq, m.place - 1, :lane, m.role, m.speaker, m.text,
               coalesce(m.said_at, e.now), m.said_offset, m.said_at IS NOT NULL, m.hash, CAST(:applied_by AS uuid)
        FROM entered e, unnest(
            CAST(:m_ids AS uuid[]), CAST(:m_roles AS text[]), CAST(:m_speakers AS text[]), CAST(:m_texts AS text[]),
            CAST(:m_said_at AS timestamptz[]), CAST(:m_offsets AS smallint[]), CAST(:m_hashes AS bytea[])
        ) WITH ORDINALITY AS m(id, role, speaker, text, said_at, said_offset, hash, place)
    )
    SELECT * FROM entered
    """
)


def enter(session: Session, event: EventRow, messages: Sequence[MessageRow]) -> Entered:
    """Find or make the scope, lock it, take the next seq, keep the rows; the lock holds until the transaction ends.

    A write of kind `raw` ends in its own transaction: its messages count as applied by itself.
    """
    row = session.execute(_ENTER, _values(event) | _columns(messages)).one()
    before = row.live_before if event.lane == "live" else row.bulk_before
    return Entered(ScopeRef(event.project_id, row.id), row.seq, before == 0, row.wait or 0.0, row.now)


def _values(event: EventRow) -> dict[str, Any]:
    live = event.pending if event.lane == "live" else 0
    return {
        "project_id": event.project_id, "scope_id": uuid7(), "event_id": event.id, "kind": event.kind,
        "lane": event.lane, "status": event.status, "window_key": event.window_key, "reply_to": event.reply_to,
        "pending": event.pending, "live": live, "bulk": event.pending - live, "bytes": event.size,
        "applied_by": event.id if event.kind == "raw" else None, "origin": _json(event.origin),
        "options": _json(event.options), "metadata": None if event.metadata is None else _json(event.metadata),
        **{name: getattr(event.ids, name) for name in ID_FIELDS},
        **{f"key_{name}": getattr(event.key, name) for name in ID_FIELDS},
    }  # fmt: skip


def _columns(messages: Sequence[MessageRow]) -> dict[str, Any]:
    return {
        "m_ids": [m.id for m in messages], "m_roles": [m.role for m in messages],
        "m_speakers": [m.speaker for m in messages], "m_texts": [m.text for m in messages],
        "m_said_at": [m.said_at for m in messages], "m_offsets": [m.offset for m in messages],
        "m_hashes": [m.hash for m in messages],
    }  # fmt: skip


def _json(value: dict[str, Any]) -> str:
    return orjson.dumps(value).decode()
