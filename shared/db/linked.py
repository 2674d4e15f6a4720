"""Memories that were closed in favour of another one, and those before them."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session


def replaced_by(session: Session, project_id: UUID, memory_id: UUID) -> list[UUID]:
    """The memories this one replaced, directly or through others, that are not deleted yet."""
    rows = session.execute(
        sa.text(
            """
            WITH RECURSIVE chain(id) AS (
                SELECT m.id FROM memories m WHERE m.project_id = :p AND m.replaced_by = :id
                UNION SELECT m.id FROM memories m JOIN chain c ON m.replaced_by = c.id WHERE m.project_id = :p
            )
            SELECT c.id FROM chain c JOIN memories m ON m.project_id = :p AND m.id = c.id
            WHERE m.state <> 'deleted' AND m.id <> :id ORDER BY c.id
            """
        ),
        {"p": project_id, "id": memory_id},
    )
    return list(rows.scalars())
