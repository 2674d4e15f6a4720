"""Search under a filter: the right top k, whatever the index knows of the filter.

Few matches are ranked exactly, by id. Of many, what the index's payload can tell narrows its answer, Postgres checks
every hit, and the look widens until enough passed or there is nothing left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from api.search import Embedded, Found, Look, Scored, Searcher
from shared import clock
from shared.db import filtered
from shared.db.engine import ApiDatabase
from shared.db.filtered import Asked
from shared.model.filters import Category, Moment, Word, conjunction, demanded_ids
from shared.model.memory import Memory
from shared.model.scope import ID_FIELDS, ScopeIds
from shared.vectors.types import Where

EXACT = 2_000  # matches up to here are ranked by id
_MORE = 4
_WIDEST = 100_000
_CLOSE = timedelta(seconds=1)  # the payload's clock reads a little less finely than Postgres


@dataclass(frozen=True, slots=True)
class Threshold:
    """The least semantic part of a result; `explicit`: without a semantic part it bounds the score instead."""

    least: float
    explicit: bool = False

    def passes(self, item: Scored) -> bool:
        if item.semantic is not None:
            return item.semantic >= self.least
        return not self.explicit or item.score >= self.least


NO_THRESHOLD = Threshold(0.0)


async def search(
    searcher: Searcher, db: ApiDatabase, asked: Asked, text: str, limit: int, threshold: Threshold = NO_THRESHOLD
) -> Found:
    """The best `limit` memories that pass filter and threshold, best first. Raises `Unavailable(index_unavailable)`."""
    matching = await db.run(partial(filtered.ids, asked=asked, limit=EXACT + 1))
    if not matching:
        return Found([], degraded=False)
    query = await searcher.embedded(text)
    if len(matching) <= EXACT:
        where = Where(asked.project_id, memory_ids=tuple(matching))
        look = await searcher.look(query, where, len(matching))
        passed = await _passed(searcher, db, asked, look, threshold)
        return Found(passed[:limit], look.degraded)
    return await _widening(searcher, db, asked, query, limit, threshold)


async def _widening(
    searcher: Searcher, db: ApiDatabase, asked: Asked, query: Embedded, limit: int, threshold: Threshold
) -> Found:
    where, width = narrowing(asked), limit + 8
    while True:
        look = await searcher.look(query, where, width)
        passed = await _passed(searcher, db, asked, look, threshold)
        if len(passed) >= limit or len(look.hits) < width or width >= _WIDEST:
            return Found(passed[:limit], look.degraded)
        width = min(width * _MORE, _WIDEST)


async def _passed(searcher: Searcher, db: ApiDatabase, asked: Asked, look: Look, threshold: Threshold) -> list[Scored]:
    found: Sequence[UUID] = [hit.memory_id for hit in look.hits]
    served: dict[UUID, Memory] = await db.run(partial(filtered.among, asked=asked, found=found))
    return [item for item in searcher.rank(look, served) if threshold.passes(item)]


def narrowing(asked: Asked) -> Where:
    """What the index can tell of the filter: never more than must hold of every match."""
    parts = conjunction(asked.filter)
    kinds = next((part.values for part in parts if isinstance(part, Word) and part.column == "memory_type"), None)
    categories = next((part.any_of for part in parts if isinstance(part, Category) and part.any_of), ())
    created = [part for part in parts if isinstance(part, Moment) and part.column == "created_at"]
    since = [part.start for part in created if part.how in ("eq", "gt", "gte")]
    until = [part.end for part in created if part.how in ("eq", "lt", "lte")]
    return Where(
        asked.project_id,
        ids=_both(asked.ids, demanded_ids(asked.filter)),
        kinds=kinds or (),
        categories_any=categories,
        created_from=_moved(max(since, default=None), -_CLOSE),
        created_to=_moved(min(until, default=None), _CLOSE),
        not_expired_on=None if asked.show_expired else clock.now().date(),
    )


def _both(own: ScopeIds, demanded: ScopeIds) -> ScopeIds:
    return ScopeIds(**{name: getattr(own, name) or getattr(demanded, name) for name in ID_FIELDS})


def _moved(moment: datetime | None, by: timedelta) -> datetime | None:
    return None if moment is None else moment + by
