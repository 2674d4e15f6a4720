"""Work again on what failed: the failed messages of an event are opened, the rest of it stays as it is."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.db import events, scopes
from shared.errors import Conflict, NotFound
from shared.model.scope import ScopeRef


@dataclass(frozen=True, slots=True)
class Reopened:
    """`messages`: how many are worked on again, 0 when the event was still open. `ring`: the lane was idle."""

    scope: ScopeRef
    messages: int
    ring: bool = False


def reopen(session: Session, project_id: UUID, event_id: UUID) -> Reopened:
    """Put the failed messages of a FAILED event back into its lane; an event that is still open stays as it is.

    It counts as accepted now, with fresh attempts and a fresh age; messages that were applied keep their results.
    Raises `NotFound`, `Conflict` (`event_not_failed`: it succeeded, or nothing of it is left to work on).
    """
    scope = events.scope_of(session, project_id, event_id)
    locked = scope is not None and scopes.lock(session, scope)
    row = _event(session, project_id, event_id)
    if row is None:
        raise NotFound("no event has this id", code="event_not_found", field="id")
    if scope is None or not locked:  # its scope was erased, and all it held with it
        raise _nothing_left()
    if row.status in ("PENDING", "RUNNING"):
        return Reopened(scope, 0)
    opened, size = _open(session, project_id, event_id) if row.status == "FAILED" else (0, 0)
    if not opened:
        raise _nothing_left()
    _restart(session, project_id, event_id, opened)
    return Reopened(scope, opened, ring=_queue(session, scope, row.lane, opened, size))


def _nothing_left() -> Conflict:
    return Conflict("this event has no failed messages to work on", code="event_not_failed", field="id")


def _event(session: Session, project_id: UUID, event_id: UUID) -> sa.Row[tuple[str, str]] | None:
    return session.execute(
        sa.text("SELECT status, lane FROM events WHERE project_id = :p AND id = :e"),
        {"p": project_id, "e": event_id},
    ).one_or_none()


def _open(session: Session, project_id: UUID, event_id: UUID) -> tuple[int, int]:
    """How many messages were opened, and their UTF-8 bytes."""
    row = session.execute(
        sa.text(
            """
            WITH opened AS (
                UPDATE messages SET failed_code = NULL
                WHERE project_id = :p AND event_id = :e AND failed_code IS NOT NULL AND applied_by IS NULL
                RETURNING octet_length(text) AS size
            ) SELECT count(*) AS messages, coalesce(sum(size), 0) AS bytes FROM opened
            """
        ),
        {"p": project_id, "e": event_id},
    ).one()
    return int(row.messages), int(row.bytes)


def _restart(session: Session, project_id: UUID, event_id: UUID, pending: int) -> None:
    values = {"p": project_id, "e": event_id, "pending": pending}
    session.execute(
        sa.text(
            """
            UPDATE event_payloads p SET failed = '[]', error_detail = NULL,
                timings = jsonb_build_object('first_accepted_at', e.accepted_at) || p.timings
            FROM events e WHERE e.project_id = :p AND e.id = :e AND p.project_id = e.project_id AND p.event_id = e.id
            """
        ),
        values,
    )
    session.execute(
        sa.text(
            """
            UPDATE events SET status = 'PENDING', pending = :pending, attempts = 0, crash_count = 0, lone_crashes = 0,
                snoozes = 0, error_code = NULL, available_at = NULL, started_at = NULL, completed_at = NULL,
                failing_since = NULL, reply_to = NULL, accepted_at = clock_timestamp(), updated_at = clock_timestamp()
            WHERE project_id = :p AND id = :e
            """
        ),
        values,
    )


def _queue(session: Session, scope: ScopeRef, lane: str, messages: int, size: int) -> bool:
    """Add the work to the lane; whether the lane was idle."""
    column = "live" if lane == "live" else "bulk"
    before = session.execute(
        sa.text(
            f"""
            UPDATE scopes SET pending_{column} = pending_{column} + :messages, pending_bytes = pending_bytes + :size,
                available_{column} = CASE WHEN pending_{column} = 0 THEN clock_timestamp() ELSE available_{column} END
            WHERE project_id = :p AND id = :s RETURNING pending_{column} - :messages
            """
        ),
        {"messages": messages, "size": size, "p": scope.project_id, "s": scope.scope_id},
    ).scalar_one()
    return bool(before == 0)
