"""Filling a new vector collection while the old one serves: after a change of model, or when asked to rebuild.

A step is small and any worker may take it; where it stands is kept in Postgres, so that a stop costs nothing.
"""

from __future__ import annotations

from functools import partial

from shared.db import index_collections, tenancy
from shared.db.engine import Session
from shared.db.index_collections import BM25_ONLY, Collection
from shared.logs import get_logger
from shared.vectors.layout import collection_name
from workers.parts import Parts

ALIAS = "flumes-memories"  # what a person or another tool may search; the service reads by the name in Postgres

_PAGE = 1_000
_GRACE = 30.0  # seconds a retired collection stays for readers that still know it

_log = get_logger(__name__)


@tenancy.across(tenancy.Role.INDEX)
def advance(parts: Parts) -> None:
    """One step: begin when the configured model is not the one that serves, queue a page, swap when full, clean up."""
    active = parts.db.run(index_collections.active)
    target = parts.db.run(index_collections.building)
    if target is None and active is not None and _wants_change(parts, active):
        target = begin(parts, parts.embedder.model if parts.embedder else BM25_ONLY)
    if target is not None:
        parts.db.run(partial(index_collections.queue_page, name=target.name, batch=_PAGE))
        finish(parts, target)
    if active is not None and active.refilling:
        refill(parts, active)
    for name in parts.db.run(partial(index_collections.abandoned, seconds=_GRACE)):
        drop(parts, name)


def refill(parts: Parts, active: Collection) -> None:
    """One step of writing a collection again whose data were lost; the queue does the rest."""
    parts.db.run(partial(index_collections.queue_page, name=active.name, batch=_PAGE))
    if parts.db.run(partial(index_collections.end_refilling, name=active.name)):
        _log.info("index_refilled", collection=active.name)


def _wants_change(parts: Parts, active: Collection) -> bool:
    """Taking a model away changes nothing: its vectors stay useful when it comes back, words are searched meanwhile."""
    return parts.embedder is not None and parts.embedder.model != active.model


def begin(parts: Parts, model: str) -> Collection:
    """Register the next generation of a collection for a model; from now on every change is queued for it too."""
    known = parts.db.run(index_collections.listing)
    names = {collection.name for collection in known} | set(parts.index.collections())
    label = None if model == BM25_ONLY else model
    name = next(found for n in range(1, len(names) + 2) if (found := collection_name(label, n)) not in names)

    def register(session: Session) -> Collection:
        index_collections.register(session, name, model, None, "building")
        found = index_collections.building(session)
        assert found is not None  # noqa: S101 - registered now, or by another worker
        return found

    _log.info("reindex_begins", model=model, collection=name)
    return parts.db.run(register)


def finish(parts: Parts, target: Collection) -> bool:
    """Swap when nothing is left to write; True when the collection serves now."""
    if not parts.db.run(partial(index_collections.activate_when_full, name=target.name)):
        return False
    parts.ensure_collection(target.name, target.dimensions)  # an empty store has written nothing yet
    parts.index.point_alias(ALIAS, target.name)
    _log.info("reindex_done", model=target.model, collection=target.name)
    return True


def drop(parts: Parts, name: str) -> None:
    """Remove a retired collection from the index and from Postgres."""
    parts.index.drop(name)
    parts.db.run(partial(index_collections.forget, name=name))
