"""What an erasure does to each table: chosen by ids gathered before, counted by kind. The scope rows are locked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.db import webhook_outbox
from shared.db.idempotency import SEALED_ENDPOINT
from shared.model.scope import ID_FIELDS
from shared.model.seal import Seal

_CASCADED = {
    "versions": "memory_versions",
    "sources": "memory_sources",
    "vectors": "memory_vectors",
    "feedback": "memory_feedback",
    "hints": "scope_hints",
}


def memories(session: Session, project_id: UUID, erasure_id: UUID, ids: Sequence[UUID]) -> Counter[str]:
    """The memories with all that hangs on them; the index is told to forget their points."""
    counts: Counter[str] = Counter()
    values = {"p": project_id, "ids": list(ids)}
    for kind, table in _CASCADED.items():
        counted = sa.text(f"SELECT count(*) FROM {table} WHERE project_id = :p AND memory_id = ANY(:ids)")
        counts[kind] = session.execute(counted, values).scalar_one()
    webhook_outbox.tell_erased(session, project_id, ids)
    rows = session.execute(
        sa.text("DELETE FROM memories WHERE project_id = :p AND id = ANY(:ids) RETURNING id, scope_id, version, state"),
        values,
    ).all()
    counts["memories"] = sum(row.state not in ("deleted", "source") for row in rows)
    counts["deleted_memories"] = sum(row.state == "deleted" for row in rows)
    counts["kept_messages"] = sum(row.state == "source" for row in rows)
    gone = [(row.id, row.scope_id, row.version + 1) for row in rows]
    counts["points"] = _forget(session, project_id, erasure_id, gone)
    return counts


def _forget(session: Session, project_id: UUID, erasure_id: UUID, rows: Sequence[tuple[UUID, UUID, int]]) -> int:
    """Deletions for every collection in use, whatever was queued before; how many."""
    result = session.execute(
        sa.text(
            """
            INSERT INTO index_queue AS q (collection, memory_id, project_id, scope_id, version, op, erasure_id)
            SELECT c.name, m.memory_id, :p, m.scope_id, m.version, 'delete', :erasure
            FROM unnest(CAST(:memories AS uuid[]), CAST(:scopes AS uuid[]), CAST(:versions AS int[]))
                AS m(memory_id, scope_id, version)
            CROSS JOIN index_collections c WHERE c.state IN ('building', 'active')
            ON CONFLICT (collection, memory_id) DO UPDATE
                SET version = greatest(q.version, excluded.version), op = 'delete', attempts = 0,
                    available_at = clock_timestamp(), erasure_id = excluded.erasure_id
            """
        ),
        {
            "p": project_id, "erasure": erasure_id, "memories": [row[0] for row in rows],
            "scopes": [row[1] for row in rows], "versions": [row[2] for row in rows],
        },
    )  # fmt: skip
    return int(result.rowcount)  # type: ignore[attr-defined]


def messages(session: Session, project_id: UUID, ids: Sequence[UUID]) -> Counter[str]:
    """Raw messages; the quotes that other memories took from them go with them, and vouch for nothing any more."""
    values = {"p": project_id, "ids": list(ids)}
    quotes = session.execute(
        sa.text(
            """
            WITH gone AS (
                DELETE FROM memory_sources WHERE project_id = :p AND message_id = ANY(:ids)
                RETURNING memory_id, version
            ), lost AS (
                UPDATE memories m SET evidence_count = greatest(0, m.evidence_count - g.number)
                FROM (SELECT memory_id, version, count(*) AS number FROM gone GROUP BY memory_id, version) g
                WHERE m.project_id = :p AND m.id = g.memory_id AND m.version = g.version
            ) SELECT count(*) FROM gone
            """
        ),
        values,
    ).scalar_one()
    result = session.execute(sa.text("DELETE FROM messages WHERE project_id = :p AND id = ANY(:ids)"), values)
    return Counter(sources=int(quotes), messages=int(result.rowcount))  # type: ignore[attr-defined]


def events(session: Session, project_id: UUID, ids: Sequence[UUID], seal: Seal | None) -> Counter[str]:
    """Payloads emptied, what was derived from a body dropped; with a seal, the ids they came with replaced."""
    values = {"p": project_id, "ids": list(ids)}
    result = session.execute(
        sa.text(
            """
            UPDATE event_payloads SET results = '[]', metadata = NULL, options = '{}', origin = '{}', failed = '[]',
                rejections = '{}', timings = '{}', error_detail = NULL, erased = true
            WHERE project_id = :p AND event_id = ANY(:ids) AND NOT erased
            """
        ),
        values,
    )
    session.execute(
        sa.text("UPDATE events SET window_key = NULL, reply_to = NULL WHERE project_id = :p AND id = ANY(:ids)"), values
    )
    if seal is not None:
        _seal_ids(session, project_id, ids, seal)
    return Counter(events=int(result.rowcount))  # type: ignore[attr-defined]


def _seal_ids(session: Session, project_id: UUID, ids: Sequence[UUID], seal: Seal) -> None:
    columns = ", ".join(ID_FIELDS)
    rows = session.execute(
        sa.text(f"SELECT id, {columns} FROM events WHERE project_id = :p AND id = ANY(:ids)"),
        {"p": project_id, "ids": list(ids)},
    ).all()
    named: dict[str, list[str | None]] = {
        field: [seal.entity(project_id, field, value) if (value := getattr(row, field)) else None for row in rows]
        for field in ID_FIELDS
    }
    arrays = ", ".join(f"CAST(:{field} AS text[])" for field in ID_FIELDS)
    changes = ", ".join(f"{field} = s.{field}" for field in ID_FIELDS)
    session.execute(
        sa.text(
            f"UPDATE events e SET {changes} FROM unnest(CAST(:ids AS uuid[]), {arrays}) AS s(id, {columns})"
            " WHERE e.project_id = :p AND e.id = s.id"
        ),
        {"p": project_id, "ids": [row.id for row in rows], **named},
    )


def idempotency_keys(session: Session, project_id: UUID, ids: Sequence[UUID], seal: Seal) -> Counter[str]:
    """The keys of these events live on as keyed hashes without a fingerprint: a retry finds what was erased."""
    rows = session.execute(
        sa.text(
            "DELETE FROM idempotency_keys WHERE project_id = :p AND event_id = ANY(:ids) AND endpoint <> :sealed"
            " RETURNING endpoint, key, event_id, created_at"
        ),
        {"p": project_id, "ids": list(ids), "sealed": SEALED_ENDPOINT},
    ).all()
    if rows:
        session.execute(
            sa.text(
                "INSERT INTO idempotency_keys (project_id, endpoint, key, fingerprint, event_id, created_at)"
                " VALUES (:p, :endpoint, :key, '', :event_id, :at) ON CONFLICT DO NOTHING"
            ),
            [
                {
                    "p": project_id, "endpoint": SEALED_ENDPOINT, "event_id": row.event_id, "at": row.created_at,
                    "key": seal.request(project_id, row.endpoint, row.key),
                }
                for row in rows
            ],
        )  # fmt: skip
    return Counter(idempotency_keys=len(rows))


def exports(session: Session, project_id: UUID, names: Sequence[str]) -> Counter[str]:
    """Exports whose request names one of these, anywhere in it, and what models filled in for the others."""
    result = session.execute(
        sa.text(
            """
            DELETE FROM memory_exports x USING unnest(CAST(:names AS text[])) AS n(name)
            WHERE x.project_id = :p
              AND jsonb_path_exists(x.selection, '$.** ? (@ == $name)', jsonb_build_object('name', n.name))
            """
        ),
        {"p": project_id, "names": [name for name in names if name]},
    )
    session.execute(
        sa.text(
            "UPDATE memory_exports SET filled = NULL, filled_of = NULL WHERE project_id = :p AND filled IS NOT NULL"
        ),
        {"p": project_id},
    )
    return Counter(exports=int(result.rowcount))  # type: ignore[attr-defined]


def results_about(session: Session, project_id: UUID, scope_id: UUID, memories: Sequence[UUID]) -> Counter[str]:
    """What the answers of other events said about these memories."""
    result = session.execute(
        sa.text(
            """
            UPDATE event_payloads p SET results = (
                SELECT coalesce(jsonb_agg(r.value ORDER BY r.place), '[]')
                FROM jsonb_array_elements(p.results) WITH ORDINALITY AS r(value, place)
                WHERE NOT r.value ->> 'id' = ANY(:ids))
            FROM events e WHERE e.project_id = :p AND e.scope_id = :s
              AND p.project_id = e.project_id AND p.event_id = e.id
              AND EXISTS (SELECT 1 FROM jsonb_array_elements(p.results) AS r(value) WHERE r.value ->> 'id' = ANY(:ids))
            """
        ),
        {"p": project_id, "s": scope_id, "ids": [str(memory_id) for memory_id in memories]},
    )
    return Counter(results=int(result.rowcount))  # type: ignore[attr-defined]


def empty_scopes(session: Session, project_id: UUID, scopes: Sequence[UUID], match: str, given: dict[str, str]) -> int:
    """Scope rows of these ids that nothing is left in: with them goes the last place that holds the ids."""
    result = session.execute(
        sa.text(
            f"""
            DELETE FROM scopes s WHERE s.project_id = :p AND s.id = ANY(:scopes){match}
              AND NOT EXISTS (SELECT 1 FROM memories m WHERE m.project_id = :p AND m.scope_id = s.id)
              AND NOT EXISTS (SELECT 1 FROM messages g WHERE g.project_id = :p AND g.scope_id = s.id)
            """
        ),
        {"p": project_id, "scopes": list(scopes), **given},
    )
    return int(result.rowcount)  # type: ignore[attr-defined]
