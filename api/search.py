"""Search: the query is embedded, the index answers with both lists, Postgres decides what of it is served.

Without an embedding the answer is BM25 only and says `degraded`; without the index there is no answer (503).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from uuid import UUID

import anyio
import anyio.to_thread

from shared import clock
from shared.db import index_collections, memories, source_rows
from shared.db.engine import ApiDatabase, Session
from shared.db.index_collections import Collection
from shared.db.memories import Page
from shared.embeddings.port import Embedder
from shared.errors import Unavailable, WorkError
from shared.logs import get_logger
from shared.model.memory import Memory
from shared.model.scope import ScopeIds
from shared.vectors.index import VectorIndex
from shared.vectors.types import Dense, Hit, Query, Where

_THREADS = 16  # searches at work at a time; a hanging index must not take the threads of others
_MORE = 4  # how much wider each further look is
_WIDEST = 2_000
_EMBEDDING_REST = 5.0  # seconds without trying the embeddings after they failed
_COLLECTION_FRESH = 2.0  # seconds
_NO_INDEX = "index_unavailable"

_log = get_logger(__name__)
T = TypeVar("T")
Behind = Mapping[UUID, frozenset[UUID]]


@dataclass(frozen=True, slots=True)
class Scored:
    """A memory found; `score` in [0,1]; the parts as they went into it, `semantic` None without an embedding."""

    memory: Memory
    score: float
    semantic: float | None
    bm25: float


def _is_poorer(collection: Collection, dense: Dense | None) -> bool:
    """Whether more would be found if everything were well."""
    return collection.refilling or (dense is None and collection.dimensions is not None)


@dataclass(frozen=True, slots=True)
class Look:
    """One answer of the index. `semantic`: the query had an embedding. `degraded`: poorer than it should be."""

    hits: list[Hit]
    semantic: bool
    degraded: bool


@dataclass(frozen=True, slots=True)
class Found:
    """Best first. `degraded`: the query should have had an embedding, or the index lost points."""

    items: list[Scored]
    degraded: bool


@dataclass(frozen=True, slots=True)
class Embedded:
    """A query with its vector in the collection that answers it."""

    text: str
    collection: Collection
    dense: Dense | None


class Searcher:
    """One per process; thread-safe parts behind an asynchronous face."""

    def __init__(self, db: ApiDatabase, index: VectorIndex, embedder: Embedder | None, kappa: float) -> None:
        self._db = db
        self._index = index
        self._embedder = embedder
        self._kappa = kappa
        self._limiter = anyio.CapacityLimiter(_THREADS)
        self._embedding_rests_until = 0.0
        self._collection: tuple[float, Collection] | None = None

    async def search(self, project_id: UUID, ids: ScopeIds, text: str, limit: int, *, messages: bool = False) -> Found:
        """The best `limit` served memories whose given ids are equal. `messages`: kept messages too.

        Raises `Unavailable(index_unavailable)`, but not where there is nothing to find anyway.
        """
        try:
            return await self._search(project_id, ids, text, limit, messages=messages)
        except Unavailable as error:
            if error.code == _NO_INDEX and not await self._has_any(project_id, ids):
                return Found([], degraded=False)
            raise

    async def _search(self, project_id: UUID, ids: ScopeIds, text: str, limit: int, *, messages: bool) -> Found:
        collection = await self._active()
        dense = await self._embed(text, collection)
        where = Where(project_id, ids=ids, not_expired_on=clock.now().date(), messages=messages)
        width = (2 * limit if messages else limit) + 8
        while True:
            query = Query(text, where, dense, dense_limit=width, bm25_limit=width)
            hits = await self._hits(collection.name, query)
            served, behind = await self._served(project_id, ids, hits, messages=messages)
            ranked = once_each(self._ranked(hits, served, behind, with_dense=dense is not None), behind)
            if len(ranked) >= limit or len(hits) < width or width >= _WIDEST:
                break
            width = min(width * _MORE, _WIDEST)
        return Found(ranked[:limit], degraded=_is_poorer(collection, dense))

    async def embedded(self, text: str) -> Embedded:
        """The query for any number of looks. Raises `Unavailable(index_unavailable)`."""
        collection = await self._active()
        return Embedded(text, collection, await self._embed(text, collection))

    async def look(self, query: Embedded, where: Where, width: int) -> Look:
        """Up to `width` hits of either list. Raises `Unavailable(index_unavailable)`."""
        dense, collection = query.dense, query.collection
        hits = await self._hits(collection.name, Query(query.text, where, dense, dense_limit=width, bm25_limit=width))
        return Look(hits, dense is not None, degraded=_is_poorer(collection, dense))

    def rank(self, look: Look, served: Mapping[UUID, Memory]) -> list[Scored]:
        """The served ones of its hits, best first."""
        return self._ranked(look.hits, dict(served), {}, with_dense=look.semantic)

    async def _has_any(self, project_id: UUID, ids: ScopeIds) -> bool:
        one = Page(limit=1)
        return bool(await self._db.run(lambda session: memories.newest(session, project_id, ids, one)))

    async def ping(self) -> None:
        """Raises `WorkError` when the index does not answer."""
        await self._thread(self._index.ping)

    def close(self) -> None:
        """Gives the index connections back."""
        self._index.close()

    async def _active(self) -> Collection:
        if self._collection is not None and self._collection[0] > time.monotonic():
            return self._collection[1]
        found = await self._db.run(index_collections.active)
        if found is None:
            raise Unavailable("the search index is not built yet", code=_NO_INDEX, retry_after=1)
        self._collection = (time.monotonic() + _COLLECTION_FRESH, found)
        return found

    async def _embed(self, text: str, collection: Collection) -> Dense | None:
        """The query's vector; None without a fitting model or while embeddings fail."""
        embedder = self._embedder
        if embedder is None or collection.dimensions is None or embedder.model != collection.model:
            return None
        if time.monotonic() < self._embedding_rests_until:
            return None
        try:
            vectors = (await self._thread(partial(embedder.embed, [text]))).vectors
        except WorkError as error:
            self._embedding_rests_until = time.monotonic() + _EMBEDDING_REST
            _log.warning("query_embedding_failed", code=error.code)
            return None
        return vectors[0] if vectors.shape == (1, collection.dimensions) else None

    async def _hits(self, collection: str, query: Query) -> list[Hit]:
        try:
            return (await self._thread(partial(self._index.search, collection, [query])))[0]
        except WorkError as error:
            self._collection = None
            _log.warning("search_failed", code=error.code)
            raise Unavailable("the search index is not reachable", code=_NO_INDEX,
                              retry_after=error.retry_after or 2) from error  # fmt: skip

    async def _served(
        self, project_id: UUID, ids: ScopeIds, hits: Sequence[Hit], *, messages: bool
    ) -> tuple[dict[UUID, Memory], Behind]:
        """What of the hits may be served, and, where messages are wanted, the messages behind each."""
        found = [hit.memory_id for hit in hits]

        def work(session: Session) -> tuple[dict[UUID, Memory], Behind]:
            served = memories.served_by_ids(session, project_id, ids, found, messages=messages)
            return served, source_rows.behind(session, project_id, list(served)) if messages else {}

        return await self._db.run(work)

    def _ranked(
        self, hits: Sequence[Hit], served: dict[UUID, Memory], behind: Behind, *, with_dense: bool
    ) -> list[Scored]:
        near = nearness([hit for hit in hits if hit.memory_id in served], behind) if with_dense else {}
        found = [
            scored(served[hit.memory_id], hit, self._kappa, near.get(hit.memory_id, 0.0), with_dense=with_dense)
            for hit in hits
            if hit.memory_id in served
        ]
        found.sort(key=lambda item: (item.score, item.memory.created_at, item.memory.id), reverse=True)
        return found

    async def _thread(self, work: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(work, limiter=self._limiter, abandon_on_cancel=True)


def nearness(hits: Sequence[Hit], behind: Behind) -> dict[UUID, float]:
    """For each message, the best cosine among the statements made of it: kept messages have no embedding."""
    best: dict[UUID, float] = {}
    for hit in hits:
        for message in behind.get(hit.memory_id, ()):
            best[message] = max(best.get(message, 0.0), hit.semantic or 0.0)
    return {
        hit.memory_id: max((best[message] for message in behind.get(hit.memory_id, ())), default=0.0)
        for hit in hits
        if hit.semantic is None
    }


def once_each(ranked: Sequence[Scored], behind: Behind) -> list[Scored]:
    """A kept message and the statements made of it speak with one voice: the better hit is served, the other left out.

    Statements of one message stay beside each other, since each says something else.
    """
    whole: set[UUID] = set()
    in_part: set[UUID] = set()
    kept = []
    for item in ranked:
        rests_on = behind.get(item.memory.id, frozenset())
        if not rests_on or not rests_on <= (in_part if item.memory.state == "source" else whole):
            (whole if item.memory.state == "source" else in_part).update(rests_on)
            kept.append(item)
    return kept


def scored(memory: Memory, hit: Hit, kappa: float, near: float = 0.0, *, with_dense: bool) -> Scored:
    """Half of max(0, cosine) + s/(s+kappa); without an embedding of the query s/(s+kappa) alone.

    near: what stands for the cosine of a hit that has no embedding.
    """
    strength = max(0.0, hit.bm25 or 0.0)
    bm25 = strength / (strength + kappa)
    if not with_dense:
        return Scored(memory, bm25, None, bm25)
    semantic = min(1.0, max(0.0, near if hit.semantic is None else hit.semantic))
    return Scored(memory, (semantic + bm25) / 2, semantic, bm25)
