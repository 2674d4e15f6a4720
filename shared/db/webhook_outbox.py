"""Deliveries from the change that causes them to their end: written with it, claimed, settled, in the end forgotten.

A delivery names a version of a memory and is gone with it; the text is read when it is sent. What was erased is told
without a version.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.model.ids import uuid7
from shared.model.memory import VersionRow
from shared.model.notices import ADDED, DELETED, UPDATED, Notice
from shared.model.scope import ID_FIELDS, ScopeIds

# Asked by the statement that writes a change: a project without webhooks pays one look at an index, and no more.
HEARD = "(EXISTS (SELECT 1 FROM webhooks w WHERE w.project_id = :p AND w.is_active))"

_TELL = sa.text(
    """
    INSERT INTO webhook_deliveries (project_id, id, webhook_id, event_type, memory_id, version)
    SELECT w.project_id, gen_random_uuid(), w.id, k.event_type, c.memory_id, c.version
    FROM webhooks w
    CROSS JOIN unnest(CAST(:memories AS uuid[]), CAST(:versions AS int[]), CAST(:types AS text[]),
        CAST(:before AS text[])) WITH ORDINALITY AS c(memory_id, version, event_type, categories, place)
    CROSS JOIN LATERAL (
        SELECT 1 AS nth, c.event_type
        UNION ALL
        SELECT 2, 'memory_categorize' FROM memories m WHERE m.project_id = :p AND m.id = c.memory_id
            AND to_jsonb(m.categories) <> CAST(c.categories AS jsonb)
    ) k
    WHERE w.project_id = :p AND w.is_active AND k.event_type = ANY(w.event_types)
    ORDER BY c.place, k.nth, w.id
    """
)


def tell(session: Session, project_id: UUID, rows: Sequence[VersionRow]) -> None:
    """Write deliveries of these new versions of memories, in the transaction that made them, in this order."""
    told = [(row, event_type) for row in rows if (event_type := _type_of(row)) is not None]
    session.execute(
        _TELL,
        {
            "p": project_id,
            "memories": [row.memory_id for row, _ in told],
            "versions": [row.version for row, _ in told],
            "types": [event_type for _, event_type in told],
            # What is gone has no categories to tell of: null compares with nothing.
            "before": [
                None if row.new_text is None else orjson.dumps((row.before or {}).get("categories", [])).decode()
                for row, _ in told
            ],
        },
    )  # fmt: skip


def _type_of(row: VersionRow) -> str | None:
    """What a webhook calls this change; None for the end of a memory that was not current any more."""
    was_current = row.before is not None and row.before["state"] == "current"
    if row.new_text is None:
        return DELETED if was_current else None
    return UPDATED if was_current else ADDED


def tell_erased(session: Session, project_id: UUID, ids: Sequence[UUID]) -> None:
    """Before these memories are erased: tell that they go, and nothing else of them.

    Those that were hidden are told of only where a delivery about them was still open, for it goes with them.
    """
    session.execute(
        sa.text(
            """
            INSERT INTO webhook_deliveries (project_id, id, webhook_id, event_type, memory_id)
            SELECT w.project_id, gen_random_uuid(), w.id, 'memory_delete', m.id
            FROM webhooks w JOIN memories m ON m.project_id = w.project_id AND m.id = ANY(:ids)
            WHERE w.project_id = :p AND w.is_active AND 'memory_delete' = ANY(w.event_types)
              AND (m.state = 'current' OR EXISTS (
                SELECT 1 FROM webhook_deliveries d WHERE d.project_id = m.project_id AND d.webhook_id = w.id
                  AND d.memory_id = m.id AND d.state = 'pending'))
            ORDER BY m.created_at, m.id, w.id
            """
        ),
        {"p": project_id, "ids": list(ids)},
    )


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery in work. `claim`: whoever holds it may settle it."""

    project_id: UUID
    id: UUID
    webhook_id: UUID
    attempts: int
    claim: UUID


_TAKE = sa.text(
    """
    WITH open AS (
        SELECT w.project_id, w.id, CASE WHEN w.failures > 0 THEN 1 ELSE :each END - (
            SELECT count(*) FROM webhook_deliveries b WHERE b.project_id = w.project_id AND b.webhook_id = w.id
              AND b.state = 'pending' AND b.claim IS NOT NULL AND b.due_at > clock_timestamp()) AS room
        FROM webhooks w WHERE w.is_active AND (w.rest_until IS NULL OR w.rest_until <= clock_timestamp())
          AND w.project_id <> ALL(CAST(:full AS uuid[]))
    ), due AS (
        SELECT d.project_id, d.id, row_number() OVER (PARTITION BY d.project_id ORDER BY random()) AS nth
        FROM open CROSS JOIN LATERAL (
            SELECT d.project_id, d.id FROM webhook_deliveries d
            WHERE d.project_id = open.project_id AND d.webhook_id = open.id AND d.state = 'pending'
              AND d.due_at <= clock_timestamp() AND NOT EXISTS (
                SELECT 1 FROM webhook_deliveries e WHERE e.project_id = d.project_id AND e.webhook_id = d.webhook_id
                  AND e.memory_id = d.memory_id AND e.state = 'pending' AND e.position < d.position)
            ORDER BY d.position LIMIT greatest(0, open.room) FOR UPDATE SKIP LOCKED
        ) d
    ), next AS (
        SELECT project_id, id FROM due ORDER BY nth, random() LIMIT :limit
    )
    UPDATE webhook_deliveries d SET claim = :claim, due_at = clock_timestamp() + make_interval(secs => :lease)
    FROM next WHERE d.project_id = next.project_id AND d.id = next.id
    RETURNING d.project_id, d.id, d.webhook_id, d.attempts
    """
)


def take(session: Session, *, limit: int, each: int, lease: float, full: Sequence[UUID] = ()) -> list[Taken]:
    """Up to `limit` due deliveries, `each` of one webhook in work at a time, for `lease` seconds; across projects.

    Projects take turns; those that are `full` get none. Of one memory only the oldest open delivery is due, so a
    webhook learns its changes in their order.
    """
    claim = uuid7()
    rows = session.execute(_TAKE, {"limit": limit, "each": each, "lease": lease, "claim": claim, "full": list(full)})
    return [Taken(row.project_id, row.id, row.webhook_id, row.attempts, claim) for row in rows]


def notice(session: Session, taken: Taken) -> Notice | None:
    """What is to be told; None when the claim was lost or the delivery is gone."""
    row = session.execute(
        sa.text(
            """
            SELECT d.event_type, d.memory_id, d.version, d.created_at, m.user_id, m.agent_id, m.app_id, m.run_id,
                v.new_text, v.old_text, v.event_id, v.at, m.state, m.categories
            FROM webhook_deliveries d
            LEFT JOIN memory_versions v
                ON v.project_id = d.project_id AND v.memory_id = d.memory_id AND v.version = d.version
            LEFT JOIN memories m ON m.project_id = d.project_id AND m.id = d.memory_id AND d.version IS NOT NULL
            WHERE d.project_id = :p AND d.id = :id AND d.claim = :claim AND d.state = 'pending'
            """
        ),
        {"p": taken.project_id, "id": taken.id, "claim": taken.claim},
    ).one_or_none()
    if row is None:
        return None
    ids = ScopeIds(**{name: getattr(row, name) for name in ID_FIELDS})
    return Notice(
        row.event_type, row.memory_id, ids, row.at or row.created_at, row.version, row.new_text, row.old_text,
        row.state, tuple(row.categories or ()), row.event_id,
    )  # fmt: skip


def settle(
    session: Session, taken: Taken, *, state: str, status: int | None, error: str | None, delay: float | None = None
) -> bool:
    """Write down an attempt: `delivered`, `failed`, or `pending` again in `delay` seconds. False: the claim is lost."""
    result = session.execute(
        sa.text(
            """
            UPDATE webhook_deliveries SET state = :state, attempts = attempts + 1, claim = NULL, last_status = :status,
                last_error = :error, ended_at = CASE WHEN :state <> 'pending' THEN clock_timestamp() END,
                due_at = clock_timestamp() + make_interval(secs => :delay)
            WHERE project_id = :p AND id = :id AND claim = :claim AND state = 'pending'
            """
        ),
        {
            "p": taken.project_id, "id": taken.id, "claim": taken.claim, "state": state, "status": status,
            "error": error, "delay": delay or 0.0,
        },
    )  # fmt: skip
    return bool(result.rowcount)  # type: ignore[attr-defined]


def give_back(session: Session, taken: Taken) -> None:
    """Not sent after all: due again at once, no attempt counted."""
    session.execute(
        sa.text(
            "UPDATE webhook_deliveries SET claim = NULL, due_at = clock_timestamp()"
            " WHERE project_id = :p AND id = :id AND claim = :claim AND state = 'pending'"
        ),
        {"p": taken.project_id, "id": taken.id, "claim": taken.claim},
    )


def waiting(session: Session) -> tuple[int, float]:
    """Open deliveries of active webhooks and the age of the oldest in seconds; across projects."""
    row = session.execute(
        sa.text(
            """
            SELECT count(*) AS number, coalesce(extract(epoch FROM clock_timestamp() - min(d.created_at)), 0) AS age
            FROM webhook_deliveries d JOIN webhooks w ON w.project_id = d.project_id AND w.id = d.webhook_id
            WHERE d.state = 'pending' AND w.is_active
            """
        )
    ).one()
    return int(row.number), float(row.age)


def prune(session: Session, days: float, *, everything: bool, limit: int = 5_000) -> int:
    """Forget up to `limit` deliveries older than so many days that ended, or whose webhook is switched off.

    `everything`: also what waits, since nobody delivers.
    """
    result = session.execute(
        sa.text(
            """
            DELETE FROM webhook_deliveries d USING (
                SELECT o.project_id, o.id FROM webhook_deliveries o
                JOIN webhooks w ON w.project_id = o.project_id AND w.id = o.webhook_id
                WHERE o.created_at < clock_timestamp() - make_interval(secs => :days * 86400)
                  AND (:everything OR o.state <> 'pending' OR NOT w.is_active)
                ORDER BY o.created_at LIMIT :limit FOR UPDATE OF o SKIP LOCKED
            ) old WHERE d.project_id = old.project_id AND d.id = old.id
            """
        ),
        {"days": days, "limit": limit, "everything": everything},
    )
    return int(result.rowcount)  # type: ignore[attr-defined]
