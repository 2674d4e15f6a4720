"""Idempotency keys: one row per (project, endpoint, key), written in the accept transaction."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.errors import Unprocessable


@dataclass(frozen=True, slots=True)
class Key:
    """A caller's Idempotency-Key with a SHA-256 of the canonical body (waiting options left out).

    `sealed`: what stands for the key once the request behind it was erased.
    """

    endpoint: str
    key: str
    fingerprint: bytes
    days: int = 7
    sealed: str = ""


SEALED_ENDPOINT = "erased"  # where a key lives on whose request was erased


_TAKE = sa.text(
    """
    INSERT INTO idempotency_keys AS k (project_id, endpoint, key, fingerprint, event_id)
    VALUES (:project_id, :endpoint, :key, :fingerprint, :event_id)
    ON CONFLICT (project_id, endpoint, key) DO UPDATE
        SET fingerprint = excluded.fingerprint, event_id = excluded.event_id, created_at = clock_timestamp()
        WHERE k.created_at < clock_timestamp() - make_interval(days => :days)
    RETURNING event_id
    """
)


def take(session: Session, project_id: UUID, key: Key, event_id: UUID) -> UUID | None:
    """Take the key for `event_id` (None), or the event that already holds it.

    Waits for a concurrent holder's transaction. Raises `Unprocessable` when the key was used with another body. A key
    whose request was erased stays with that request's event, whatever the body: it cannot be told any more.
    """
    values = {
        "project_id": project_id, "endpoint": key.endpoint, "key": key.key, "fingerprint": key.fingerprint,
        "event_id": event_id, "days": key.days,
    }  # fmt: skip
    if session.execute(_TAKE, values).one_or_none() is not None:
        return _erased(session, project_id, key)
    row = session.execute(
        sa.text(
            "SELECT fingerprint, event_id FROM idempotency_keys WHERE project_id = :p AND endpoint = :e AND key = :k"
        ),
        {"p": project_id, "e": key.endpoint, "k": key.key},
    ).one()
    if bytes(row.fingerprint) != key.fingerprint:
        raise Unprocessable(
            "this Idempotency-Key was used with another body",
            code="idempotency_key_reused",
            field="Idempotency-Key",
            extra={"event_id": str(row.event_id)},
        )
    found: UUID = row.event_id
    return found


def _erased(session: Session, project_id: UUID, key: Key) -> UUID | None:
    """The event of an erased request that had this key; the row just taken for it goes again.

    Read after the row was taken: an erasure that ran meanwhile is seen.
    """
    if not key.sealed:
        return None
    values = {"p": project_id, "sealed": SEALED_ENDPOINT, "name": key.sealed, "e": key.endpoint, "k": key.key}
    held: UUID | None = session.execute(
        sa.text("SELECT event_id FROM idempotency_keys WHERE project_id = :p AND endpoint = :sealed AND key = :name"),
        values,
    ).scalar_one_or_none()
    if held is not None:
        session.execute(
            sa.text("DELETE FROM idempotency_keys WHERE project_id = :p AND endpoint = :e AND key = :k"), values
        )
    return held


def prune(session: Session, days: int, limit: int = 5_000) -> int:
    """Drop keys older than `days`; returns how many."""
    result = session.execute(
        sa.text(
            """
            DELETE FROM idempotency_keys WHERE ctid IN (
                SELECT ctid FROM idempotency_keys
                WHERE created_at < clock_timestamp() - make_interval(days => :days) LIMIT :limit)
            """
        ),
        {"days": days, "limit": limit},
    )
    return int(result.rowcount)  # type: ignore[attr-defined]
