"""Reading requests: query, scroll, retrieve, count, facet as engine objects."""

from __future__ import annotations

from typing import Any

import qdrant_edge as edge

from cli.vector_engine.errors import bad_request, unsupported
from cli.vector_engine.filters import to_filter
from cli.vector_engine.ids import point_id
from cli.vector_engine.points import named_vector
from cli.vector_engine.schema import CollectionSchema
from cli.vector_engine.strict import Fields

_LIMIT = 10


def query_request(body: object, schema: CollectionSchema) -> edge.QueryRequest:
    """One nearest-neighbour query; without `query` the points in id order."""
    fields = Fields(body, "query")
    vector, using = fields.take("query"), fields.text("using") or ""
    limit, offset = fields.integer("limit", _LIMIT), fields.integer("offset", 0)
    request = edge.QueryRequest(
        limit=_LIMIT if limit is None else limit,
        offset=offset,
        query=None if vector is None else edge.Query.Nearest(_query_vector(vector, schema, using), using=using),
        filter=to_filter(fields.take("filter")),
        score_threshold=fields.number("score_threshold"),
        params=_params(fields.take("params"), schema, using),
        with_payload=_with_payload(fields.take("with_payload", False)),
        with_vector=_with_vector(fields.take("with_vector", False)),
    )
    fields.done()
    return request


def batch_request(body: object, schema: CollectionSchema) -> edge.QueryBatchRequest:
    """Several queries, answered in their order."""
    fields = Fields(body, "batch")
    searches = fields.need("searches")
    fields.done()
    if not isinstance(searches, list):
        raise bad_request("batch.searches: expected a list")
    return edge.QueryBatchRequest([query_request(item, schema) for item in searches])


def scroll_request(body: object) -> edge.ScrollRequest:
    """A page in id order."""
    fields = Fields(body, "scroll")
    offset = fields.take("offset")
    request = edge.ScrollRequest(
        offset=None if offset is None else point_id(offset),
        limit=fields.integer("limit", _LIMIT, least=1),
        filter=to_filter(fields.take("filter")),
        with_payload=_with_payload(fields.take("with_payload", True)),
        with_vector=_with_vector(fields.take("with_vector", False)),
    )
    fields.done()
    return request


def retrieval(body: object) -> tuple[list[Any], Any, Any]:
    """Ids, payload selector, vector selector."""
    fields = Fields(body, "retrieve")
    ids = [point_id(item) for item in fields.need("ids")]
    payload = _with_payload(fields.take("with_payload", True))
    vector = _with_vector(fields.take("with_vector", False))
    fields.done()
    return ids, payload, vector


def count_request(body: object) -> edge.CountRequest:
    """Exact by default."""
    fields = Fields(body, "count")
    request = edge.CountRequest(fields.flag("exact", True), to_filter(fields.take("filter")))
    fields.done()
    return request


def facet_request(body: object) -> edge.FacetRequest:
    """How many points carry each value of a field."""
    fields = Fields(body, "facet")
    key, limit, exact = fields.need("key"), fields.integer("limit", _LIMIT, least=1), fields.flag("exact")
    condition = to_filter(fields.take("filter"))
    fields.done()
    return edge.FacetRequest(str(key), limit or _LIMIT, exact, condition)


def _query_vector(value: object, schema: CollectionSchema, using: str) -> Any:
    if isinstance(value, dict) and "nearest" in value:
        inner = Fields(value, "query")
        nearest = inner.take("nearest")
        inner.done()
        return _query_vector(nearest, schema, using)
    if isinstance(value, dict) and set(value) - {"indices", "values"}:
        raise unsupported(f"query by {', '.join(sorted(value))}")
    if not isinstance(value, list | dict):
        raise unsupported("query by point id")
    return named_vector(value, schema, using)


def _params(value: object, schema: CollectionSchema, using: str) -> edge.SearchParams | None:
    if value is None:
        return None
    fields = Fields(value, "params")
    idf = fields.take("idf")
    params = edge.SearchParams(
        hnsw_ef=fields.integer("hnsw_ef"), exact=fields.flag("exact"), idf=_idf(idf, schema, using)
    )
    fields.only("indexed_only", (False,))
    fields.done()
    return params


def _idf(value: object, schema: CollectionSchema, using: str) -> edge.IdfParams | None:
    if value is None:
        return None
    if not schema.sparse.get(using, False):
        raise bad_request("params.idf: only for sparse vectors with the IDF modifier")
    if value == "global":
        return edge.IdfParams()
    fields = Fields(value, "params.idf")
    corpus = to_filter(fields.need("corpus"), "params.idf.corpus")
    fields.done()
    return edge.IdfParams(corpus)


def _with_payload(value: object) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, list):
        return [str(item) for item in value]
    fields = Fields(value, "with_payload")
    include, exclude = fields.array("include"), fields.array("exclude")
    fields.done()
    if include is not None:
        return edge.PayloadSelector.Include(include)
    return edge.PayloadSelector.Exclude(exclude or [])


def _with_vector(value: object) -> bool | list[str]:
    if isinstance(value, bool):
        return value
    if isinstance(value, list):
        return [str(item) for item in value]
    raise bad_request("with_vector: expected true, false or a list of names")
