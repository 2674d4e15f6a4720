"""The vector index: the one place that talks to Qdrant, a server or the embedded engine alike.

Thread-safe and synchronous; the API calls it in a thread. Every call either did what it says or raises: an index that
cannot be reached is `Snooze(code="index_unavailable")`, never an empty answer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar
from uuid import UUID

import httpx
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from shared.errors import PermanentFailure
from shared.vectors import layout as at
from shared.vectors.failures import PROVIDER, away, check_completed, translated
from shared.vectors.payloads import covered_by, older_than, point_struct, within_filter
from shared.vectors.searching import search
from shared.vectors.types import Hit, Point, Query, Tombstone, Within

MINIMUM_SERVER = (1, 19, 0)  # the first with IDF statistics over a part of a collection (`params.idf.corpus`)

_UPSERT_BATCH = 64
_DELETE_BATCH = 500
_SEARCH_BATCH = 100  # queries, each up to two requests
_PAGE = 1_000
_CONNECTIONS = httpx.Limits(max_connections=64, max_keepalive_connections=32, keepalive_expiry=30)

Item = TypeVar("Item")


class VectorIndex:
    """Qdrant behind a project-minded interface. `timeout`: seconds a call may take, rounded up to whole ones."""

    def __init__(self, url: str, api_key: str | None = None, timeout: float = 5.0) -> None:
        self._client = QdrantClient(
            url=url,
            prefer_grpc=False,
            timeout=math.ceil(timeout),
            headers={"api-key": api_key} if api_key else None,
            check_compatibility=False,  # `check_server` is stricter and runs at boot
            cloud_inference=True,  # nothing to embed here: skips a walk over every request in search of texts
            limits=_CONNECTIONS,
            trust_env=False,
        )

    def close(self) -> None:
        """Gives the connections back."""
        self._client.close()

    # --- the server

    def ping(self) -> None:
        """One small authenticated call; raises `Snooze` when it fails."""
        with translated("ping"):
            self._client.get_aliases()

    def server_version(self) -> str:
        """As the server tells it, e.g. `1.20.0`."""
        with translated("version"):
            return str(self._client.info().version)

    def check_server(self) -> None:
        """Raises `PermanentFailure(internal)` naming both versions when the server is too old for what we ask."""
        version = self.server_version()
        if _version_numbers(version) < MINIMUM_SERVER:
            least = ".".join(map(str, MINIMUM_SERVER))
            raise PermanentFailure(
                f"Qdrant {version} is too old: {least} or newer is needed", code="internal", provider=PROVIDER
            )

    # --- collections and aliases

    def create(self, collection: str, dimensions: int | None) -> None:
        """Makes the collection and its payload indexes; with `dimensions` None it holds BM25 vectors only.

        Repeating it, also at once from several processes, is harmless: whoever returns finds all indexes in place.
        An existing collection of other dimensions is `PermanentFailure(internal)`.
        """
        with translated(f"create {collection}"):
            if not self._client.collection_exists(collection):
                self._create_or_lose_the_race(collection, dimensions)
            info = self._client.get_collection(collection)
            if _dense_size(info) != dimensions:
                raise PermanentFailure(
                    f"collection {collection} has vectors of size {_dense_size(info)}, not {dimensions}",
                    code="internal",
                    provider=PROVIDER,
                )
            for field, schema in at.PAYLOAD_INDEXES.items():
                if field not in info.payload_schema:
                    done = self._client.create_payload_index(collection, field, schema, wait=True)
                    check_completed(f"index {collection}.{field}", done)

    def _create_or_lose_the_race(self, collection: str, dimensions: int | None) -> None:
        dense = {} if dimensions is None else {at.DENSE: _dense_params(dimensions)}
        try:
            self._client.create_collection(
                collection,
                vectors_config=dense,
                sparse_vectors_config={at.BM25: models.SparseVectorParams(modifier=models.Modifier.IDF)},
            )
        except UnexpectedResponse:
            if not self._client.collection_exists(collection):
                raise

    def dimensions(self, collection: str) -> int | None:
        """Size of the dense vectors behind a collection or alias, None when it holds BM25 vectors only."""
        with translated(f"describe {collection}"):
            return _dense_size(self._client.get_collection(collection))

    def drop(self, collection: str) -> None:
        """Removes the collection with its aliases; none of that name is fine."""
        with translated(f"drop {collection}"):
            self._client.delete_collection(collection)

    def collections(self) -> list[str]:
        """Names of all physical collections, sorted."""
        with translated("list collections"):
            return sorted(item.name for item in self._client.get_collections().collections)

    def alias_target(self, alias: str) -> str | None:
        """The collection an alias stands for, None for an unknown alias."""
        with translated("list aliases"):
            pairs = self._client.get_aliases().aliases
        return next((pair.collection_name for pair in pairs if pair.alias_name == alias), None)

    def point_alias(self, alias: str, collection: str) -> None:
        """Lets the alias stand for the collection, in one step for readers."""
        steps: list[Any] = []
        if self.alias_target(alias) is not None:
            steps.append(models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=alias)))
        create = models.CreateAlias(collection_name=collection, alias_name=alias)
        steps.append(models.CreateAliasOperation(create_alias=create))
        with translated(f"point {alias} to {collection}"):
            if not self._client.update_collection_aliases(steps):
                raise away(f"alias {alias} not changed")

    # --- writes

    def upsert(self, collection: str, points: Sequence[Point]) -> None:
        """Writes the points except where the index holds the same or a newer version; repeat it after a `Snooze`."""
        newest: dict[UUID, Point] = {}
        for point in points:
            if point.memory_id not in newest or newest[point.memory_id].version < point.version:
                newest[point.memory_id] = point
        for batch in _batches(list(newest.values()), _UPSERT_BATCH):
            with translated(f"upsert into {collection}"):
                structs = [point_struct(point) for point in batch]
                done = self._client.upsert(collection, structs, wait=True, update_filter=older_than(batch))
                check_completed("upsert", done)

    def delete(self, collection: str, tombstones: Sequence[Tombstone]) -> None:
        """Removes the points except those of a newer version than their tombstone; repeat it after a `Snooze`."""
        for batch in _batches(tombstones, _DELETE_BATCH):
            with translated(f"delete in {collection}"):
                selector = models.FilterSelector(filter=covered_by(batch))
                check_completed("delete", self._client.delete(collection, selector, wait=True))

    # --- reads

    def search(self, collection: str, queries: Sequence[Query]) -> list[list[Hit]]:
        """Hits of each query, of the dense list first; a hit of either list carries both scores.

        `collection` may be an alias. All queries travel in one request, and what single-list hits lack in a second.
        """
        with translated(f"search {collection}"):
            found = (
                search(batch, lambda asked: self._send(collection, asked)) for batch in _batches(queries, _SEARCH_BATCH)
            )
            return [hits for batch in found for hits in batch]

    def _send(self, collection: str, requests: list[models.QueryRequest]) -> list[models.QueryResponse]:
        """The client's own wrapper deep-copies every request, which would be half of a search's CPU."""
        batch = models.QueryRequestBatch(searches=requests)
        answer = self._client.http.search_api.query_batch_points(collection, query_request_batch=batch)
        if answer.result is None or len(answer.result) != len(requests):
            raise away("query: not as many answers as questions")
        return answer.result

    def count(self, collection: str, within: Within) -> int:
        """Points of a project, or of all, counted exactly."""
        with translated(f"count {collection}"):
            return self._client.count(collection, within_filter(within), exact=True).count

    def scan(self, collection: str, within: Within) -> Iterator[tuple[UUID, int]]:
        """Memory id and version of every point of a project, or of all, in id order, read page by page."""
        offset: Any = None
        while True:
            with translated(f"scan {collection}"):
                page, offset = self._client.scroll(
                    collection, within_filter(within), limit=_PAGE, offset=offset, with_payload=[at.VERSION]
                )
            for record in page:
                yield UUID(str(record.id)), (record.payload or {}).get(at.VERSION, 0)
            if offset is None:
                return


def _dense_params(dimensions: int) -> models.VectorParams:
    return models.VectorParams(size=dimensions, distance=models.Distance.COSINE)


def _dense_size(info: models.CollectionInfo) -> int | None:
    vectors = info.config.params.vectors
    dense = vectors.get(at.DENSE) if isinstance(vectors, dict) else vectors
    return dense.size if dense is not None else None


def _version_numbers(version: str) -> tuple[int, ...]:
    parts = version.split("-", 1)[0].split(".")
    return tuple(int(part) for part in parts if part.isdecimal())


def _batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    return (items[start : start + size] for start in range(0, len(items), size))
