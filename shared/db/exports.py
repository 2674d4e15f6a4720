"""Exports: what was asked for is stored, what it yields is read when it is fetched, so nothing is kept twice.

Only what a model filled in is kept, with a mark of the memories it was made of: it costs money. An erasure removes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.model.ids import uuid7


@dataclass(frozen=True, slots=True)
class Export:
    """An export as it was asked for; `selection` is the request's own filter, `form` the schema it wants."""

    id: UUID
    selection: dict[str, Any]
    form: Any
    instructions: str | None
    created_at: datetime
    filled: dict[str, Any] | None = None
    filled_of: str | None = None


_COLUMNS = "id, selection, form, instructions, created_at, filled, filled_of"


def create(
    session: Session, project_id: UUID, selection: dict[str, Any], form: object, instructions: str | None
) -> UUID:
    """Store an export; its id."""
    export_id = uuid7()
    session.execute(
        sa.text(
            "INSERT INTO memory_exports (project_id, id, selection, form, instructions)"
            " VALUES (:p, :id, CAST(:selection AS jsonb), CAST(:form AS jsonb), :instructions)"
        ),
        {
            "p": project_id, "id": export_id, "selection": orjson.dumps(selection).decode(),
            "form": orjson.dumps(form).decode(), "instructions": instructions,
        },
    )  # fmt: skip
    return export_id


def get(session: Session, project_id: UUID, export_id: UUID) -> Export | None:
    """An export of a project by id."""
    row = session.execute(
        sa.text(f"SELECT {_COLUMNS} FROM memory_exports WHERE project_id = :p AND id = :id"),
        {"p": project_id, "id": export_id},
    ).one_or_none()
    return None if row is None else Export(**row._mapping)


def newest(session: Session, project_id: UUID, selection: dict[str, Any]) -> Export | None:
    """The newest export of a project that asked for the same."""
    row = session.execute(
        sa.text(
            f"SELECT {_COLUMNS} FROM memory_exports WHERE project_id = :p AND selection = CAST(:selection AS jsonb)"
            " ORDER BY id DESC LIMIT 1"
        ),
        {"p": project_id, "selection": orjson.dumps(selection).decode()},
    ).one_or_none()
    return None if row is None else Export(**row._mapping)


def keep(session: Session, project_id: UUID, export_id: UUID, filled: dict[str, Any], filled_of: str) -> None:
    """What a model made of the memories that `filled_of` marks, in place of an earlier one."""
    session.execute(
        sa.text(
            "UPDATE memory_exports SET filled = CAST(:filled AS jsonb), filled_of = :mark"
            " WHERE project_id = :p AND id = :id"
        ),
        {"p": project_id, "id": export_id, "filled": orjson.dumps(filled).decode(), "mark": filled_of},
    )
