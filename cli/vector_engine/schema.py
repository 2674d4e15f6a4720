"""Collection settings and payload index settings: REST JSON as engine objects and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import qdrant_edge as edge

from cli.vector_engine.errors import bad_request, unsupported
from cli.vector_engine.strict import Fields

_DISTANCES = {
    "Cosine": edge.Distance.Cosine,
    "Dot": edge.Distance.Dot,
    "Euclid": edge.Distance.Euclid,
    "Manhattan": edge.Distance.Manhattan,
}
_INDEXES: dict[str, tuple[type, tuple[str, ...]]] = {
    "keyword": (edge.KeywordIndexParams, ("is_tenant",)),
    "uuid": (edge.UuidIndexParams, ("is_tenant",)),
    "integer": (edge.IntegerIndexParams, ("lookup", "range", "is_principal")),
    "float": (edge.FloatIndexParams, ("is_principal",)),
    "datetime": (edge.DatetimeIndexParams, ("is_principal",)),
}


@dataclass(frozen=True, slots=True)
class CollectionSchema:
    """What a collection is made of, as it is kept in the catalogue (plain JSON values).

    `dense`: name → {size, distance}, the name is "" for an unnamed vector. `sparse`: name → has an IDF modifier.
    """

    dense: dict[str, dict[str, Any]]
    sparse: dict[str, bool]
    metadata: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """For the catalogue."""
        return {"dense": self.dense, "sparse": self.sparse, "metadata": self.metadata}

    def edge_config(self) -> edge.EdgeConfig:
        """For creating the shard."""
        dense = {
            name: edge.EdgeVectorParams(params["size"], _DISTANCES[params["distance"]])
            for name, params in self.dense.items()
        }
        sparse = {
            name: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf if idf else None)
            for name, idf in self.sparse.items()
        }
        return edge.EdgeConfig(vectors=dense, sparse_vectors=sparse)

    def params(self) -> dict[str, Any]:
        """`config.params` of a collection's description."""
        dense: dict[str, Any] = self.dense[""] if set(self.dense) == {""} else self.dense
        return {
            "vectors": dense,
            "sparse_vectors": {name: {"modifier": "idf"} if idf else {} for name, idf in self.sparse.items()},
            "shard_number": 1,
            "replication_factor": 1,
            "write_consistency_factor": 1,
            "on_disk_payload": True,
        }


def parse_collection(body: object) -> CollectionSchema:
    """The body of `PUT /collections/{name}`; what the engine cannot honour is refused."""
    fields = Fields(body, "collection")
    dense = _dense(fields.take("vectors"))
    sparse = {str(name): _sparse(value, str(name)) for name, value in (fields.take("sparse_vectors") or {}).items()}
    for single in ("shard_number", "replication_factor", "write_consistency_factor"):
        fields.only(single, (1,))
    fields.only("on_disk_payload", (True,))
    metadata = fields.take("metadata")
    fields.done()
    if not dense and not sparse:
        raise bad_request("a collection needs at least one vector")
    return CollectionSchema(dense, sparse, metadata)


def _dense(value: object) -> dict[str, dict[str, Any]]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise bad_request("collection.vectors: expected an object")
    if "size" in value:
        return {"": _vector(value, "vectors")}
    return {str(name): _vector(params, f"vectors.{name}") for name, params in value.items()}


def _vector(value: object, where: str) -> dict[str, Any]:
    fields = Fields(value, where)
    size, distance = fields.integer("size", least=1), fields.text("distance")
    fields.only("on_disk", (False,))
    fields.done()
    if size is None or size > 65_536 or distance not in _DISTANCES:
        raise bad_request(f"{where}: needs a size of 1 to 65536 and a distance out of {', '.join(_DISTANCES)}")
    return {"size": size, "distance": distance}


def _sparse(value: object, name: str) -> bool:
    fields = Fields(value, f"sparse_vectors.{name}")
    modifier = fields.text("modifier")
    fields.done()
    if modifier not in (None, "none", "idf"):
        raise unsupported(f"sparse_vectors.{name}.modifier = {modifier!r}")
    return modifier == "idf"


def parse_index(body: object) -> tuple[str, Any]:
    """The body of `PUT /collections/{name}/index`: field name and the engine's index parameters."""
    fields = Fields(body, "index")
    name, schema = str(fields.need("field_name")), fields.need("field_schema")
    fields.done()
    params = Fields({"type": schema} if isinstance(schema, str) else schema, f"index.{name}")
    kind = params.need("type")
    if kind not in _INDEXES:
        raise unsupported(f"payload index of type {kind!r}")
    params_type, flags = _INDEXES[kind]
    options = {flag: params.flag(flag) for flag in flags if flag in params}
    params.only("on_disk", (False,))
    params.done()
    return name, params_type(**options)


def describe_indexes(info: edge.ShardInfo) -> dict[str, Any]:
    """`payload_schema` of a collection's description."""
    return {name: _describe_index(index) for name, index in info.payload_schema.items()}


def _describe_index(index: edge.PayloadIndexInfo) -> dict[str, Any]:
    kind = str(index.data_type).rpartition(".")[2].lower()
    flags = _INDEXES[kind][1] if kind in _INDEXES else ()
    given = {flag: value for flag in flags if (value := getattr(index.params, flag, None)) is not None}
    return {"data_type": kind, "params": {"type": kind, **given}, "points": index.points}
