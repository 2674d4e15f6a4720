"""What users think of memories: one opinion a memory, gone with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Feedback:
    """The stored opinion."""

    memory_id: UUID
    feedback: str
    reason: str | None
    at: datetime


def put(session: Session, project_id: UUID, memory_id: UUID, feedback: str | None, reason: str | None) -> None:
    """Store it in the place of an earlier one; None takes the earlier one back. The memory must exist."""
    values = {"p": project_id, "id": memory_id, "feedback": feedback, "reason": reason}
    if feedback is None:
        statement = "DELETE FROM memory_feedback WHERE project_id = :p AND memory_id = :id"
    else:
        statement = """
            INSERT INTO memory_feedback (project_id, memory_id, feedback, reason) VALUES (:p, :id, :feedback, :reason)
            ON CONFLICT (project_id, memory_id) DO UPDATE
                SET feedback = excluded.feedback, reason = excluded.reason, at = clock_timestamp()
            """
    session.execute(sa.text(statement), values)


def of_memory(session: Session, project_id: UUID, memory_id: UUID) -> Feedback | None:
    """What is stored about a memory."""
    row = session.execute(
        sa.text(
            "SELECT memory_id, feedback, reason, at FROM memory_feedback WHERE project_id = :p AND memory_id = :id"
        ),
        {"p": project_id, "id": memory_id},
    ).one_or_none()
    return None if row is None else Feedback(**row._mapping)


def totals(session: Session, project_id: UUID) -> dict[str, int]:
    """How often each opinion is held."""
    rows = session.execute(
        sa.text("SELECT feedback, count(*) AS number FROM memory_feedback WHERE project_id = :p GROUP BY feedback"),
        {"p": project_id},
    )
    return {row.feedback: int(row.number) for row in rows}
