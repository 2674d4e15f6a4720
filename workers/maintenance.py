"""Comparing the vector index with Postgres, repairing it and building it anew; reads are served throughout."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from shared.db import index_audit, index_collections, tenancy
from shared.db.engine import Database
from shared.db.index_collections import BM25_ONLY, Collection
from shared.errors import Unavailable
from shared.settings import Settings
from shared.vectors.types import EVERYWHERE, Tombstone
from workers import reindex
from workers.assembly import make_parts
from workers.parts import Parts
from workers.pipeline.index import index

Progress = Callable[[str, int, int], None]  # step, done, of how many

_PAGE = 2_000
_PAUSE = 0.2  # seconds between looks while other workers apply the rows
_ANY_VERSION = 2**31 - 1
_READERS = 2.0  # seconds after the swap in which API processes may still know the old collection


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
    database = Database(settings.database_url, pool_size=4, name="flumes-maintenance", walls=True)
    background = ThreadPoolExecutor(1)
    quiet = settings.model_copy(update={"extractor": "rules", "embeddings": settings.embeddings_name})
    parts = make_parts(quiet, database, background, "maintenance")
    try:
        with tenancy.across(tenancy.Role.INDEX):
            yield parts
    finally:
        background.shutdown(wait=True)
        parts.close()


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
    for memory_id, version in parts.index.scan(collection.name, EVERYWHERE):
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
    wrong_points = [Tombstone(memory_id, _ANY_VERSION, EVERYWHERE) for memory_id in (*report.extra, *report.stale)]
    parts.index.delete(report.collection, wrong_points)
    wrong = [*report.missing, *report.stale]
    for start in range(0, len(wrong), _PAGE):
        part = wrong[start : start + _PAGE]
        parts.db.run(lambda session, part=part: index_audit.requeue(session, report.collection, part))  # type: ignore[misc]
    _apply_all(parts, report.collection, len(wrong), progress)


def rebuild(settings: Settings, *, progress: Progress = _nothing) -> Report:
    """Build a new collection of the same model from Postgres, swap it in, drop the old one.

    Embeddings that are kept are not paid again. Interrupted, it goes on where it was when called again. Reads are
    served by the old collection until the swap.
    """
    with _parts(settings) as parts:
        active = _active(parts)
        return _fill(parts, lambda: reindex.begin(parts, active.model), progress)


def change_model(settings: Settings, *, progress: Progress = _nothing) -> Report:
    """Fill a collection for the configured embedding model and swap it in; workers do the same by themselves.

    Where the configured model serves already, nothing is built.
    """
    with _parts(settings) as parts:
        active = _active(parts)
        model = parts.embedder.model if parts.embedder else BM25_ONLY
        if active.model == model and parts.db.run(index_collections.building) is None:
            return _compare(parts, active, progress)
        return _fill(parts, lambda: reindex.begin(parts, model), progress)


def _fill(parts: Parts, begin: Callable[[], Collection], progress: Progress) -> Report:
    old = _active(parts)
    target = parts.db.run(index_collections.building) or begin()
    while not parts.db.run(partial(index_collections.queue_page, name=target.name, batch=_PAGE)):
        if _active(parts).name == target.name:  # a worker was faster
            break
    _, total = parts.db.run(partial(index_collections.left, name=target.name))
    _apply_all(parts, target.name, total, progress)
    while not reindex.finish(parts, target) and _active(parts).name != target.name:
        _apply_all(parts, target.name, total, progress)
    time.sleep(_READERS)
    reindex.drop(parts, old.name)
    return _compare(parts, _active(parts), progress)


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
