"""Whether the index still holds what was written to it: a mark in the index that is known to Postgres.

An engine that lost its data, or got other data, lacks the mark of its collection: then everything is written again, and
until that is done no window trusts a search. Embeddings that are kept are not paid again.
"""

from __future__ import annotations

from functools import partial
from uuid import UUID

from shared.db import index_collections, tenancy
from shared.db.engine import Database
from shared.logs import get_logger
from shared.model.ids import uuid7
from shared.vectors.index import VectorIndex

_log = get_logger(__name__)


def mark(name: str, epoch: UUID) -> str:
    """The alias that goes with the data of a collection, and only with them."""
    return f"{name}-{epoch.hex}"


@tenancy.across(tenancy.Role.INDEX)
def ensure(db: Database, index: VectorIndex, name: str, dimensions: int | None) -> None:
    """Make the collection where it is missing. Raises `Snooze` when the index is away."""
    if name in index.collections():
        index.create(name, dimensions)  # its payload indexes may be missing
        return
    known = db.run(partial(index_collections.epoch, name=name))
    _begin(db, index, name, dimensions, known)


@tenancy.across(tenancy.Role.INDEX)
def look(db: Database, index: VectorIndex) -> None:
    """Compare the marks of all collections in use. Raises `Snooze` when the index is away."""
    there = set(index.collections())
    for found in db.run(index_collections.listing):
        known = db.run(partial(index_collections.epoch, name=found.name))
        if found.state == "retired" or (known is None and found.name not in there):
            continue  # nothing was written to it yet, or nothing is any more
        if known is None or index.alias_target(mark(found.name, known)) != found.name:
            _begin(db, index, found.name, found.dimensions, known)


def _begin(db: Database, index: VectorIndex, name: str, dimensions: int | None, known: UUID | None) -> None:
    """A new epoch. Of data that were lost Postgres hears first: nobody finds an empty collection not known as one.

    A first one is told when its mark stands: whoever dies in between leaves a collection without an epoch, no loss.
    """
    epoch = uuid7()
    begin = partial(index_collections.begin_epoch, name=name, known=known, epoch=epoch)
    begun = known is not None and db.run(begin)
    if begun:
        _log.error("index_lost", collection=name, what="everything is written again")
    index.create(name, dimensions)
    if begun or known is None:
        index.point_alias(mark(name, epoch), name)
    if known is None:
        db.run(begin)
