"""Counters of a project, read when somebody asks."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session


def counters(session: Session, project_id: UUID) -> dict[str, int]:
    """Memories that are served, events by what became of them, messages kept."""
    row = session.execute(
        sa.text(
            """
            SELECT (SELECT count(*) FROM memories WHERE project_id = :p AND state = 'current') AS total_memories,
                   (SELECT count(*) FROM messages WHERE project_id = :p) AS total_messages,
                   count(*) AS total_events,
                   count(*) FILTER (WHERE status IN ('PENDING', 'RUNNING')) AS open_events,
                   count(*) FILTER (WHERE status = 'FAILED') AS failed_events
            FROM events WHERE project_id = :p
            """
        ),
        {"p": project_id},
    ).one()
    return {name: int(value) for name, value in row._mapping.items()}
