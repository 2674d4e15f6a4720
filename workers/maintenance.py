"""Comparing the vector index with Postgres, repairing it and building it anew; reads are served throughout."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from shared.db import index_audit, index_collections
from shared.db.engine import Database
from shared.db.index_collections import BM25_ONLY, Collection
from shared.errors import Unavailable
from shared.settings import Settings
from shared.vectors.layout import collection_name
from shared.vectors.types import Tombstone
from workers.assembly import make_parts
from workers.parts import Parts
from workers.pipeline.index import index

ALIAS = "flumes-memories"  # what a person or another tool may search; the service reads by the name in Postgres

Progress = Callable[[str, int, int], None]  # step, done, of how many

_PAGE = 2_000
_PAUSE = 0.2  # seconds between looks while other workers apply the rows
_ANY_VERSION = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Report:
    """What `verify` found in the active collection. `waiting`: rows the index has not been told yet, no fault."""

    collection: str
    memories: int
    points: int
    waiting: int
    missing: tuple[UUID, ...]
    extra: tuple[UUID, ...]
    stale: tuple[UUID, ...]

    @property
    def clean(self) -> bool:
        return not (self.missing or self.extra or self.stale)


@contextmanager
def _parts(settings: Settings) -> Iterator[Parts]:
    """A worker's parts without a worker: no bells, no poll, and no model is called."""
    database = Database(settings.database_url, pool_size=4, name="flumes-maintenance")
    background = ThreadPoolExecutor(1)
    quiet = settings.model_copy(update={"extractor": "rules"})
    parts = make_parts(quiet, database, background, "maintenance")
    try:
        yield parts
    finally:
        background.shutdown(wait=True)
        parts.waker.close()
        parts.index.close()
        database.close()


def _nothing(step: str, done: int, total: int) -> None:
    """Progress nobody asked for."""


def verify(settings: Settings, *, repair: bool = False, progress: Progress = _nothing) -> Report:
    """Compare every current memory with its point. `repair` queues what differs and applies it.

    Raises `Snooze` when the index is away, `Unavailable` when Postgres is.
    """
    with _parts(settings) as parts:
        collection = _active(parts)
        parts.ensure_collection(collection.name, collection.dimensions)
        report = _compare(parts, collection, progress)
        if repair and not report.clean:
            _repair(parts, report, progress)
            report = _compare(parts, collection, progress)
        return report


def _active(parts: Parts) -> Collection:
    collection = parts.db.run(index_collections.active)
    if collection is None:
        raise Unavailable("no vector collection is registered; start a worker once", code="index_unregistered")
    return collection


def _compare(parts: Parts, collection: Collection, progress: Progress) -> Report:
    stored = dict(_stored(parts))
    waiting = set(parts.db.run(lambda session: index_audit.waiting(session, collection.name)))
    points: dict[UUID, int] = {}
    for memory_id, version in parts.index.scan(collection.name, None):
        points[memory_id] = version
        if len(points) % _PAGE == 0:
            progress("compared", len(points), len(stored))
    suspects = {key for key in stored.keys() | points.keys() if stored.get(key) != points.get(key)} - waiting
    # What moved while the index was read is no fault: only what still stands as it did may be called one.
    now = parts.db.run(lambda session: index_audit.versions(session, list(suspects)))
    waiting |= set(parts.db.run(lambda session: index_audit.waiting(session, collection.name)))
    firm = {key for key in suspects - waiting if now.get(key) == stored.get(key)}
    progress("compared", len(stored), len(stored))
    return Report(
        collection.name,
        len(stored),
        len(points),
        len(waiting),
        missing=tuple(sorted(key for key in firm if key not in points)),
        extra=tuple(sorted(key for key in firm if key not in stored)),
        stale=tuple(sorted(key for key in firm if key in points and key in stored)),
    )


def _stored(parts: Parts) -> Iterator[tuple[UUID, int]]:
    after: UUID | None = None
    while True:
        page = parts.db.run(lambda session, after=after: index_audit.current(session, after, _PAGE))  # type: ignore[misc]
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1][0]


def _repair(parts: Parts, report: Report, progress: Progress) -> None:
    """Points of a wrong version or without a memory go, then every memory at fault is written again."""
    wrong_points = [Tombstone(memory_id, _ANY_VERSION) for memory_id in (*report.extra, *report.stale)]
    parts.index.delete(report.collection, wrong_points)
    wrong = [*report.missing, *report.stale]
    for start in range(0, len(wrong), _PAGE):
        part = wrong[start : start + _PAGE]
        parts.db.run(lambda session, part=part: index_audit.requeue(session, report.collection, part))  # type: ignore[misc]
    _apply_all(parts, report.collection, len(wrong), progress)


def rebuild(settings: Settings, *, progress: Progress = _nothing) -> Report:
    """Build a new collection from Postgres, swap it in, drop the old one. Embeddings that are kept are not paid again.

    Interrupted, it goes on where it was when called again. Reads are served by the old collection until the swap.
    """
    with _parts(settings) as parts:
        old = _active(parts)
        new = _building(parts, old)
        parts.index.create(new.name, new.dimensions)
        total = _queue_all(parts, new)
        _apply_all(parts, new.name, total, progress)
        report = _compare(parts, new, progress)
        parts.db.run(lambda session: index_collections.activate(session, new.name))
        parts.index.point_alias(ALIAS, new.name)
        _drop_retired(parts)
        return report


def _building(parts: Parts, old: Collection) -> Collection:
    """The collection to fill: one an interrupted rebuild left, or the next generation of the active one."""
    known = parts.db.run(index_collections.listing)
    for collection in known:
        if collection.state == "building" and collection.model == old.model:
            return collection
    names = {collection.name for collection in known} | set(parts.index.collections())
    model = None if old.model == BM25_ONLY else old.model
    generation = next(n for n in range(1, len(names) + 2) if collection_name(model, n) not in names)
    state: Literal["building"] = "building"
    new = Collection(collection_name(model, generation), old.model, old.dimensions, state)
    parts.db.run(lambda session: index_collections.register(session, new.name, new.model, new.dimensions, state))
    return new


def _queue_all(parts: Parts, collection: Collection) -> int:
    after: object = None
    while True:
        after = parts.db.run(
            lambda session, after=after: index_collections.queue_everything(  # type: ignore[misc]
                session, collection.name, batch=_PAGE, after=after
            )
        )
        if after is None:
            return int(parts.db.run(lambda session: len(index_audit.waiting(session, collection.name))))


def _apply_all(parts: Parts, collection: str, total: int, progress: Progress) -> None:
    """Apply rows until the collection has none left; other workers may take some of them."""
    while True:
        applied = index(parts)
        left = len(parts.db.run(lambda session: index_audit.waiting(session, collection)))
        progress("written", max(0, total - left), total)
        if left == 0:
            return
        if applied == 0:  # others hold the rest, or the index is away: then this says so
            parts.index.ping()
            time.sleep(_PAUSE)


def _drop_retired(parts: Parts) -> None:
    for collection in parts.db.run(index_collections.listing):
        if collection.state == "retired":
            parts.index.drop(collection.name)
            parts.db.run(lambda session, name=collection.name: index_collections.forget(session, name))  # type: ignore[misc]
