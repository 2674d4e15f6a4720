"""A search in two batched requests: both lists of every query, then the parts that hits of one list still lack."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from qdrant_client import models

from shared.vectors import bm25
from shared.vectors import layout as at
from shared.vectors.payloads import project_filter, where_filter
from shared.vectors.types import Hit, Query

Send = Callable[[list[models.QueryRequest]], list[models.QueryResponse]]
_PAYLOAD = [at.VERSION]


@dataclass(slots=True)
class _Found:
    """What is known so far about the hits of one query, in the order they were found."""

    query: Query
    terms: models.SparseVector | None
    versions: dict[UUID, int] = field(default_factory=dict)
    semantic: dict[UUID, float] = field(default_factory=dict)
    bm25: dict[UUID, float] = field(default_factory=dict)

    def dense_request(self, limit: int, only: Sequence[UUID] | None = None) -> models.QueryRequest:
        """Nearest by embedding; exact where the caller or the second round names the points."""
        query = self.query
        vector = query.dense.tolist() if query.dense is not None else []
        exact = only is not None or query.where.memory_ids is not None
        return models.QueryRequest(
            query=vector,
            using=at.DENSE,
            filter=where_filter(query.where, only),
            params=models.SearchParams(exact=True) if exact else None,
            limit=limit,
            with_payload=_PAYLOAD,
        )

    def bm25_request(self, limit: int, only: Sequence[UUID] | None = None) -> models.QueryRequest:
        """Best by terms; how rare a term is counts over the project alone."""
        corpus = models.IdfCorpusParams(corpus=project_filter(self.query.where.project_id))
        return models.QueryRequest(
            query=self.terms,
            using=at.BM25,
            filter=where_filter(self.query.where, only),
            params=models.SearchParams(idf=corpus),
            limit=limit,
            with_payload=_PAYLOAD,
        )

    def take(self, part: dict[UUID, float], response: models.QueryResponse) -> None:
        """Notes the scores and versions of one list."""
        for point in response.points:
            identity = UUID(str(point.id))
            part[identity] = point.score
            self.versions.setdefault(identity, (point.payload or {}).get(at.VERSION, 0))

    def hits(self) -> list[Hit]:
        """All hits; a point without a common term has BM25 0."""
        return [
            Hit(identity, version, self.semantic.get(identity), self.bm25.get(identity, 0.0))
            for identity, version in self.versions.items()
        ]


_Part = tuple[_Found, dict[UUID, float], models.QueryRequest]


def search(queries: Sequence[Query], send: Send) -> list[list[Hit]]:
    """Hits of each query, dense list first; `send` runs one batch."""
    found = [_Found(query, bm25.query_vector(query.text)) for query in queries]
    _run((part for state in found for part in _both_lists(state)), send)
    _run((part for state in found for part in _missing_parts(state)), send)
    return [state.hits() for state in found]


def _both_lists(state: _Found) -> Iterable[_Part]:
    query = state.query
    if query.where.memory_ids == ():
        return
    if query.dense is not None and query.dense_limit > 0:
        yield state, state.semantic, state.dense_request(query.dense_limit)
    if state.terms is not None and query.bm25_limit > 0:
        yield state, state.bm25, state.bm25_request(query.bm25_limit)


def _missing_parts(state: _Found) -> Iterable[_Part]:
    without_semantic = [identity for identity in state.versions if identity not in state.semantic]
    if state.query.dense is not None and without_semantic:
        yield state, state.semantic, state.dense_request(len(without_semantic), without_semantic)
    without_bm25 = [identity for identity in state.versions if identity not in state.bm25]
    if state.terms is not None and without_bm25:
        yield state, state.bm25, state.bm25_request(len(without_bm25), without_bm25)


def _run(parts: Iterable[_Part], send: Send) -> None:
    waiting = list(parts)
    responses = send([request for _, _, request in waiting]) if waiting else []
    for (state, part, _), response in zip(waiting, responses, strict=True):
        state.take(part, response)
