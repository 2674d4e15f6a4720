"""Deliveries as their project sees them: listed, and sent once more on request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

STATES = ("pending", "delivered", "failed")


@dataclass(frozen=True, slots=True)
class Delivery:
    """`due_at`: the next attempt of a pending one. `in_work`: a worker is sending it. `last_*`: of the last attempt."""

    id: UUID
    webhook_id: UUID
    event_type: str
    memory_id: UUID
    state: str
    attempts: int
    due_at: datetime
    in_work: bool
    last_status: int | None
    last_error: str | None
    created_at: datetime
    ended_at: datetime | None


_COLUMNS = (
    "id, webhook_id, event_type, memory_id, state, attempts, due_at, claim IS NOT NULL AS in_work, last_status,"
    " last_error, created_at, ended_at"
)
_OF_WEBHOOK = "project_id = :p AND webhook_id = :w AND (CAST(:state AS text) IS NULL OR state = :state)"


def page(
    session: Session, project_id: UUID, webhook_id: UUID, *, state: str | None, limit: int, offset: int
) -> tuple[int, Sequence[Delivery]]:
    """How many there are, and a page of them, newest first."""
    values = {"p": project_id, "w": webhook_id, "state": state, "limit": limit, "offset": offset}
    count = session.execute(sa.text(f"SELECT count(*) FROM webhook_deliveries WHERE {_OF_WEBHOOK}"), values)
    rows = session.execute(
        sa.text(
            f"SELECT {_COLUMNS} FROM webhook_deliveries WHERE {_OF_WEBHOOK}"
            " ORDER BY position DESC LIMIT :limit OFFSET :offset"
        ),
        values,
    )
    return int(count.scalar_one()), [Delivery(**row._mapping) for row in rows]


def replay(session: Session, project_id: UUID, webhook_id: UUID, delivery_id: UUID) -> Delivery | None:
    """Due at once, with all its attempts before it; None when there is no such delivery. The webhook's rest ends."""
    row = session.execute(
        sa.text(
            f"""
            UPDATE webhook_deliveries SET state = 'pending', attempts = 0, claim = NULL, due_at = clock_timestamp(),
                ended_at = NULL WHERE project_id = :p AND webhook_id = :w AND id = :id RETURNING {_COLUMNS}
            """
        ),
        {"p": project_id, "w": webhook_id, "id": delivery_id},
    ).one_or_none()
    if row is None:
        return None
    session.execute(
        sa.text("UPDATE webhooks SET rest_until = NULL WHERE project_id = :p AND id = :w"),
        {"p": project_id, "w": webhook_id},
    )
    return Delivery(**row._mapping)
