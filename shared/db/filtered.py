"""Memories by filter: pages of them, how many there are, and which of an index's hits are among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.db.filters import compiled
from shared.db.memories import COLUMNS, SERVED, Page, memory_of
from shared.model.filters import NOTHING_ASKED, Filter
from shared.model.memory import Memory
from shared.model.scope import ScopeIds


@dataclass(frozen=True, slots=True)
class Asked:
    """Which current memories of a project: those of `ids` (what the key is bound to) that pass the filter."""

    project_id: UUID
    ids: ScopeIds = field(default_factory=ScopeIds)
    filter: Filter = NOTHING_ASKED
    show_expired: bool = False

    def where(self) -> tuple[str, dict[str, Any]]:
        """The condition over `m`, with its parameters."""
        found = compiled(self.filter)
        served = "m.state = 'current'" if self.show_expired else SERVED
        ids = self.ids.given()
        own = "".join(f" AND m.{name} = :{name}" for name in ids)
        return f"m.project_id = :p AND {served}{own} AND {found.sql}", {"p": self.project_id, **ids, **found.values}


def page(session: Session, asked: Asked, limit: int, offset: int = 0) -> list[Memory]:
    """Newest first, ties by id."""
    where, values = asked.where()
    rows = session.execute(
        sa.text(
            f"SELECT {COLUMNS} FROM memories m WHERE {where} ORDER BY m.created_at DESC, m.id DESC"
            " LIMIT :limit OFFSET :offset"
        ),
        values | {"limit": limit, "offset": offset},
    )
    return [memory_of(row) for row in rows]


def newest(session: Session, asked: Asked, page: Page) -> list[Memory]:
    """Newest first, ties by id, behind the last one seen."""
    where, values = asked.where()
    if page.after is not None:
        where += " AND (m.created_at, m.id) < (:created, :id)"
        values |= {"created": page.after[0], "id": page.after[1]}
    rows = session.execute(
        sa.text(f"SELECT {COLUMNS} FROM memories m WHERE {where} ORDER BY m.created_at DESC, m.id DESC LIMIT :limit"),
        values | {"limit": page.limit},
    )
    return [memory_of(row) for row in rows]


def count(session: Session, asked: Asked) -> int:
    """How many pass."""
    where, values = asked.where()
    return int(session.execute(sa.text(f"SELECT count(*) FROM memories m WHERE {where}"), values).scalar_one())


def ids(session: Session, asked: Asked, limit: int) -> list[UUID]:
    """The ids of up to `limit` that pass, in any order."""
    where, values = asked.where()
    rows = session.execute(
        sa.text(f"SELECT m.id FROM memories m WHERE {where} LIMIT :limit"), values | {"limit": limit}
    )
    return list(rows.scalars())


def among(session: Session, asked: Asked, found: Sequence[UUID]) -> dict[UUID, Memory]:
    """Of these ids, the memories that pass: the re-check of every index hit."""
    if not found:
        return {}
    where, values = asked.where()
    rows = session.execute(
        sa.text(f"SELECT {COLUMNS} FROM memories m WHERE {where} AND m.id = ANY(:found)"),
        values | {"found": list(found)},
    )
    return {row.id: memory_of(row) for row in rows}
