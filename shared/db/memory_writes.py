"""Writing memories: every function expects the scope row to be locked by this transaction."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.db import tables as t
from shared.db import webhook_outbox
from shared.model.memory import Memory, Source, VersionRow
from shared.model.scope import ID_FIELDS, ScopeRef


def _row(memory: Memory) -> dict[str, Any]:
    row = {field.name: getattr(memory, field.name) for field in dataclasses.fields(memory) if field.name != "ids"}
    row |= {name: getattr(memory.ids, name) for name in ID_FIELDS}
    row["categories"] = list(memory.categories)
    return row


def insert(session: Session, memories: Iterable[Memory]) -> None:
    """New rows; one statement."""
    rows = [_row(memory) for memory in memories]
    if rows:
        session.execute(sa.insert(t.memories), rows)


def insert_unless_current(session: Session, memory: Memory) -> UUID:
    """Insert, or the id of the current memory of the scope that already has this hash."""
    twin = session.execute(
        sa.select(t.memories.c.id).where(
            t.memories.c.project_id == memory.project_id,
            t.memories.c.scope_id == memory.scope_id,
            t.memories.c.hash == memory.hash,
            t.memories.c.state == "current",
        )
    ).scalar_one_or_none()
    if twin is not None:
        found: UUID = twin
        return found
    insert(session, [memory])
    return memory.id


_CHANGEABLE = (
    "text", "index_text", "hash", "kind", "about", "role", "speaker", "weight", "metadata", "categories", "happens_at",
    "happens_until", "precision", "valid_from", "valid_to", "observed_at", "expires_on", "immutable", "version",
    "state", "replaced_by", "extractor", "evidence_count", "deleted_seq", "created_at", "updated_at",
)  # fmt: skip


def update(session: Session, memories: Iterable[Memory]) -> None:
    """Write back changed rows; closed ones first, so that a text may move from one memory to another."""
    rows = sorted(memories, key=lambda memory: memory.state == "current")
    if not rows:
        return
    table = t.memories
    statement = (
        sa.update(table)
        .where(table.c.project_id == sa.bindparam("b_project"), table.c.id == sa.bindparam("b_id"))
        .values({name: sa.bindparam(f"v_{name}", type_=table.c[name].type) for name in _CHANGEABLE})
    )
    connection = session.connection()
    if len(rows) > 1:
        # Texts may travel between these rows in any order: no hash may stand in another's way meanwhile.
        connection.execute(
            sa.text(
                "UPDATE memories SET hash = decode(replace(id::text, '-', ''), 'hex')"
                " WHERE project_id = :p AND id = ANY(:ids)"
            ),
            {"p": rows[0].project_id, "ids": [memory.id for memory in rows]},
        )
    connection.execute(
        statement,
        [
            {"b_project": memory.project_id, "b_id": memory.id, **{f"v_{n}": _row(memory)[n] for n in _CHANGEABLE}}
            for memory in rows
        ],
    )


_LOG = sa.text(
    f"""
    INSERT INTO memory_versions (project_id, scope_id, memory_id, version, event_id, seq, op, old_text, new_text,
        hash, valid_from, valid_to, before)
    SELECT :p, :s, r.memory_id, r.version, r.event_id, r.seq, r.op, r.old_text, r.new_text, r.hash, r.valid_from,
        r.valid_to, CAST(r.before AS jsonb)
    FROM unnest(CAST(:memories AS uuid[]), CAST(:versions AS int[]), CAST(:events AS uuid[]), CAST(:seqs AS bigint[]),
        CAST(:ops AS text[]), CAST(:olds AS text[]), CAST(:news AS text[]), CAST(:hashes AS bytea[]),
        CAST(:froms AS timestamptz[]), CAST(:tos AS timestamptz[]), CAST(:befores AS text[])) WITH ORDINALITY
        AS r(memory_id, version, event_id, seq, op, old_text, new_text, hash, valid_from, valid_to, before, nth)
    ORDER BY r.nth
    RETURNING {webhook_outbox.HEARD}
    """
)


def log(session: Session, scope: ScopeRef, rows: Sequence[VersionRow]) -> None:
    """Append to the history, tell the project's webhooks, and close the validity of the version before.

    The memories' own rows must have been written.
    """
    if not rows:
        return
    heard = session.execute(
        _LOG,
        {
            "p": scope.project_id, "s": scope.scope_id, "memories": [row.memory_id for row in rows],
            "versions": [row.version for row in rows], "events": [row.event_id for row in rows],
            "seqs": [row.seq for row in rows], "ops": [row.op for row in rows],
            "olds": [row.old_text for row in rows], "news": [row.new_text for row in rows],
            "hashes": [row.hash for row in rows], "froms": [row.valid_from for row in rows],
            "tos": [row.valid_to for row in rows],
            "befores": [None if row.before is None else orjson.dumps(row.before).decode() for row in rows],
        },
    ).scalars()  # fmt: skip
    if any(heard.all()):
        webhook_outbox.tell(session, scope.project_id, rows)
    _end_earlier(session, scope.project_id, {row.memory_id for row in rows if row.version > 1})


def _end_earlier(session: Session, project_id: UUID, ids: AbstractSet[UUID]) -> None:
    """Versions hold until the next one that states something else or ends the memory; a refinement ends nothing."""
    if not ids:
        return
    session.execute(
        sa.text(
            """
            UPDATE memory_versions v SET valid_to = e.ended
            FROM (
                SELECT o.memory_id, o.version, (
                    SELECT n.valid_from FROM memory_versions n
                    WHERE n.project_id = o.project_id AND n.memory_id = o.memory_id AND n.version > o.version
                      AND (n.op IN ('SUPERSEDE', 'PATCH') OR (n.new_text IS NULL AND n.op <> 'DELETE'))
                    ORDER BY n.version LIMIT 1
                ) AS ended
                FROM memory_versions o
                WHERE o.project_id = :p AND o.memory_id = ANY(:ids) AND o.valid_to IS NULL
            ) e
            WHERE v.project_id = :p AND v.memory_id = e.memory_id AND v.version = e.version AND e.ended IS NOT NULL
            """
        ),
        {"p": project_id, "ids": list(ids)},
    )


def cite(session: Session, project_id: UUID, rows: Sequence[tuple[UUID, int, Source]]) -> None:
    """Attach messages to memory versions; a message counts once for each version."""
    if not rows:
        return
    session.execute(
        sa.text(
            """
            INSERT INTO memory_sources (project_id, memory_id, version, message_id, start, "end", quote)
            SELECT :p, s.* FROM unnest(CAST(:memories AS uuid[]), CAST(:versions AS int[]), CAST(:messages AS uuid[]),
                CAST(:starts AS int[]), CAST(:ends AS int[]), CAST(:quotes AS text[])) AS s
            ON CONFLICT DO NOTHING
            """
        ),
        {
            "p": project_id,
            "memories": [memory for memory, _, _ in rows],
            "versions": [version for _, version, _ in rows],
            "messages": [source.message_id for _, _, source in rows],
            "starts": [source.start for _, _, source in rows],
            "ends": [source.end for _, _, source in rows],
            "quotes": [source.quote for _, _, source in rows],
        },
    )


def carry_sources(session: Session, project_id: UUID, rows: Sequence[tuple[UUID, int, int]]) -> None:
    """A changed version keeps the sources of the version it grew out of: (memory, from version, to version)."""
    if not rows:
        return
    session.execute(
        sa.text(
            """
            INSERT INTO memory_sources (project_id, memory_id, version, message_id, start, "end", quote)
            SELECT s.project_id, s.memory_id, c.to_version, s.message_id, s.start, s."end", s.quote
            FROM memory_sources s JOIN unnest(CAST(:ids AS uuid[]), CAST(:befores AS int[]), CAST(:afters AS int[]))
                AS c(memory_id, from_version, to_version) ON c.memory_id = s.memory_id AND c.from_version = s.version
            WHERE s.project_id = :p
            ON CONFLICT DO NOTHING
            """
        ),
        {
            "p": project_id,
            "ids": [memory for memory, _, _ in rows],
            "befores": [before for _, before, _ in rows],
            "afters": [after for _, _, after in rows],
        },
    )
