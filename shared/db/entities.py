"""Entities: the users, agents, apps and runs that memories are kept for, as they appear in the memories themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.model.scope import ScopeIds

Kind = Literal["user", "agent", "app", "run"]
KINDS: tuple[Kind, ...] = ("user", "agent", "app", "run")


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity with its number of current memories."""

    project_id: UUID
    kind: Kind
    name: str
    memories: int
    created_at: datetime
    updated_at: datetime


def _grouped(kind: Kind, own: ScopeIds) -> str:
    narrowed = "".join(f" AND {name} = :{name}" for name in own.given())
    return f"""
        SELECT '{kind}' AS kind, {kind}_id AS name, count(*) AS memories, min(created_at) AS created_at,
               max(updated_at) AS updated_at
        FROM memories WHERE project_id = :p AND state = 'current' AND {kind}_id IS NOT NULL{narrowed} GROUP BY {kind}_id
        """


def _of(kinds: Sequence[Kind], own: ScopeIds) -> str:
    return " UNION ALL ".join(_grouped(kind, own) for kind in kinds)


def listing(session: Session, project_id: UUID, own: ScopeIds, limit: int, offset: int = 0) -> list[Entity]:
    """Entities with current memories, newest change first. `own`: only those in memories with these ids."""
    rows = session.execute(
        sa.text(
            f"SELECT * FROM ({_of(KINDS, own)}) e ORDER BY updated_at DESC, kind, name LIMIT :limit OFFSET :offset"
        ),
        {"p": project_id, "limit": limit, "offset": offset, **own.given()},
    )
    return [Entity(project_id, **row._mapping) for row in rows]


def totals(session: Session, project_id: UUID, own: ScopeIds) -> dict[Kind, int]:
    """How many entities of each kind there are."""
    rows = session.execute(
        sa.text(f"SELECT kind, count(*) AS number FROM ({_of(KINDS, own)}) e GROUP BY kind"),
        {"p": project_id, **own.given()},
    ).all()
    return {kind: next((int(row.number) for row in rows if row.kind == kind), 0) for kind in KINDS}


def one(session: Session, project_id: UUID, own: ScopeIds, kind: Kind, name: str) -> Entity | None:
    """The entity, None without current memories of it."""
    row = session.execute(
        sa.text(f"SELECT * FROM ({_grouped(kind, own)}) e WHERE name = :name"),
        {"p": project_id, "name": name, **own.given()},
    ).one_or_none()
    return None if row is None else Entity(project_id, **row._mapping)


def names(session: Session, project_id: UUID, kind: Kind) -> list[str]:
    """Every name of a kind that memories or scopes of the project carry, in order."""
    rows = session.execute(
        sa.text(
            f"""
            SELECT {kind}_id AS name FROM scopes WHERE project_id = :p AND {kind}_id IS NOT NULL
            UNION SELECT {kind}_id FROM memories WHERE project_id = :p AND {kind}_id IS NOT NULL ORDER BY name
            """
        ),
        {"p": project_id},
    )
    return list(rows.scalars())
