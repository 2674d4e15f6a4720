"""Hashes of texts erased one by one, kept only while a message accepted before still waits and could say them again."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.model.scope import ScopeRef

_WAITING = """
    SELECT 1 FROM messages g WHERE g.project_id = {0}.project_id AND g.scope_id = {0}.scope_id AND g.seq < {0}.seq
      AND g.applied_by IS NULL AND g.failed_code IS NULL
"""

_REMEMBER = sa.text(
    f"""
    INSERT INTO erased_texts AS t (project_id, scope_id, hash, seq)
    SELECT DISTINCT v.project_id, v.scope_id, v.hash, v.seq FROM (
        SELECT w.project_id, w.scope_id, w.hash, s.next_seq - 1 AS seq FROM memory_versions w
        JOIN scopes s ON s.project_id = w.project_id AND s.id = w.scope_id
        WHERE w.project_id = :p AND w.scope_id = :s AND w.memory_id = ANY(:ids)
    ) v WHERE EXISTS ({_WAITING.format("v")})
    ON CONFLICT (project_id, scope_id, hash) DO UPDATE SET seq = greatest(t.seq, excluded.seq)
    """
)

_PRUNE = sa.text(
    f"""
    DELETE FROM erased_texts t WHERE t.project_id = :p AND t.scope_id = :s AND NOT EXISTS ({_WAITING.format("t")})
    """
)


def remember(session: Session, scope: ScopeRef, memories: Sequence[UUID]) -> None:
    """Before these memories go: what they ever said must not come back from what was accepted before this."""
    session.execute(_REMEMBER, {"p": scope.project_id, "s": scope.scope_id, "ids": list(memories)})


def prune(session: Session, scope: ScopeRef) -> int:
    """Forget those that no waiting message of the scope can say any more; how many."""
    result = session.execute(_PRUNE, {"p": scope.project_id, "s": scope.scope_id})
    return int(result.rowcount)  # type: ignore[attr-defined]
