"""Reading memories: by id, by hash, newest first, and for re-checking what the index found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.model.memory import Memory
from shared.model.scope import ID_FIELDS, ScopeIds, ScopeRef

COLUMNS = """
    m.project_id, m.id, m.scope_id, m.user_id, m.agent_id, m.app_id, m.run_id, m.text, m.index_text, m.hash, m.kind,
    m.about, m.role, m.speaker, m.weight, m.metadata, m.categories, m.happens_at, m.happens_until, m.precision,
    m.valid_from, m.valid_to, m.observed_at, m.expires_on, m.immutable, m.version, m.state, m.replaced_by,
    m.extractor, m.evidence_count, m.deleted_seq, m.created_at, m.updated_at
"""

# What lists and searches serve: current, not expired by its own date (UTC, inclusive).
_UNEXPIRED = "(m.expires_on IS NULL OR m.expires_on >= (clock_timestamp() AT TIME ZONE 'UTC')::date)"
SERVED = f"m.state = 'current' AND {_UNEXPIRED}"
# The messages kept beside their statements, for who asks for them too.
SERVED_MESSAGES = f"m.state = 'source' AND {_UNEXPIRED}"


def memory_of(row: Any) -> Memory:
    """A row with `COLUMNS` as a value."""
    values: Mapping[str, Any] = row._mapping
    plain = {name: value for name, value in values.items() if name in Memory.__dataclass_fields__}
    plain["ids"] = ScopeIds(*(values[name] for name in ID_FIELDS))
    plain["hash"] = bytes(values["hash"])
    plain["categories"] = tuple(values["categories"])
    return Memory(**plain)


def get(session: Session, project_id: UUID, memory_id: UUID, *, lock: bool = False) -> Memory | None:
    """One memory of a project in any state but erased, or None."""
    suffix = " FOR UPDATE" if lock else ""
    row = session.execute(
        sa.text(f"SELECT {COLUMNS} FROM memories m WHERE m.project_id = :p AND m.id = :id{suffix}"),
        {"p": project_id, "id": memory_id},
    ).one_or_none()
    return None if row is None else memory_of(row)


def by_ids(session: Session, project_id: UUID, ids: Sequence[UUID]) -> dict[UUID, Memory]:
    """Memories of a project by id, in any state."""
    if not ids:
        return {}
    rows = session.execute(
        sa.text(f"SELECT {COLUMNS} FROM memories m WHERE m.project_id = :p AND m.id = ANY(:ids)"),
        {"p": project_id, "ids": list(ids)},
    )
    return {row.id: memory_of(row) for row in rows}


def served_by_ids(
    session: Session, project_id: UUID, given: ScopeIds, ids: Sequence[UUID], *, messages: bool = False
) -> dict[UUID, Memory]:
    """Of these ids, the memories a caller with these entity ids may be served: the re-check of every index hit.

    `messages`: kept messages too.
    """
    if not ids:
        return {}
    where = "".join(f" AND m.{name} = :{name}" for name in given.given())
    rows = session.execute(
        sa.text(
            f"SELECT {COLUMNS} FROM memories m WHERE m.project_id = :p AND m.id = ANY(:ids)"
            f" AND ({SERVED}{f' OR {SERVED_MESSAGES}' if messages else ''}){where}"
        ),
        {"p": project_id, "ids": list(ids), **given.given()},
    )
    return {row.id: memory_of(row) for row in rows}


@dataclass(frozen=True, slots=True)
class Page:
    """`after`: the (created_at, id) of the last item seen; None starts at the newest."""

    limit: int
    after: tuple[datetime, UUID] | None = None


def newest(session: Session, project_id: UUID, given: ScopeIds, page: Page, *, messages: bool = False) -> list[Memory]:
    """Served memories whose given ids are equal, newest first, ties by id. `messages`: kept messages too."""
    found = _newest(session, project_id, given, page, SERVED)
    if messages:
        found += _newest(session, project_id, given, page, SERVED_MESSAGES)
        found.sort(key=lambda memory: (memory.created_at, memory.id), reverse=True)
    return found[: page.limit]


def _newest(session: Session, project_id: UUID, given: ScopeIds, page: Page, served: str) -> list[Memory]:
    where = "".join(f" AND m.{name} = :{name}" for name in given.given())
    values: dict[str, Any] = {"p": project_id, "limit": page.limit, **given.given()}
    if page.after is not None:
        where += " AND (m.created_at, m.id) < (:created, :id)"
        values |= {"created": page.after[0], "id": page.after[1]}
    rows = session.execute(
        sa.text(
            f"SELECT {COLUMNS} FROM memories m WHERE m.project_id = :p AND {served}{where}"
            " ORDER BY m.created_at DESC, m.id DESC LIMIT :limit"
        ),
        values,
    )
    return [memory_of(row) for row in rows]


def count(session: Session, project_id: UUID, given: ScopeIds) -> int:
    """How many memories `newest` would serve in all."""
    where = "".join(f" AND m.{name} = :{name}" for name in given.given())
    return int(
        session.execute(
            sa.text(f"SELECT count(*) FROM memories m WHERE m.project_id = :p AND {SERVED}{where}"),
            {"p": project_id, **given.given()},
        ).scalar_one()
    )


def current_of_scope(session: Session, scope: ScopeRef, limit: int) -> list[Memory]:
    """Up to `limit` current memories of a scope, oldest first."""
    rows = session.execute(
        sa.text(
            f"SELECT {COLUMNS} FROM memories m WHERE m.project_id = :p AND m.scope_id = :s AND m.state = 'current'"
            " ORDER BY m.created_at, m.id LIMIT :limit"
        ),
        {"p": scope.project_id, "s": scope.scope_id, "limit": limit},
    )
    return [memory_of(row) for row in rows]


def current_in_scope(session: Session, scope: ScopeRef, ids: Sequence[UUID]) -> dict[UUID, Memory]:
    """Of these ids, the current memories of this very scope."""
    if not ids:
        return {}
    rows = session.execute(
        sa.text(
            f"SELECT {COLUMNS} FROM memories m WHERE m.project_id = :p AND m.id = ANY(:ids)"
            " AND m.scope_id = :s AND m.state = 'current'"
        ),
        {"p": scope.project_id, "s": scope.scope_id, "ids": list(ids)},
    )
    return {row.id: memory_of(row) for row in rows}


def observed_within(session: Session, scope: ScopeRef, after: datetime, until: datetime) -> list[datetime]:
    """When current memories of a scope were last observed, after one moment and not after the other; at most 100."""
    rows = session.execute(
        sa.text(
            "SELECT DISTINCT observed_at FROM memories WHERE project_id = :p AND scope_id = :s AND state = 'current'"
            " AND observed_at > :after AND observed_at <= :until ORDER BY observed_at LIMIT 100"
        ),
        {"p": scope.project_id, "s": scope.scope_id, "after": after, "until": until},
    )
    return list(rows.scalars())


def by_hashes(session: Session, scope: ScopeRef, hashes: Sequence[bytes]) -> dict[bytes, Memory]:
    """Current memories of a scope with one of these hashes."""
    if not hashes:
        return {}
    rows = session.execute(
        sa.text(
            f"SELECT {COLUMNS} FROM memories m WHERE m.project_id = :p AND m.scope_id = :s AND m.state = 'current'"
            " AND m.hash = ANY(:hashes)"
        ),
        {"p": scope.project_id, "s": scope.scope_id, "hashes": list(hashes)},
    )
    found = [memory_of(row) for row in rows]
    return {memory.hash: memory for memory in found}


def forgotten(session: Session, scope: ScopeRef, hashes: Sequence[bytes]) -> dict[bytes, int]:
    """For each hash that any version of a deleted or erased memory of the scope had: the newest seq of that."""
    if not hashes:
        return {}
    rows = session.execute(
        sa.text(
            """
            SELECT f.hash, max(f.seq) AS seq FROM (
                SELECT v.hash, m.deleted_seq AS seq FROM memory_versions v
                JOIN memories m ON m.project_id = v.project_id AND m.id = v.memory_id
                WHERE v.project_id = :p AND v.scope_id = :s AND v.hash = ANY(:hashes) AND m.state = 'deleted'
                  AND m.deleted_seq IS NOT NULL
                UNION ALL
                SELECT t.hash, t.seq FROM erased_texts t
                WHERE t.project_id = :p AND t.scope_id = :s AND t.hash = ANY(:hashes)
            ) f GROUP BY f.hash
            """
        ),
        {"p": scope.project_id, "s": scope.scope_id, "hashes": list(hashes)},
    )
    return {bytes(row.hash): int(row.seq) for row in rows}


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One version of a memory as callers read it."""

    memory_id: UUID
    version: int
    op: str
    old_text: str | None
    new_text: str | None
    event_id: UUID | None
    valid_from: datetime | None
    valid_to: datetime | None
    at: datetime


def history(session: Session, project_id: UUID, memory_id: UUID) -> list[HistoryRow]:
    """Every version of a memory, oldest first."""
    rows = session.execute(
        sa.text(
            "SELECT memory_id, version, op, old_text, new_text, event_id, valid_from, valid_to, at FROM memory_versions"
            " WHERE project_id = :p AND memory_id = :id ORDER BY version"
        ),
        {"p": project_id, "id": memory_id},
    )
    return [HistoryRow(**row._mapping) for row in rows]


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A message behind a memory's present version."""

    message_id: UUID
    event_id: UUID
    role: str
    speaker: str | None
    text: str
    said_at: datetime
    start: int | None
    end: int | None
    quote: str


def sources(session: Session, project_id: UUID, memory_id: UUID) -> list[SourceRow]:
    """The messages that state a memory's present version, in accept order."""
    rows = session.execute(
        sa.text(
            """
            SELECT s.message_id, g.event_id, g.role, g.speaker, g.text, g.said_at, g.said_offset, s.start, s."end",
                   s.quote
            FROM memory_sources s
            JOIN memories m ON m.project_id = s.project_id AND m.id = s.memory_id AND m.version = s.version
            JOIN messages g ON g.project_id = s.project_id AND g.id = s.message_id
            WHERE s.project_id = :p AND s.memory_id = :id ORDER BY g.seq, g.idx
            """
        ),
        {"p": project_id, "id": memory_id},
    )
    return [_source(row) for row in rows]


def last_words(session: Session, project_id: UUID, ids: Sequence[UUID]) -> dict[UUID, tuple[str, str | None, str]]:
    """Role, speaker and text of the last accepted message behind each of these memories' present versions."""
    if not ids:
        return {}
    rows = session.execute(
        sa.text(
            """
            SELECT DISTINCT ON (s.memory_id) s.memory_id, g.role, g.speaker, g.text FROM memory_sources s
            JOIN memories m ON m.project_id = s.project_id AND m.id = s.memory_id AND m.version = s.version
            JOIN messages g ON g.project_id = s.project_id AND g.id = s.message_id
            WHERE s.project_id = :p AND s.memory_id = ANY(:ids) ORDER BY s.memory_id, g.seq DESC, g.idx DESC
            """
        ),
        {"p": project_id, "ids": list(ids)},
    )
    return {row.memory_id: (row.role, row.speaker, row.text) for row in rows}


def _source(row: Any) -> SourceRow:
    said_at = row.said_at.astimezone(timezone(timedelta(minutes=row.said_offset)))
    return SourceRow(
        row.message_id, row.event_id, row.role, row.speaker, row.text, said_at, row.start, row.end, row.quote
    )
