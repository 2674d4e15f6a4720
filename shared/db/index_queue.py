"""What must still be written to or deleted from the vector index; rows leave only when the index confirmed them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from shared.model.scope import ID_FIELDS, ScopeIds, ScopeRef


@dataclass(frozen=True, slots=True)
class Change:
    """A memory version that the index must reach."""

    project_id: UUID
    scope_id: UUID
    memory_id: UUID
    version: int
    op: Literal["upsert", "delete"]


@dataclass(frozen=True, slots=True)
class Due:
    """A queue row taken for work, with the memory as it stands; `text` is None when the memory is gone or hidden."""

    collection: str
    change: Change
    dimensions: int | None
    model: str
    ids: ScopeIds
    kind: str
    categories: tuple[str, ...]
    created_at: datetime | None
    expires_on: date | None
    text: str | None
    index_text: str
    vector: NDArray[np.float32] | None
    attempts: int = 1  # proves that nobody took or changed the row since


# A row that replaces one somebody took counts from 1000: an upsert of the old one may be under way, in a slow worker or
# in a request that was given up, and the index takes it as new once the point is gone. A deletion is done twice then.
_PUT = sa.text(
    """
    INSERT INTO index_queue AS q (collection, memory_id, project_id, scope_id, version, op)
    SELECT c.name, m.memory_id, m.project_id, m.scope_id, m.version, m.op
    FROM unnest(CAST(:memories AS uuid[]), CAST(:projects AS uuid[]), CAST(:scopes AS uuid[]),
                CAST(:versions AS int[]), CAST(:ops AS text[])) AS m(memory_id, project_id, scope_id, version, op)
    CROSS JOIN index_collections c WHERE c.state IN ('building', 'active')
    ON CONFLICT (collection, memory_id) DO UPDATE
        SET version = excluded.version, op = excluded.op, available_at = clock_timestamp(),
            attempts = CASE WHEN q.attempts > 0 THEN 1000 ELSE 0 END
        WHERE excluded.version >= q.version
    """
)


def put(session: Session, changes: Sequence[Change]) -> None:
    """Queue changes for every collection in use; a newer version replaces an older row."""
    latest = {(change.memory_id): change for change in changes}
    if not latest:
        return
    rows = list(latest.values())
    session.execute(
        _PUT,
        {
            "memories": [row.memory_id for row in rows],
            "projects": [row.project_id for row in rows],
            "scopes": [row.scope_id for row in rows],
            "versions": [row.version for row in rows],
            "ops": [row.op for row in rows],
        },
    )


# Taking a row is a short lease: `available_at` moves on, so a dead worker's rows come back by themselves. A row changed
# between this statement's snapshot and its lock is ahead of the memory seen here: it is left for the next look.
_TAKE = """
    WITH taken AS (
        SELECT q.collection, q.memory_id FROM index_queue q WHERE {where}
        ORDER BY q.available_at LIMIT :limit FOR UPDATE SKIP LOCKED
    ), moved AS (
        UPDATE index_queue q SET attempts = q.attempts + 1,
            available_at = clock_timestamp()
                + make_interval(secs => least(60, :hold * power(2, least(q.attempts % 1000, 6))))
        FROM taken x WHERE q.collection = x.collection AND q.memory_id = x.memory_id RETURNING q.*
    )
    SELECT m.collection, m.memory_id, m.project_id, m.scope_id, m.version, m.op, c.dimensions, c.model,
           r.user_id, r.agent_id, r.app_id, r.run_id, r.kind, r.categories, r.created_at, r.expires_on,
           CASE WHEN r.state IN ('current', 'source') AND r.version = m.version THEN r.text END AS text, r.index_text,
           v.vector, m.attempts
    FROM moved m JOIN index_collections c ON c.name = m.collection
    LEFT JOIN memories r ON r.project_id = m.project_id AND r.id = m.memory_id
    LEFT JOIN memory_vectors v ON v.project_id = m.project_id AND v.memory_id = m.memory_id
        AND v.model = c.model AND v.version = m.version
    WHERE r.id IS NULL OR r.version >= m.version OR m.op = 'delete'
    ORDER BY m.collection
"""
_DUE = "q.available_at <= clock_timestamp()"
_TAKE_STATEMENTS = {
    (named, chosen): sa.text(
        _TAKE.format(
            where=" AND ".join(
                [
                    _DUE,
                    *(["q.collection = ANY(:collections)"] if named else []),
                    *(["q.memory_id = ANY(:memories)"] if chosen else []),
                ]
            )
        )
    )
    for named in (False, True)
    for chosen in (False, True)
}


def take(
    session: Session,
    *,
    limit: int,
    hold: float = 10,
    collections: Sequence[str] | None = None,
    memories: Sequence[UUID] | None = None,
) -> list[Due]:
    """Take due rows (of these collections and memories only, if given) for `hold` seconds.

    A row that is not done comes back after that.
    """
    values: dict[str, object] = {"limit": limit, "hold": hold}
    if collections is not None:
        values["collections"] = list(collections)
    if memories is not None:
        values["memories"] = list(memories)
    statement = _TAKE_STATEMENTS[collections is not None, memories is not None]
    return [_due(row) for row in session.execute(statement, values).all()]


def _due(row: sa.Row[tuple[object, ...]]) -> Due:
    values = row._mapping
    change = Change(values["project_id"], values["scope_id"], values["memory_id"], values["version"], values["op"])
    vector = values["vector"]
    return Due(
        collection=values["collection"], change=change, dimensions=values["dimensions"], model=values["model"],
        ids=ScopeIds(**{name: values[name] for name in ID_FIELDS}), kind=values["kind"] or "",
        categories=tuple(values["categories"] or ()), created_at=values["created_at"],
        expires_on=values["expires_on"], text=values["text"], index_text=values["index_text"] or "",
        vector=None if vector is None else np.frombuffer(vector, dtype=np.float32), attempts=values["attempts"],
    )  # fmt: skip


# A row leaves when it is as it was taken. The first of two deletions stays and comes back. An upsert whose row is not
# there any more was overtaken: when the memory was hidden meanwhile, the point just written may have come after its own
# deletion, so the deletion is queued once more, or done once more by whoever is at it.
_DONE = sa.text(
    """
    WITH d AS (
        SELECT * FROM unnest(CAST(:collections AS text[]), CAST(:memories AS uuid[]), CAST(:projects AS uuid[]),
            CAST(:scopes AS uuid[]), CAST(:versions AS int[]), CAST(:ops AS text[]), CAST(:attempts AS int[]))
            AS d(collection, memory_id, project_id, scope_id, version, op, attempts)
    ), dropped AS (
        DELETE FROM index_queue q USING d
        WHERE q.collection = d.collection AND q.memory_id = d.memory_id AND q.version = d.version
          AND q.attempts = d.attempts AND (q.attempts < 1000 OR q.op = 'upsert')
        RETURNING q.collection, q.memory_id
    ), again AS (
        UPDATE index_queue q SET attempts = 0, available_at = clock_timestamp() + make_interval(secs => :again) FROM d
        WHERE q.collection = d.collection AND q.memory_id = d.memory_id AND q.version = d.version
          AND q.attempts = d.attempts AND q.attempts >= 1000 AND q.op = 'delete'
    )
    INSERT INTO index_queue (collection, memory_id, project_id, scope_id, version, op)
    SELECT d.collection, d.memory_id, d.project_id, d.scope_id, coalesce(m.version, d.version), 'delete'
    FROM d LEFT JOIN memories m ON m.project_id = d.project_id AND m.id = d.memory_id
    WHERE d.op = 'upsert' AND coalesce(m.state, '') NOT IN ('current', 'source')
      AND (d.collection, d.memory_id) NOT IN (SELECT collection, memory_id FROM dropped)
      AND d.collection IN (SELECT name FROM index_collections WHERE state IN ('building', 'active'))
    ON CONFLICT (collection, memory_id) DO UPDATE SET attempts = 1000, available_at = clock_timestamp()
        WHERE index_queue.op = 'delete'
    """
)
_AGAIN = 10.0  # seconds until the second of two deletions: longer than any request to the index is waited for


def done(session: Session, rows: Sequence[Due]) -> None:
    """The index confirmed these versions: drop their rows unless a newer version was queued meanwhile."""
    session.execute(
        _DONE,
        {
            "collections": [row.collection for row in rows],
            "memories": [row.change.memory_id for row in rows],
            "projects": [row.change.project_id for row in rows],
            "scopes": [row.change.scope_id for row in rows],
            "versions": [row.change.version for row in rows],
            "ops": [row.change.op for row in rows],
            "attempts": [row.attempts for row in rows],
            "again": _AGAIN,
        },
    )


def postpone(session: Session, rows: Sequence[Due], seconds: float) -> None:
    """The index or the embeddings are away: these rows wait `seconds`, and longer each time only up to a point.

    They stay marked as taken: what was given up may still reach the index.
    """
    session.execute(
        sa.text(
            """
            UPDATE index_queue q SET attempts = greatest(1, attempts - 1),
                available_at = clock_timestamp() + make_interval(secs => :seconds)
            FROM unnest(CAST(:collections AS text[]), CAST(:memories AS uuid[])) AS d(collection, memory_id)
            WHERE q.collection = d.collection AND q.memory_id = d.memory_id
            """
        ),
        {
            "seconds": seconds,
            "collections": [row.collection for row in rows],
            "memories": [row.change.memory_id for row in rows],
        },
    )


def keep_vectors(session: Session, model: str, rows: Sequence[tuple[Change, NDArray[np.float32]]]) -> None:
    """Remember embeddings (one per memory and model, newest version), so that a rebuild never pays again."""
    if not rows:
        return
    session.execute(
        sa.text(
            """
            INSERT INTO memory_vectors AS v (project_id, memory_id, model, version, vector)
            SELECT d.project_id, d.memory_id, :model, d.version, d.vector
            FROM unnest(CAST(:projects AS uuid[]), CAST(:memories AS uuid[]), CAST(:versions AS int[]),
                        CAST(:vectors AS bytea[])) AS d(project_id, memory_id, version, vector)
            JOIN memories m ON m.project_id = d.project_id AND m.id = d.memory_id
            ON CONFLICT (project_id, memory_id, model) DO UPDATE
                SET version = excluded.version, vector = excluded.vector WHERE excluded.version >= v.version
            """
        ),
        {
            "model": model,
            "projects": [change.project_id for change, _ in rows],
            "memories": [change.memory_id for change, _ in rows],
            "versions": [change.version for change, _ in rows],
            "vectors": [np.ascontiguousarray(vector, dtype=np.float32).tobytes() for _, vector in rows],
        },
    )


def unindexed(session: Session, scope: ScopeRef, limit: int) -> list[UUID]:
    """Current memories of a scope whose newest version the index may not have yet, newest first."""
    rows = session.execute(
        sa.text(
            """
            SELECT q.memory_id FROM index_queue q
            JOIN memories m ON m.project_id = q.project_id AND m.id = q.memory_id
            WHERE q.project_id = :p AND q.scope_id = :s AND q.op = 'upsert' AND m.state = 'current'
            GROUP BY q.memory_id ORDER BY max(q.queued_at) DESC LIMIT :limit
            """
        ),
        {"p": scope.project_id, "s": scope.scope_id, "limit": limit},
    )
    return [row.memory_id for row in rows]


def reached(session: Session, scope: ScopeRef, memories: Sequence[UUID]) -> bool:
    """Whether the index has confirmed the newest version of all of these memories of a scope."""
    row = session.execute(
        sa.text("SELECT 1 FROM index_queue WHERE project_id = :p AND scope_id = :s AND memory_id = ANY(:ids) LIMIT 1"),
        {"p": scope.project_id, "s": scope.scope_id, "ids": list(memories)},
    ).one_or_none()
    return row is None


def backlog(session: Session) -> int:
    """Rows waiting, for metrics and readiness."""
    return int(session.execute(sa.text("SELECT count(*) FROM index_queue")).scalar_one())
