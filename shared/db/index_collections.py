"""The vector collections in use: which physical collection serves, which is being built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

BM25_ONLY = "bm25"  # the model name of a collection without dense vectors

_PAGE = 1_000
_SETTLED = 5.0  # seconds: what was queued before that and is not in the queue any more was written
_COLUMNS = "name, model, dimensions, state, refilling"

CollectionState = Literal["building", "active", "retired"]


@dataclass(frozen=True, slots=True)
class Collection:
    """A physical collection; `dimensions` None = BM25 only. `refilling`: it lost points, which are written again."""

    name: str
    model: str
    dimensions: int | None
    state: CollectionState
    refilling: bool = False


def _collection(row: sa.Row[tuple[object, ...]]) -> Collection:
    return Collection(**row._mapping)


def active(session: Session) -> Collection | None:
    """The collection that serves searches."""
    row = session.execute(sa.text(f"SELECT {_COLUMNS} FROM index_collections WHERE state = 'active'")).one_or_none()
    return None if row is None else _collection(row)


def listing(session: Session) -> list[Collection]:
    """All collections known, oldest first."""
    rows = session.execute(sa.text(f"SELECT {_COLUMNS} FROM index_collections ORDER BY created_at"))
    return [_collection(row) for row in rows]


def register(session: Session, name: str, model: str, dimensions: int | None, state: CollectionState) -> bool:
    """Note a collection before it is made; False when it (or another active one) is there already."""
    row = session.execute(
        sa.text(
            "INSERT INTO index_collections (name, model, dimensions, state) VALUES (:n, :m, :d, :s)"
            " ON CONFLICT DO NOTHING RETURNING name"
        ),
        {"n": name, "m": model, "d": dimensions, "s": state},
    ).one_or_none()
    return row is not None


def ensure(session: Session, model: str, name: str) -> Collection:
    """The active collection; on a fresh database this one, so that no change is ever queued for nobody.

    Memories stored before it was known are queued. Its vector size is filled in with the first vector
    (`fix_dimensions`); no call to the index or a model is made.
    """
    if register(session, name, model, None, "active"):
        last: object = None
        while (last := queue_everything(session, name, batch=_PAGE, after=last)) is not None:
            pass
    found = active(session)
    assert found is not None  # noqa: S101 - registered now or before
    return found


def fix_dimensions(session: Session, name: str, dimensions: int) -> int:
    """Settle the vector size of a collection once; returns the settled one."""
    session.execute(
        sa.text("UPDATE index_collections SET dimensions = :d WHERE name = :n AND dimensions IS NULL"),
        {"n": name, "d": dimensions},
    )
    found = session.execute(
        sa.text("SELECT dimensions FROM index_collections WHERE name = :n"), {"n": name}
    ).scalar_one()
    return int(found)


def settle_bm25(session: Session, name: str) -> None:
    """A collection that was meant for a model that is not configured any more, before any vector came: BM25 only."""
    session.execute(
        sa.text("UPDATE index_collections SET model = :m WHERE name = :n AND dimensions IS NULL"),
        {"m": BM25_ONLY, "n": name},
    )


def building(session: Session) -> Collection | None:
    """The collection being filled, if any; the newest."""
    row = session.execute(
        sa.text(f"SELECT {_COLUMNS} FROM index_collections WHERE state = 'building' ORDER BY created_at DESC LIMIT 1")
    ).one_or_none()
    return None if row is None else _collection(row)


def queue_page(session: Session, name: str, batch: int) -> bool:
    """Queue the next page of a collection that is being filled, or filled again; True once everything was queued.

    The place reached is kept in the row, so that any worker can go on; one of them at a time.
    """
    row = session.execute(
        sa.text(
            "SELECT queued_to, queued_all FROM index_collections"
            " WHERE name = :n AND (state = 'building' OR refilling) FOR UPDATE SKIP LOCKED"
        ),
        {"n": name},
    ).one_or_none()
    if row is None or row.queued_all:
        return row is not None
    last = queue_everything(session, name, batch=batch, after=row.queued_to)
    session.execute(
        sa.text(
            "UPDATE index_collections SET queued_to = coalesce(CAST(:last AS uuid), queued_to),"
            " queued_all = CAST(:last AS uuid) IS NULL WHERE name = :n"
        ),
        {"last": last, "n": name},
    )
    return last is None


def activate(session: Session, name: str) -> None:
    """This collection serves from now on; the one before is retired and its rows in the queue are dropped."""
    session.execute(
        sa.text(
            "UPDATE index_collections SET state = 'retired', retired_at = clock_timestamp()"
            " WHERE state = 'active' AND name <> :n"
        ),
        {"n": name},
    )
    session.execute(sa.text("UPDATE index_collections SET state = 'active' WHERE name = :n"), {"n": name})
    session.execute(
        sa.text(
            "DELETE FROM index_queue WHERE collection IN (SELECT name FROM index_collections WHERE state = 'retired')"
        )
    )


def activate_when_full(session: Session, name: str) -> bool:
    """Let a collection serve when everything was queued for it and nothing is left to write; True when it does now."""
    row = session.execute(
        sa.text(
            """
            SELECT 1 FROM index_collections WHERE name = :n AND state = 'building' AND queued_all
              AND NOT EXISTS (SELECT 1 FROM index_queue WHERE collection = :n) FOR UPDATE
            """
        ),
        {"n": name},
    ).one_or_none()
    if row is None:
        return False
    activate(session, name)
    return True


def epoch(session: Session, name: str) -> UUID | None:
    """What a collection's data go by; None = nothing was ever written to it."""
    found: UUID | None = session.execute(
        sa.text("SELECT epoch FROM index_collections WHERE name = :n"), {"n": name}
    ).scalar_one_or_none()
    return found


def begin_epoch(session: Session, name: str, known: UUID | None, epoch: UUID) -> bool:
    """From now on the collection's data go by this epoch; where there was one before, everything is written again.

    False (and nothing changes) when its epoch is not the `known` one any more.
    """
    row = session.execute(
        sa.text(
            """
            UPDATE index_collections SET epoch = :epoch, refilling = CAST(:known AS uuid) IS NOT NULL,
                queued_to = CASE WHEN CAST(:known AS uuid) IS NULL THEN queued_to END,
                queued_all = CAST(:known AS uuid) IS NULL AND queued_all
            WHERE name = :n AND epoch IS NOT DISTINCT FROM CAST(:known AS uuid) RETURNING name
            """
        ),
        {"n": name, "known": known, "epoch": epoch},
    ).one_or_none()
    return row is not None


def end_refilling(session: Session, name: str) -> bool:
    """True when everything was queued and nothing of it is left to write: searches may be trusted again."""
    row = session.execute(
        sa.text(
            """
            UPDATE index_collections SET refilling = false WHERE name = :n AND refilling AND queued_all AND NOT EXISTS (
                SELECT 1 FROM index_queue WHERE collection = :n
                AND queued_at < clock_timestamp() - make_interval(secs => :settled))
            RETURNING name
            """
        ),
        {"n": name, "settled": _SETTLED},
    ).one_or_none()
    return row is not None


def abandoned(session: Session, seconds: float) -> list[str]:
    """Retired collections that no reader can still be using: retired at least `seconds` ago."""
    rows = session.execute(
        sa.text(
            "SELECT name FROM index_collections WHERE state = 'retired'"
            " AND (retired_at IS NULL OR retired_at < clock_timestamp() - make_interval(secs => :s))"
        ),
        {"s": seconds},
    )
    return [row.name for row in rows]


def left(session: Session, name: str) -> tuple[int, int]:
    """(changes left, current memories) of a collection that is being filled; what is not queued yet counts as left."""
    row = session.execute(
        sa.text(
            """
            SELECT (SELECT count(*) FROM index_queue WHERE collection = :n)
                 + (SELECT count(*) FROM memories m, index_collections c WHERE c.name = :n AND NOT c.queued_all
                    AND m.state IN ('current', 'source') AND (c.queued_to IS NULL OR m.id > c.queued_to)) AS waiting,
                   (SELECT count(*) FROM memories WHERE state IN ('current', 'source')) AS total
            """
        ),
        {"n": name},
    ).one()
    return int(row.waiting), int(row.total)


def forget(session: Session, name: str) -> None:
    """A retired collection was dropped."""
    session.execute(sa.text("DELETE FROM index_queue WHERE collection = :n"), {"n": name})
    session.execute(sa.text("DELETE FROM index_collections WHERE name = :n AND state <> 'active'"), {"n": name})


def queue_everything(session: Session, name: str, *, batch: int, after: object = None) -> object:
    """Queue an upsert into `name` for the next `batch` current memories in id order; the last id, None at the end."""
    row = session.execute(
        sa.text(
            """
            WITH page AS (
                SELECT project_id, scope_id, id, version FROM memories
                WHERE state IN ('current', 'source') AND (CAST(:after AS uuid) IS NULL OR id > CAST(:after AS uuid))
                ORDER BY id LIMIT :batch
            ), queued AS (
                INSERT INTO index_queue AS q (collection, memory_id, project_id, scope_id, version, op)
                SELECT :name, id, project_id, scope_id, version, 'upsert' FROM page
                ON CONFLICT (collection, memory_id) DO NOTHING
            )
            SELECT id FROM page ORDER BY id DESC LIMIT 1
            """
        ),
        {"name": name, "batch": batch, "after": after},
    ).one_or_none()
    return None if row is None else row.id
