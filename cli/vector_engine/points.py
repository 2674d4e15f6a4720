"""Points: REST JSON as engine objects, checked before anything is written, and back."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import Any

import qdrant_edge as edge

from cli.vector_engine.errors import bad_request
from cli.vector_engine.filters import to_filter
from cli.vector_engine.ids import point_id
from cli.vector_engine.schema import CollectionSchema
from cli.vector_engine.strict import Fields

_MODES = {
    None: None,
    "upsert": edge.UpdateMode.Upsert,
    "insert_only": edge.UpdateMode.InsertOnly,
    "update_only": edge.UpdateMode.UpdateOnly,
}
_CHUNK = 32  # the library holds the interpreter lock for a whole update: short updates keep reads going


def upserts(body: object, schema: CollectionSchema) -> list[edge.UpdateOperation]:
    """The body of `PUT .../points` as updates of bounded size; every point is checked before the first is applied."""
    fields = Fields(body, "upsert")
    points = [_point(item, schema) for item in fields.need("points")]
    condition, mode = to_filter(fields.take("update_filter"), "update_filter"), fields.take("update_mode")
    fields.done()
    if mode not in _MODES:
        raise bad_request(f"update_mode: unknown value {mode!r}")
    return [
        edge.UpdateOperation.upsert_points(points[start : start + _CHUNK], condition, _MODES[mode])
        for start in range(0, len(points), _CHUNK)
    ]


def deletion(body: object) -> edge.UpdateOperation:
    """The body of `POST .../points/delete`: ids or a filter."""
    fields = Fields(body, "delete")
    ids, condition = fields.array("points"), to_filter(fields.take("filter"))
    fields.done()
    if ids is not None and condition is None:
        return edge.UpdateOperation.delete_points([point_id(item) for item in ids])
    if condition is not None and ids is None:
        return edge.UpdateOperation.delete_points_by_filter(condition)
    raise bad_request("delete: expected either points or filter")


def _point(value: object, schema: CollectionSchema) -> edge.Point:
    fields = Fields(value, "point")
    identity, vector, payload = point_id(fields.need("id")), fields.take("vector", {}), fields.take("payload")
    fields.done()
    if payload is not None and not isinstance(payload, dict):
        raise bad_request("point.payload: expected an object")
    return edge.Point(identity, _vectors(vector, schema), payload)


def _vectors(value: object, schema: CollectionSchema) -> Any:
    if isinstance(value, list):
        return dense_vector(value, schema, "")
    if not isinstance(value, dict):
        raise bad_request("point.vector: expected a list or an object")
    return {name: named_vector(vector, schema, name) for name, vector in value.items()}


def named_vector(value: object, schema: CollectionSchema, name: str) -> Any:
    """A dense list or a sparse object, checked against the collection."""
    if name in schema.sparse:
        return sparse_vector(value, name)
    return dense_vector(value, schema, name)


def dense_vector(value: object, schema: CollectionSchema, name: str) -> list[float]:
    """Right in size and finite: the library stores NaN without a word."""
    if name not in schema.dense:
        raise bad_request(f"Not existing vector name error: {name}")
    size = schema.dense[name]["size"]
    if not isinstance(value, list):
        raise bad_request(f"vector `{name}`: expected a list of numbers")
    if len(value) != size:
        raise bad_request(f"Vector dimension error: expected dim: {size}, got {len(value)}")
    _check_numbers(value, name)
    return value


def sparse_vector(value: object, name: str) -> edge.SparseVector:
    """Indices unique and as many as values: the library checks neither."""
    fields = Fields(value, f"vector `{name}`")
    indices, values = fields.need("indices"), fields.need("values")
    fields.done()
    if not isinstance(indices, list) or not isinstance(values, list) or len(indices) != len(values):
        raise bad_request(f"vector `{name}`: indices and values must be lists of one length")
    if len(set(indices)) != len(indices):
        raise bad_request(f"vector `{name}`: indices must be unique")
    _check_numbers(values, name)
    return edge.SparseVector(indices, values)


def _check_numbers(values: list[Any], name: str) -> None:
    try:
        total = sum(values)
    except TypeError as error:
        raise bad_request(f"vector `{name}`: expected numbers") from error
    if not isfinite(total):
        raise bad_request(f"vector `{name}`: expected finite numbers")


def vector_json(vector: Any) -> Any:
    """A stored vector for an answer."""
    if isinstance(vector, dict):
        return {name: vector_json(part) for name, part in vector.items()}
    if isinstance(vector, edge.SparseVector):
        return {"indices": vector.indices, "values": vector.values}
    return vector


def records_json(records: Iterable[edge.Record]) -> list[dict[str, Any]]:
    """Answers of scroll and retrieve."""
    return [{"id": item.id, "payload": item.payload, "vector": vector_json(item.vector)} for item in records]


def scored_json(points: Iterable[edge.ScoredPoint]) -> list[dict[str, Any]]:
    """Answers of queries, best first."""
    return [
        {
            "id": item.id,
            "version": item.version,
            "score": item.score,
            "payload": item.payload,
            "vector": vector_json(item.vector),
        }
        for item in points
    ]
