"""What was current at a moment: the version of each memory whose statement was true then, as far as is known now.

Times are those of the statements (`valid_from`, `valid_to`), not of the commits: a log of last year that is imported
today answers for last year. Deleted memories have no past.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.db.memories import COLUMNS, Page, memory_of
from shared.model.images import restored
from shared.model.memory import Memory
from shared.model.scope import ID_FIELDS, ScopeIds

# Of the versions that hold at a moment the newest one counts: it knows best what was true then.
_THEN = f"""
    SELECT {COLUMNS}, v.version AS then_version, v.valid_from AS then_from, v.valid_to AS then_to, v.at AS then_at,
           v.new_text AS then_text, v.hash AS then_hash, n.before AS then_image
    FROM memories m
    JOIN LATERAL (
        SELECT * FROM memory_versions o
        WHERE o.project_id = m.project_id AND o.memory_id = m.id AND o.new_text IS NOT NULL
          AND coalesce(o.valid_from, o.at) <= :at AND (o.valid_to IS NULL OR o.valid_to > :at)
        ORDER BY o.version DESC LIMIT 1
    ) v ON true
    LEFT JOIN memory_versions n ON n.project_id = m.project_id AND n.memory_id = m.id AND n.version = v.version + 1
    WHERE m.project_id = :p AND m.state IN ('current', 'retracted', 'replaced')
"""
_EXPIRED = "(CASE WHEN n.before IS NULL THEN m.expires_on ELSE (n.before->>'expires_on')::date END)"


def get(session: Session, project_id: UUID, memory_id: UUID, at: datetime) -> Memory | None:
    """A memory as it was then; None when it was not current then, or is deleted or erased by now."""
    row = session.execute(
        sa.text(f"{_THEN} AND m.id = :id"), {"p": project_id, "at": at, "id": memory_id}
    ).one_or_none()
    return None if row is None else _then(row)


def newest(
    session: Session,
    project_id: UUID,
    given: ScopeIds,
    page: Page,
    at: datetime,
    *,
    scope_key: Sequence[str] = ID_FIELDS,
) -> list[Memory]:
    """Memories whose given ids are equal, as they were then; newest first, ties by id, without what was expired then.

    `scope_key`: the project's; ids outside it are labels, not part of a scope.
    """
    key = given.key(tuple(scope_key)).given()
    scopes = "".join(f" AND s.{name} = :{name}" for name in key)
    where = "".join(f" AND m.{name} = :{name}" for name in given.given())
    values: dict[str, Any] = {"p": project_id, "at": at, "limit": page.limit, **given.given()}
    if page.after is not None:
        where += " AND (m.created_at, m.id) < (:created, :id)"
        values |= {"created": page.after[0], "id": page.after[1]}
    rows = session.execute(
        sa.text(
            f"{_THEN} AND m.scope_id IN (SELECT s.id FROM scopes s WHERE s.project_id = :p{scopes}){where}"
            f" AND ({_EXPIRED} IS NULL OR {_EXPIRED} >= (CAST(:at AS timestamptz) AT TIME ZONE 'UTC')::date)"
            " ORDER BY m.created_at DESC, m.id DESC LIMIT :limit"
        ),
        values,
    )
    return [_then(row) for row in rows]


def _then(row: Any) -> Memory:
    memory = memory_of(row)
    if row.then_image is not None:
        memory = restored(memory, row.then_image)
    updated_at = memory.updated_at if row.then_version == memory.version else row.then_at
    return replace(
        memory, text=row.then_text, hash=bytes(row.then_hash), version=row.then_version, state="current",
        replaced_by=None, valid_from=row.then_from, valid_to=row.then_to, updated_at=updated_at,
    )  # fmt: skip
