"""Versions of memories with the messages behind them, of one memory or of a whole project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.db.memories import HistoryRow
from shared.model.scope import ID_FIELDS, ScopeIds

_COLUMNS = """
    v.memory_id, v.version, v.op, v.old_text, v.new_text, v.event_id, v.valid_from, v.valid_to, v.at,
    m.user_id, m.agent_id, m.app_id, m.run_id, m.categories, m.metadata, m.role, m.speaker
"""
_FROM = """
    FROM memory_versions v JOIN memories m ON m.project_id = v.project_id AND m.id = v.memory_id
    WHERE v.project_id = :p AND m.state <> 'deleted'
"""


@dataclass(frozen=True, slots=True)
class Said:
    """A message behind a version."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A version; the memory's ids, categories and metadata are those it has now."""

    row: HistoryRow
    ids: ScopeIds
    categories: tuple[str, ...]
    metadata: dict[str, Any] | None
    role: str | None
    speaker: str | None
    messages: tuple[Said, ...]


def of_memory(session: Session, project_id: UUID, memory_id: UUID) -> list[HistoryEntry]:
    """Every version of a memory that is not deleted, oldest first."""
    rows = session.execute(
        sa.text(f"SELECT {_COLUMNS} {_FROM} AND v.memory_id = :id ORDER BY v.version"),
        {"p": project_id, "id": memory_id},
    ).all()
    return _entries(session, project_id, rows)


def page(session: Session, project_id: UUID, own: ScopeIds, limit: int, offset: int) -> tuple[list[HistoryEntry], int]:
    """Versions of a project's memories, newest first, and their number. `own`: only of memories with these ids."""
    where = "".join(f" AND m.{name} = :{name}" for name in own.given())
    values = {"p": project_id, **own.given()}
    rows = session.execute(
        sa.text(f"SELECT {_COLUMNS} {_FROM}{where} ORDER BY v.commit_order DESC LIMIT :limit OFFSET :offset"),
        values | {"limit": limit, "offset": offset},
    ).all()
    total = session.execute(sa.text(f"SELECT count(*) {_FROM}{where}"), values).scalar_one()
    return _entries(session, project_id, rows), int(total)


def _entries(session: Session, project_id: UUID, rows: Sequence[Any]) -> list[HistoryEntry]:
    said = _said(session, project_id, [(row.memory_id, row.version) for row in rows])
    return [
        HistoryEntry(
            HistoryRow(row.memory_id, row.version, row.op, row.old_text, row.new_text, row.event_id, row.valid_from,
                       row.valid_to, row.at),
            ScopeIds(*(getattr(row, name) for name in ID_FIELDS)), tuple(row.categories), row.metadata, row.role,
            row.speaker, tuple(said.get((row.memory_id, row.version), ())),
        )
        for row in rows
    ]  # fmt: skip


def _said(
    session: Session, project_id: UUID, versions: Sequence[tuple[UUID, int]]
) -> dict[tuple[UUID, int], list[Said]]:
    if not versions:
        return {}
    rows = session.execute(
        sa.text(
            """
            SELECT s.memory_id, s.version, g.role, g.text
            FROM unnest(CAST(:ids AS uuid[]), CAST(:versions AS int[])) AS w(memory_id, version)
            JOIN memory_sources s ON s.project_id = :p AND s.memory_id = w.memory_id AND s.version = w.version
            JOIN messages g ON g.project_id = s.project_id AND g.id = s.message_id ORDER BY g.seq, g.idx
            """
        ),
        {"p": project_id, "ids": [memory for memory, _ in versions], "versions": [version for _, version in versions]},
    )
    found: dict[tuple[UUID, int], list[Said]] = {}
    for row in rows:
        found.setdefault((row.memory_id, row.version), []).append(Said(row.role, row.text))
    return found
