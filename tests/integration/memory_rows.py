"""Memories put into a database without a pipeline: by the same writing functions that commit uses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np

from shared.db import index_queue, memory_writes
from shared.db.accept import accept
from shared.db.engine import Database, Session
from shared.db.index_queue import Change
from shared.model.ids import uuid7
from shared.model.memory import Memory, Source, VersionRow
from shared.model.scope import ScopeIds, ScopeRef
from shared.model.text import text_hash
from tests.factories import change, column, new_event, rows

MODEL = "model-1"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def stored(
    db: Database,
    project_id: UUID,
    text: str,
    *,
    user: str = "alex",
    vector: Sequence[float] | None = None,
    ids: ScopeIds | None = None,
    **changes: Any,
) -> Memory:
    """A current memory with version 1, one source message, on request a vector; nothing is queued for the index."""
    return db.run(lambda session: _store(session, project_id, text, ids or ScopeIds(user_id=user), vector, changes))


def stored_many(db: Database, project_id: UUID, texts: Sequence[str]) -> None:
    """The same for many texts of one user, in one transaction."""
    ids = ScopeIds(user_id="alex")
    db.run(lambda session: [_store(session, project_id, text, ids, None, {}) for text in texts])


def _store(
    session: Session,
    project_id: UUID,
    text: str,
    ids: ScopeIds,
    vector: Sequence[float] | None,
    changes: dict[str, Any],
) -> Memory:
    accepted = accept(session, new_event(project_id, text, ids=ids))
    assert accepted.scope_id is not None
    values: dict[str, Any] = {
        "project_id": project_id, "id": uuid7(), "scope_id": accepted.scope_id, "ids": ids, "text": text,
        "index_text": text, "hash": text_hash(text), "kind": "profile", "observed_at": NOON, "valid_from": NOON,
        "created_at": NOON, "updated_at": NOON,
    }  # fmt: skip
    memory = Memory(**(values | changes))
    memory_writes.insert(session, [memory])
    version = VersionRow(memory.id, 1, "ADD", None, text, memory.hash, accepted.event_id, 1, memory.valid_from)
    memory_writes.log(session, ScopeRef(project_id, accepted.scope_id), [version])
    message_id = _message_of(session, accepted.event_id)
    memory_writes.cite(session, project_id, [(memory.id, 1, Source(message_id, 0, len(text), text))])
    if vector is not None:
        change_ = Change(project_id, memory.scope_id, memory.id, 1, "upsert")
        index_queue.keep_vectors(session, MODEL, [(change_, np.array(vector, dtype=np.float32))])
    return memory


def _message_of(session: Session, event_id: UUID) -> UUID:
    import sqlalchemy as sa

    found: UUID = session.execute(
        sa.text("SELECT id FROM messages WHERE event_id = :e ORDER BY idx LIMIT 1"), {"e": event_id}
    ).scalar_one()
    return found


def settle_events(db: Database) -> None:
    """Everything accepted so far counts as worked on."""
    change(db, "UPDATE messages SET applied_by = event_id WHERE applied_by IS NULL")
    change(db, "UPDATE events SET status = 'SUCCEEDED', pending = 0, completed_at = clock_timestamp()")
    change(db, "UPDATE scopes SET pending_live = 0, pending_bulk = 0, pending_bytes = 0")


def vector_of(db: Database, memory: Memory) -> tuple[int, list[float]] | None:
    """(version, vector) kept for a memory."""
    found = rows(db, "SELECT version, vector FROM memory_vectors WHERE memory_id = %s", memory.id)
    if not found:
        return None
    return found[0]["version"], np.frombuffer(found[0]["vector"], dtype=np.float32).tolist()


def texts(db: Database, state: str = "current") -> set[str]:
    """The texts of all memories in a state."""
    return set(column(db, "SELECT text FROM memories WHERE state = %s", state))
