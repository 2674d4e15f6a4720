"""Receipts of erasures: what was removed, in numbers. No content, no id of an entity: a keyed hash finds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

What = Literal["ids", "memory", "event", "project"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """`names`: the fields that were named (user_id …), never their values. `waiting`: points the index still holds.

    `completed_at`: when the index had confirmed the last one; None = pending.
    """

    project_id: UUID
    id: UUID
    what: What
    names: tuple[str, ...]
    counts: Mapping[str, int]
    at: datetime
    completed_at: datetime | None
    waiting: int

    @property
    def state(self) -> str:
        return "pending" if self.completed_at is None else "done"


def keep(
    session: Session,
    project_id: UUID,
    erasure_id: UUID,
    what: What,
    names: Sequence[str],
    subject: bytes,
    counts: Mapping[str, int],
) -> None:
    """Write the receipt, in the transaction that erases."""
    session.execute(
        sa.text(
            "INSERT INTO erasures (project_id, id, what, names, subject, counts)"
            " VALUES (:p, :id, :what, :names, :subject, CAST(:counts AS jsonb))"
        ),
        {
            "p": project_id, "id": erasure_id, "what": what, "names": list(names), "subject": subject,
            "counts": orjson.dumps(dict(counts)).decode(),
        },
    )  # fmt: skip


_READ = """
    SELECT e.project_id, e.id, e.what, e.names, e.counts, e.at,
           CASE WHEN q.waiting = 0 THEN coalesce(e.completed_at, clock_timestamp()) END AS completed_at, q.waiting
    FROM erasures e CROSS JOIN LATERAL (
        SELECT count(*) AS waiting FROM index_queue i WHERE i.erasure_id = e.id AND i.project_id = e.project_id
    ) q
"""


def _receipt(row: sa.Row[tuple[object, ...]]) -> Receipt:
    values = dict(row._mapping)
    values["names"], values["waiting"] = tuple(values["names"]), int(values["waiting"])
    return Receipt(**values)


def get(session: Session, project_id: UUID, erasure_id: UUID) -> Receipt | None:
    """One receipt of a project."""
    row = session.execute(
        sa.text(f"{_READ} WHERE e.project_id = :p AND e.id = :id"), {"p": project_id, "id": erasure_id}
    ).one_or_none()
    return None if row is None else _receipt(row)


def of_subject(session: Session, project_id: UUID, subject: bytes, limit: int = 100) -> list[Receipt]:
    """Every erasure that named exactly this, newest first: was it erased?"""
    rows = session.execute(
        sa.text(f"{_READ} WHERE e.project_id = :p AND e.subject = :s ORDER BY e.id DESC LIMIT :limit"),
        {"p": project_id, "s": subject, "limit": limit},
    )
    return [_receipt(row) for row in rows]


def newest(session: Session, project_id: UUID, limit: int = 100) -> list[Receipt]:
    """The last erasures of a project."""
    query = sa.text(f"{_READ} WHERE e.project_id = :p ORDER BY e.id DESC LIMIT :limit")
    return [_receipt(row) for row in session.execute(query, {"p": project_id, "limit": limit})]


def of_projects(session: Session, subject: bytes) -> list[UUID]:
    """The ids that erased projects of this subject had, the last one first."""
    rows = session.execute(
        sa.text("SELECT project_id FROM erasures WHERE subject = :s AND what = 'project' ORDER BY id DESC"),
        {"s": subject},
    )
    return list(rows.scalars())


def complete(session: Session, project_id: UUID) -> int:
    """Note the time on a project's receipts whose last point the index has confirmed; how many there were."""
    result = session.execute(
        sa.text(
            """
            UPDATE erasures e SET completed_at = clock_timestamp()
            WHERE e.project_id = :p AND e.completed_at IS NULL
              AND NOT EXISTS (SELECT 1 FROM index_queue i WHERE i.erasure_id = e.id AND i.project_id = e.project_id)
            """
        ),
        {"p": project_id},
    )
    return int(result.rowcount)  # type: ignore[attr-defined]
