"""Projects (tenants) and their settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.model.ids import uuid7
from shared.model.message import Rules
from shared.model.scope import ID_FIELDS

DEFAULT_NAME = "default"


@dataclass(frozen=True, slots=True)
class Project:
    """A tenant. `scope_key`: the entity ids that make a scope; the others are labels."""

    id: UUID
    name: str
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def scope_key(self) -> tuple[str, ...]:
        chosen = tuple(name for name in ID_FIELDS if name in self.settings.get("scope_key", ID_FIELDS))
        return chosen or ID_FIELDS

    @property
    def rules(self) -> Rules:
        """What the project asks of every extraction; a request's own rules win field by field."""
        return Rules(
            str(self.settings.get("instructions") or ""),
            str(self.settings.get("includes") or ""),
            str(self.settings.get("excludes") or ""),
            tuple(self.settings.get("categories") or ()),
        )

    def merged(self, asked: Rules) -> Rules:
        """An event's rules; what it leaves open is the project's."""
        own = self.rules
        return Rules(
            asked.instructions or own.instructions,
            asked.includes or own.includes,
            asked.excludes or own.excludes,
            asked.categories or own.categories,
        )

    @property
    def timezone(self) -> str | None:
        return self.settings.get("timezone") or None


def get(session: Session, project_id: UUID) -> Project | None:
    row = session.execute(
        sa.text("SELECT id, name, settings FROM projects WHERE id = :id"), {"id": project_id}
    ).one_or_none()
    return None if row is None else Project(row.id, row.name, row.settings)


def by_name(session: Session, name: str) -> Project | None:
    row = session.execute(
        sa.text("SELECT id, name, settings FROM projects WHERE name = :name"), {"name": name}
    ).one_or_none()
    return None if row is None else Project(row.id, row.name, row.settings)


def ensure(session: Session, name: str = DEFAULT_NAME, settings: dict[str, Any] | None = None) -> Project:
    """The project of this name, made when it is not there yet."""
    session.execute(
        sa.text(
            "INSERT INTO projects (id, name, settings) VALUES (:id, :name, CAST(:settings AS jsonb))"
            " ON CONFLICT (name) DO NOTHING"
        ),
        {"id": uuid7(), "name": name, "settings": orjson.dumps(settings or {}).decode()},
    )
    project = by_name(session, name)
    assert project is not None  # noqa: S101 - inserted or there already, in this transaction
    return project


def change(session: Session, project_id: UUID, settings: dict[str, Any]) -> None:
    """Merge into a project's settings, `mem0` key by key; None removes a setting."""
    session.execute(
        sa.text(
            """
            UPDATE projects SET settings = jsonb_strip_nulls(settings || CAST(:s AS jsonb) || jsonb_build_object('mem0',
                coalesce(settings -> 'mem0', '{}') || coalesce(CAST(:s AS jsonb) -> 'mem0', '{}')))
            WHERE id = :id
            """
        ),
        {"id": project_id, "s": orjson.dumps(settings).decode()},
    )
