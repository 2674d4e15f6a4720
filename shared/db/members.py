"""Who a project names as its members: a list for its owners, without any power; keys decide who may do what."""

from __future__ import annotations

from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session


def listing(session: Session, project_id: UUID) -> dict[str, str]:
    """Role by e-mail address."""
    found: dict[str, str] | None = session.execute(
        sa.text("SELECT settings -> 'members' FROM projects WHERE id = :p"), {"p": project_id}
    ).scalar_one()
    return found or {}


def put(session: Session, project_id: UUID, email: str, role: str) -> None:
    """Add a member or change its role."""
    session.execute(
        sa.text(
            "UPDATE projects SET settings = jsonb_set(settings, '{members}',"
            " coalesce(settings -> 'members', '{}') || CAST(:m AS jsonb)) WHERE id = :p"
        ),
        {"p": project_id, "m": orjson.dumps({email: role}).decode()},
    )


def remove(session: Session, project_id: UUID, email: str) -> bool:
    """False when there was no such member."""
    row = session.execute(
        sa.text(
            "UPDATE projects SET settings = settings #- ARRAY['members', CAST(:e AS text)]"
            " WHERE id = :p AND jsonb_exists(settings -> 'members', :e) RETURNING 1"
        ),
        {"p": project_id, "e": email},
    ).one_or_none()
    return row is not None
