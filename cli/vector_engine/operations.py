"""What each route does: a `Call` and the `Store` in, the `result` of the answer out. Synchronous, run in a thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import qdrant_edge as edge

from cli.vector_engine import points, queries
from cli.vector_engine.errors import EngineError, bad_request
from cli.vector_engine.schema import describe_indexes, parse_collection, parse_index
from cli.vector_engine.store import Store


@dataclass(frozen=True, slots=True)
class Call:
    """A request: values of its path and its query string, and the raw body."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes

    @property
    def name(self) -> str:
        """The collection or alias in the path."""
        return self.path["name"]

    def json(self) -> Any:
        """The body; 400 when it is not JSON."""
        try:
            return orjson.loads(self.body or b"{}")
        except orjson.JSONDecodeError as error:
            raise EngineError(400, f"Format error in JSON body: {error}") from error


def list_collections(store: Store, _call: Call) -> Any:
    return {"collections": [{"name": name} for name in store.catalogue.collections]}


def collection_exists(store: Store, call: Call) -> Any:
    return {"exists": call.name in store.catalogue.collections or call.name in store.catalogue.aliases}


def get_collection(store: Store, call: Call) -> Any:
    collection = store.collection(call.name)
    info = collection.read(lambda shard: shard.info())
    config = {
        "params": collection.schema.params(),
        "hnsw_config": {"m": 16, "ef_construct": 100, "full_scan_threshold": 10_000},
        "optimizer_config": {
            "deleted_threshold": 0.2,
            "vacuum_min_vector_number": 1_000,
            "default_segment_number": 0,
            "flush_interval_sec": 5,
        },
        "wal_config": {"wal_capacity_mb": 32, "wal_segments_ahead": 0},
        "metadata": collection.schema.metadata,
    }
    return {
        "status": "green",
        "optimizer_status": "ok",
        "points_count": collection.read(lambda shard: shard.count(edge.CountRequest(True))),
        "indexed_vectors_count": info.indexed_vectors_count,
        "segments_count": info.segments_count,
        "config": config,
        "payload_schema": describe_indexes(info),
    }


def create_collection(store: Store, call: Call) -> Any:
    if not call.name or len(call.name) > 255 or any(mark in call.name for mark in '<>:"/\\|?*\0\x1f'):
        raise bad_request(f"collection name cannot be {call.name!r}")
    store.create(call.name, parse_collection(call.json()))
    return True


def drop_collection(store: Store, call: Call) -> Any:
    return store.drop(call.name)


def change_aliases(store: Store, call: Call) -> Any:
    store.change_aliases(call.json())
    return True


def list_aliases(store: Store, _call: Call) -> Any:
    pairs = store.catalogue.aliases.items()
    return {"aliases": [{"alias_name": alias, "collection_name": target} for alias, target in pairs]}


def list_aliases_of(store: Store, call: Call) -> Any:
    target = store.catalogue.resolve(call.name)
    everything = list_aliases(store, call)["aliases"]
    return {"aliases": [pair for pair in everything if pair["collection_name"] == target]}


def create_index(store: Store, call: Call) -> Any:
    field_name, params = parse_index(call.json())
    collection = store.collection(call.name)
    collection.write([edge.UpdateOperation.create_field_index(field_name, params)])
    return _written(call)


def drop_index(store: Store, call: Call) -> Any:
    collection = store.collection(call.name)
    collection.write([edge.UpdateOperation.delete_field_index(call.path["field"])])
    return _written(call)


def upsert_points(store: Store, call: Call) -> Any:
    collection = store.collection(call.name)
    collection.write(points.upserts(call.json(), collection.schema))
    return _written(call)


def delete_points(store: Store, call: Call) -> Any:
    store.collection(call.name).write([points.deletion(call.json())])
    return _written(call)


def _written(call: Call) -> dict[str, Any]:
    """The change is in force either way; who did not ask to wait is told what a server would tell."""
    return {"operation_id": 0, "status": "completed" if call.query.get("wait") == "true" else "acknowledged"}


def retrieve_points(store: Store, call: Call) -> Any:
    ids, payload, vector = queries.retrieval(call.json())
    return points.records_json(store.collection(call.name).read(lambda shard: shard.retrieve(ids, payload, vector)))


def query_points(store: Store, call: Call) -> Any:
    collection = store.collection(call.name)
    request = queries.query_request(call.json(), collection.schema)
    return {"points": points.scored_json(collection.read(lambda shard: shard.query(request)))}


def query_batch(store: Store, call: Call) -> Any:
    collection = store.collection(call.name)
    request = queries.batch_request(call.json(), collection.schema)
    found = collection.read(lambda shard: shard.query_batch(request))
    return [{"points": points.scored_json(hits)} for hits in found]


def scroll_points(store: Store, call: Call) -> Any:
    request = queries.scroll_request(call.json())
    records, following = store.collection(call.name).read(lambda shard: shard.scroll(request))
    return {"points": points.records_json(records), "next_page_offset": following}


def count_points(store: Store, call: Call) -> Any:
    request = queries.count_request(call.json())
    return {"count": store.collection(call.name).read(lambda shard: shard.count(request))}


def facet_points(store: Store, call: Call) -> Any:
    request = queries.facet_request(call.json())
    hits = store.collection(call.name).read(lambda shard: shard.facet(request)).hits
    return {"hits": [{"value": hit.value, "count": hit.count} for hit in hits if hit.count]}
