"""Messages kept beside the statements made of them, so that a search may look through both.

They are rows of `memories` in the state `source`: every read of current memories passes them by, while the index
queue, `verify`, `rebuild` and erasure treat them like any other row. They have no history; the scope row is locked.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.db import index_queue, memory_writes
from shared.db.index_queue import Change
from shared.model.memory import Memory, Source
from shared.model.scope import ScopeRef


def keep(session: Session, scope: ScopeRef, rows: Sequence[tuple[Memory, UUID]]) -> list[UUID]:
    """Store rows with the message each stands for; the ids that are new. Words said again cite one row twice."""
    known = _by_hash(session, scope, [memory.hash for memory, _ in rows])
    fresh: dict[bytes, Memory] = {}
    cited: list[tuple[UUID, int, Source]] = []
    for memory, message_id in rows:
        stored = known.get(memory.hash)
        if stored is None:
            stored = fresh.setdefault(memory.hash, memory).id
        cited.append((stored, 1, Source(message_id, 0, len(memory.text), "")))
    memory_writes.insert(session, fresh.values())
    memory_writes.cite(session, scope.project_id, cited)
    changes = [Change(scope.project_id, scope.scope_id, memory.id, 1, "upsert") for memory in fresh.values()]
    index_queue.put(session, changes)
    return [memory.id for memory in fresh.values()]


def _by_hash(session: Session, scope: ScopeRef, hashes: Sequence[bytes]) -> dict[bytes, UUID]:
    if not hashes:
        return {}
    rows = session.execute(
        sa.text(
            "SELECT hash, id FROM memories WHERE project_id = :p AND scope_id = :s AND state = 'source'"
            " AND hash = ANY(:hashes)"
        ),
        {"p": scope.project_id, "s": scope.scope_id, "hashes": list(hashes)},
    )
    return {bytes(row.hash): row.id for row in rows}


def hide_behind(session: Session, scope: ScopeRef, memories: Sequence[UUID]) -> list[UUID]:
    """Take the messages behind any version of these memories out of every search; the ids of the rows hidden.

    What a user deletes or takes back must not come back in the words it was said in.
    """
    if not memories:
        return []
    rows = session.execute(
        sa.text(
            """
            UPDATE memories m SET state = 'deleted', version = m.version + 1, updated_at = clock_timestamp()
            WHERE m.project_id = :p AND m.scope_id = :s AND m.state = 'source' AND m.id IN (
                SELECT kept.memory_id FROM memory_sources gone
                JOIN memory_sources kept ON kept.project_id = gone.project_id AND kept.message_id = gone.message_id
                WHERE gone.project_id = :p AND gone.memory_id = ANY(:ids)
            ) RETURNING m.id, m.version
            """
        ),
        {"p": scope.project_id, "s": scope.scope_id, "ids": list(memories)},
    ).all()
    changes = [Change(scope.project_id, scope.scope_id, row.id, row.version, "delete") for row in rows]
    index_queue.put(session, changes)
    return [row.id for row in rows]


def behind(session: Session, project_id: UUID, memories: Sequence[UUID]) -> dict[UUID, frozenset[UUID]]:
    """The messages that the present version of each of these memories rests on."""
    rows = session.execute(
        sa.text(
            """
            SELECT s.memory_id, array_agg(s.message_id) AS messages FROM memory_sources s
            JOIN memories m ON m.project_id = s.project_id AND m.id = s.memory_id AND m.version = s.version
            WHERE s.project_id = :p AND s.memory_id = ANY(:ids) GROUP BY s.memory_id
            """
        ),
        {"p": project_id, "ids": list(memories)},
    )
    return {row.memory_id: frozenset(row.messages) for row in rows}
