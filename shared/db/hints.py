"""Near neighbours an extractor was not shown: they join the candidates of the scope's next window."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.model.scope import ScopeRef


def add(session: Session, scope: ScopeRef, memories: Sequence[UUID]) -> None:
    """Remember memories for the next window of a scope."""
    session.execute(
        sa.text(
            "INSERT INTO scope_hints (project_id, scope_id, memory_id)"
            " SELECT :p, :s, m.id FROM memories m WHERE m.project_id = :p AND m.id = ANY(:ids) ON CONFLICT DO NOTHING"
        ),
        {"p": scope.project_id, "s": scope.scope_id, "ids": list(memories)},
    )


def pending(session: Session, scope: ScopeRef) -> list[UUID]:
    """What the next window must be shown."""
    rows = session.execute(
        sa.text("SELECT memory_id FROM scope_hints WHERE project_id = :p AND scope_id = :s ORDER BY at"),
        {"p": scope.project_id, "s": scope.scope_id},
    )
    return [row.memory_id for row in rows]


def clear(session: Session, scope: ScopeRef, memories: Sequence[UUID]) -> None:
    """These were shown."""
    session.execute(
        sa.text("DELETE FROM scope_hints WHERE project_id = :p AND scope_id = :s AND memory_id = ANY(:ids)"),
        {"p": scope.project_id, "s": scope.scope_id, "ids": list(memories)},
    )
