"""Webhooks of a project: where to, about what, and how they are doing.

Their secrets are not here (`shared.webhooks.signing`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.db import tables as t
from shared.errors import Conflict
from shared.model.ids import uuid7

MOST = 20  # of one project


@dataclass(frozen=True, slots=True)
class Webhook:
    """`failures`: in a row, since `failing_since`. `disabled_reason`: `gone` (410) or `failing`, None: not by us."""

    project_id: UUID
    id: UUID
    name: str
    url: str
    event_types: tuple[str, ...]
    is_active: bool
    disabled_reason: str | None
    secret_generation: int
    rotated_at: datetime | None
    failures: int
    failing_since: datetime | None
    created_at: datetime
    updated_at: datetime


_COLUMNS = (
    "project_id, id, name, url, event_types, is_active, disabled_reason, secret_generation, rotated_at, failures,"
    " failing_since, created_at, updated_at"
)


def _webhook(row: sa.Row[tuple[object, ...]]) -> Webhook:
    values: dict[str, Any] = dict(row._mapping)
    return Webhook(**{**values, "event_types": tuple(values["event_types"])})


def create(session: Session, project_id: UUID, name: str, url: str, event_types: Sequence[str]) -> Webhook:
    """Raises `Conflict` when the project has as many as it may. The project row keeps two creations apart."""
    session.execute(sa.text("SELECT 1 FROM projects WHERE id = :p FOR UPDATE"), {"p": project_id})
    number = session.execute(
        sa.text("SELECT count(*) FROM webhooks WHERE project_id = :p"), {"p": project_id}
    ).scalar_one()
    if number >= MOST:
        raise Conflict(f"a project has at most {MOST} webhooks", code="too_many_webhooks")
    row = session.execute(
        sa.text(
            "INSERT INTO webhooks (project_id, id, name, url, event_types) VALUES (:p, :id, :name, :url, :types)"
            f" RETURNING {_COLUMNS}"
        ),
        {"p": project_id, "id": uuid7(), "name": name, "url": url, "types": list(event_types)},
    ).one()
    return _webhook(row)


def listing(session: Session, project_id: UUID) -> list[Webhook]:
    """All of a project, oldest first."""
    rows = session.execute(
        sa.text(f"SELECT {_COLUMNS} FROM webhooks WHERE project_id = :p ORDER BY created_at, id"), {"p": project_id}
    )
    return [_webhook(row) for row in rows]


def get(session: Session, project_id: UUID, webhook_id: UUID) -> Webhook | None:
    row = session.execute(
        sa.text(f"SELECT {_COLUMNS} FROM webhooks WHERE project_id = :p AND id = :id"),
        {"p": project_id, "id": webhook_id},
    ).one_or_none()
    return None if row is None else _webhook(row)


def change(session: Session, project_id: UUID, webhook_id: UUID, values: dict[str, Any]) -> Webhook | None:
    """Change `name`, `url`, `event_types`, `is_active`; None when there is none. Switched on, it starts afresh."""
    table = t.webhooks
    fresh = {"failures": 0, "failing_since": None, "rest_until": None, "disabled_reason": None}
    row = session.execute(
        sa.update(table)
        .where(table.c.project_id == project_id, table.c.id == webhook_id)
        .values(**values, **(fresh if values.get("is_active") else {}), updated_at=sa.func.clock_timestamp())
        .returning(sa.text(_COLUMNS))
    ).one_or_none()
    return None if row is None else _webhook(row)


def rotate(session: Session, project_id: UUID, webhook_id: UUID) -> Webhook | None:
    """The next secret; the one before goes on signing for a while (`workers.webhooks`)."""
    row = session.execute(
        sa.text(
            "UPDATE webhooks SET secret_generation = secret_generation + 1, rotated_at = clock_timestamp(),"
            f" updated_at = clock_timestamp() WHERE project_id = :p AND id = :id RETURNING {_COLUMNS}"
        ),
        {"p": project_id, "id": webhook_id},
    ).one_or_none()
    return None if row is None else _webhook(row)


def delete(session: Session, project_id: UUID, webhook_id: UUID) -> bool:
    """With everything not delivered to it; False when there is none."""
    result = session.execute(
        sa.text("DELETE FROM webhooks WHERE project_id = :p AND id = :id"), {"p": project_id, "id": webhook_id}
    )
    return bool(result.rowcount)  # type: ignore[attr-defined]


def went_well(session: Session, project_id: UUID, webhook_id: UUID) -> None:
    """A delivery was accepted."""
    session.execute(
        sa.text(
            "UPDATE webhooks SET failures = 0, failing_since = NULL, rest_until = NULL"
            " WHERE project_id = :p AND id = :id AND failing_since IS NOT NULL"
        ),
        {"p": project_id, "id": webhook_id},
    )


def went_wrong(session: Session, project_id: UUID, webhook_id: UUID, rests: Sequence[float]) -> None:
    """A delivery failed. `rests`: seconds to leave it alone after the first, second, ... failure in a row."""
    session.execute(
        sa.text(
            """
            UPDATE webhooks SET failures = failures + 1, failing_since = coalesce(failing_since, clock_timestamp()),
                rest_until = clock_timestamp() + make_interval(secs =>
                    (CAST(:rests AS float[]))[least(failures + 1, cardinality(CAST(:rests AS float[])))])
            WHERE project_id = :p AND id = :id
            """
        ),
        {"p": project_id, "id": webhook_id, "rests": list(rests)},
    )


def disable(
    session: Session, project_id: UUID, webhook_id: UUID, reason: str, *, failing_days: float | None = None
) -> bool:
    """Switch it off, with `failing_days` only when nothing was accepted for so long; whether this did."""
    result = session.execute(
        sa.text(
            """
            UPDATE webhooks SET is_active = false, disabled_reason = :reason, updated_at = clock_timestamp()
            WHERE project_id = :p AND id = :id AND is_active AND (CAST(:days AS float) IS NULL
                OR failing_since <= clock_timestamp() - make_interval(secs => CAST(:days AS float) * 86400))
            """
        ),
        {"p": project_id, "id": webhook_id, "reason": reason, "days": failing_days},
    )
    return bool(result.rowcount)  # type: ignore[attr-defined]
