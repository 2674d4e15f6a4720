"""What `verify` and `rebuild` read of Postgres: versions that should be in the index and rows on their way there."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session


def current(session: Session, after: UUID | None, limit: int) -> list[tuple[UUID, int]]:
    """(id, version) of current memories and kept messages of all projects in id order, behind `after`."""
    rows = session.execute(
        sa.text(
            "SELECT id, version FROM memories WHERE state IN ('current', 'source')"
            " AND (CAST(:after AS uuid) IS NULL OR id > CAST(:after AS uuid)) ORDER BY id LIMIT :limit"
        ),
        {"after": after, "limit": limit},
    )
    return [(row.id, row.version) for row in rows]


def versions(session: Session, ids: Sequence[UUID]) -> dict[UUID, int]:
    """Versions of those of these memories that are current."""
    rows = session.execute(
        sa.text("SELECT id, version FROM memories WHERE state IN ('current', 'source') AND id = ANY(:ids)"),
        {"ids": list(ids)},
    )
    return {row.id: row.version for row in rows}


def waiting(session: Session, collection: str) -> list[UUID]:
    """Memories with a change on its way into a collection."""
    rows = session.execute(sa.text("SELECT memory_id FROM index_queue WHERE collection = :c"), {"c": collection})
    return [row.memory_id for row in rows]


def requeue(session: Session, collection: str, ids: Sequence[UUID]) -> None:
    """Queue these current memories for a collection once more."""
    session.execute(
        sa.text(
            """
            INSERT INTO index_queue (collection, memory_id, project_id, scope_id, version, op)
            SELECT :c, id, project_id, scope_id, version, 'upsert' FROM memories
            WHERE state IN ('current', 'source') AND id = ANY(:ids) ON CONFLICT (collection, memory_id) DO NOTHING
            """
        ),
        {"c": collection, "ids": list(ids)},
    )
