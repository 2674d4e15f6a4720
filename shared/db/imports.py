"""Imports as rows: what was asked for, how far it is. Counters are only ever added to, in the writer's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.model.ids import uuid7

State = Literal["RUNNING", "PAUSED", "STOPPED", "CANCELLED", "DONE"]
COUNTERS = (
    "lines", "groups", "messages", "rejected", "ended", "failed", "added", "updated", "deleted", "calls",
    "input_tokens", "output_tokens",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Import:
    """An import as it stands. `complete`: all of it was received. `groups`: what the good lines hold, each an event.

    `reason`: why it is paused or stopped. `received_at`: when lines last came in.
    """

    project_id: UUID
    id: UUID
    name: str
    state: State
    reason: str | None
    options: dict[str, Any]
    complete: bool
    lines: int
    groups: int
    messages: int
    rejected: int
    ended: int
    failed: int
    added: int
    updated: int
    deleted: int
    calls: int
    input_tokens: int
    output_tokens: int
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    received_at: datetime


_COLUMNS = f"""project_id, id, name, state, reason, options, complete, {", ".join(COUNTERS)}, created_at, started_at,
               completed_at, received_at"""
_GET = sa.text(f"SELECT {_COLUMNS} FROM imports WHERE project_id = :p AND id = :id")
_LIST = sa.text(
    f"SELECT {_COLUMNS} FROM imports WHERE project_id = :p AND (CAST(:before AS uuid) IS NULL OR id < :before)"
    " ORDER BY id DESC LIMIT :limit"
)


def open_named(session: Session, project_id: UUID, name: str, options: dict[str, Any]) -> Import:
    """The import of this name; made when there is none. Options of an import that is there are left as they are."""
    session.execute(
        sa.text(
            "INSERT INTO imports (project_id, id, name, state, options)"
            " VALUES (:p, :id, :name, 'RUNNING', CAST(:options AS jsonb)) ON CONFLICT (project_id, name) DO NOTHING"
        ),
        {"p": project_id, "id": uuid7(), "name": name, "options": orjson.dumps(options).decode()},
    )
    row = session.execute(
        sa.text(f"SELECT {_COLUMNS} FROM imports WHERE project_id = :p AND name = :name"),
        {"p": project_id, "name": name},
    ).one()
    return Import(**row._mapping)


def get(session: Session, project_id: UUID, import_id: UUID) -> Import | None:
    """An import of a project by id."""
    row = session.execute(_GET, {"p": project_id, "id": import_id}).one_or_none()
    return None if row is None else Import(**row._mapping)


def newest(session: Session, project_id: UUID, limit: int, before: UUID | None = None) -> list[Import]:
    """Imports of a project, newest first, older than `before`."""
    rows = session.execute(_LIST, {"p": project_id, "limit": limit, "before": before})
    return [Import(**row._mapping) for row in rows]


def count(session: Session, project_id: UUID, import_id: UUID, **more: int) -> None:
    """Add to counters; the row stays locked until the transaction ends."""
    added = ", ".join(f"{name} = {name} + :{name}" for name in more)
    session.execute(
        sa.text(f"UPDATE imports SET {added} WHERE project_id = :p AND id = :id"),
        {"p": project_id, "id": import_id, **more},
    )


def note_received(session: Session, project_id: UUID, import_id: UUID, *, more: bool) -> None:
    """Lines came in; `more`: among them some that wait, so that an import that was done goes on."""
    session.execute(
        sa.text(
            "UPDATE imports SET received_at = clock_timestamp(),"
            " state = CASE WHEN :more AND state = 'DONE' THEN 'RUNNING' ELSE state END,"
            " completed_at = CASE WHEN :more AND state = 'DONE' THEN NULL ELSE completed_at END"
            " WHERE project_id = :p AND id = :id"
        ),
        {"p": project_id, "id": import_id, "more": more},
    )


def received(session: Session, project_id: UUID, import_id: UUID) -> None:
    """All lines are here."""
    session.execute(
        sa.text("UPDATE imports SET complete = true WHERE project_id = :p AND id = :id"),
        {"p": project_id, "id": import_id},
    )


# From which states a person may bring it where.
_MOVES: dict[State, tuple[State, ...]] = {
    "PAUSED": ("RUNNING",),
    "RUNNING": ("PAUSED", "STOPPED"),
    "CANCELLED": ("RUNNING", "PAUSED", "STOPPED"),
}


def move(session: Session, project_id: UUID, import_id: UUID, to: State, reason: str | None = None) -> bool:
    """Pause, resume or cancel; False when its state does not allow it. Cancelled lines lose what they held."""
    changed = session.execute(
        sa.text(
            "UPDATE imports SET state = :to, reason = :reason, completed_at = CASE WHEN :to = 'CANCELLED'"
            " THEN clock_timestamp() END WHERE project_id = :p AND id = :id AND state = ANY(:from)"
        ),
        {"p": project_id, "id": import_id, "to": to, "reason": reason, "from": list(_MOVES[to])},
    )
    if to == "CANCELLED" and changed.rowcount:  # type: ignore[attr-defined]
        session.execute(
            sa.text(
                "UPDATE import_lines SET state = 'CANCELLED', prepared = NULL"
                " WHERE project_id = :p AND import_id = :id AND state = 'WAITING'"
            ),
            {"p": project_id, "id": import_id},
        )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


_OPEN = sa.text(
    """
    SELECT project_id, id FROM (
        SELECT project_id, id FROM imports WHERE state = 'RUNNING'
        UNION SELECT project_id, import_id FROM import_lines WHERE state = 'FED'
    ) open ORDER BY random() LIMIT 200
    """
)


def open_ones(session: Session) -> list[tuple[UUID, UUID]]:
    """(project, import) of those that go on or have lines in work, in random order: workers spread over them."""
    return [(row.project_id, row.id) for row in session.execute(_OPEN)]


def take(session: Session, project_id: UUID, import_id: UUID) -> Import | None:
    """Lock an import for one step; None when another worker is at it."""
    row = session.execute(
        sa.text(f"SELECT {_COLUMNS} FROM imports WHERE project_id = :p AND id = :id FOR UPDATE SKIP LOCKED"),
        {"p": project_id, "id": import_id},
    ).one_or_none()
    return None if row is None else Import(**row._mapping)


def raise_ceiling(session: Session, project_id: UUID, import_id: UUID, most: int) -> None:
    """It may spend so many tokens in all from now on."""
    session.execute(
        sa.text(
            "UPDATE imports SET options = options || jsonb_build_object('max_tokens', CAST(:most AS bigint))"
            " WHERE project_id = :p AND id = :id"
        ),
        {"p": project_id, "id": import_id, "most": most},
    )


def begin(session: Session, project_id: UUID, import_id: UUID) -> None:
    """The first of its lines is handed over."""
    session.execute(
        sa.text(
            "UPDATE imports SET started_at = coalesce(started_at, clock_timestamp()) WHERE project_id = :p AND id = :id"
        ),
        {"p": project_id, "id": import_id},
    )


def stop(session: Session, project_id: UUID, import_id: UUID, reason: str) -> None:
    """The service's own halt: nothing more is handed over until somebody resumes it."""
    session.execute(
        sa.text("UPDATE imports SET state = 'STOPPED', reason = :why WHERE project_id = :p AND id = :id"
                " AND state = 'RUNNING'"),
        {"p": project_id, "id": import_id, "why": reason},
    )  # fmt: skip


def quiet(session: Session, project_id: UUID, import_id: UUID, seconds: float) -> bool:
    """Whether no line came in for so long."""
    found = session.execute(
        sa.text(
            "SELECT received_at < clock_timestamp() - make_interval(secs => :s) FROM imports"
            " WHERE project_id = :p AND id = :id"
        ),
        {"p": project_id, "id": import_id, "s": seconds},
    ).scalar_one()
    return bool(found)
