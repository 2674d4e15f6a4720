"""What a boot probe learnt about a chat model, kept so that restarts do not ask again."""

from __future__ import annotations

from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session


def get(session: Session, key: str) -> dict[str, Any] | None:
    """The kept value for a (base URL, model) key."""
    row = session.execute(sa.text("SELECT value FROM capabilities WHERE key = :k"), {"k": key}).one_or_none()
    return None if row is None else dict(row.value)


def keep(session: Session, key: str, value: dict[str, Any]) -> None:
    """Remember, replacing what was known."""
    session.execute(
        sa.text(
            "INSERT INTO capabilities (key, value) VALUES (:k, CAST(:v AS jsonb))"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value, at = clock_timestamp()"
        ),
        {"k": key, "v": orjson.dumps(value).decode()},
    )
