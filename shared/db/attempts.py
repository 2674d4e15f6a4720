"""What is held against an event that did not get on: lone crashes, attempts, how long it has failed, what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session


def blame(session: Session, project_id: UUID, event_id: UUID) -> int:
    """This event's work ended a process in which nothing else ran: a lone crash. Returns how many there were."""
    return _count(session, project_id, event_id, "lone_crashes = lone_crashes + 1")


def overran(session: Session, project_id: UUID, event_id: UUID) -> None:
    """This event's work did not end in time in a process of its own: an attempt, and it stays a suspect."""
    _count(session, project_id, event_id, "attempts = attempts + 1")


def _count(session: Session, project_id: UUID, event_id: UUID, change: str) -> int:
    row = session.execute(
        sa.text(
            f"UPDATE events SET {change}, status = 'PENDING', updated_at = clock_timestamp()"
            " WHERE project_id = :p AND id = :id AND status IN ('PENDING', 'RUNNING') RETURNING lone_crashes"
        ),
        {"p": project_id, "id": event_id},
    ).one_or_none()
    return 0 if row is None else int(row.lone_crashes)


def overdue(session: Session, project_id: UUID, ids: Sequence[UUID], seconds: float) -> list[UUID]:
    """Of these events, those that have failed for that long without getting on; waiting in a queue is no failure."""
    rows = session.execute(
        sa.text(
            "SELECT id FROM events WHERE project_id = :p AND id = ANY(:ids) AND status IN ('PENDING', 'RUNNING')"
            " AND failing_since < clock_timestamp() - make_interval(secs => :seconds) ORDER BY seq"
        ),
        {"p": project_id, "ids": list(ids), "seconds": seconds},
    )
    return [row.id for row in rows]


def charge(session: Session, project_id: UUID, event_id: UUID, usage: Mapping[str, int]) -> None:
    """What was spent on an event although no message of it was finished."""
    session.execute(
        sa.text(
            "UPDATE event_payloads SET usage = flumes_add_counts(usage, CAST(:usage AS jsonb))"
            " WHERE project_id = :p AND event_id = :id"
        ),
        {"p": project_id, "id": event_id, "usage": orjson.dumps(dict(usage)).decode()},
    )
