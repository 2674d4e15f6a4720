"""Points and conditions as Qdrant models. Every filter made here names a project."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from qdrant_client import models

from shared.model.record import MESSAGE_KIND
from shared.model.scope import ID_FIELDS
from shared.vectors import bm25
from shared.vectors import layout as at
from shared.vectors.types import Everywhere, Point, Tombstone, Where, Within


def point_struct(point: Point) -> models.PointStruct:
    """The point with its vectors; `index_text` goes into the BM25 vector and nowhere else."""
    vectors: dict[str, Any] = {at.BM25: bm25.document_vector(point.index_text)}
    if point.dense is not None:
        vectors[at.DENSE] = point.dense.tolist()
    return models.PointStruct(id=str(point.memory_id), vector=vectors, payload=_payload(point))


def _payload(point: Point) -> dict[str, Any]:
    fields: dict[str, Any] = {
        at.PROJECT: str(point.project_id),
        at.SCOPE: str(point.scope_id),
        **point.ids.given(),
        at.KIND: point.kind,
        at.CREATED: point.created_at.isoformat(),
        at.VERSION: point.version,
    }
    if point.categories:
        fields[at.CATEGORIES] = list(point.categories)
    if point.expires_on is not None:
        fields[at.EXPIRES] = point.expires_on.toordinal()
    return fields


def where_filter(where: Where, only: Sequence[UUID] | None = None) -> models.Filter:
    """Everything of `where`; `only` stands for its `memory_ids`: some of them, found before."""
    must: list[Any] = [_equals(at.PROJECT, str(where.project_id))]
    if where.scope_id is not None:
        must.append(_equals(at.SCOPE, str(where.scope_id)))
    must += [_equals(name, value) for name in ID_FIELDS if (value := getattr(where.ids, name)) is not None]
    must += [
        _any(key, values) for key, values in ((at.KIND, where.kinds), (at.CATEGORIES, where.categories_any)) if values
    ]
    if where.created_from is not None or where.created_to is not None:
        created = models.DatetimeRange(gte=where.created_from, lte=where.created_to)
        must.append(models.FieldCondition(key=at.CREATED, range=created))
    ids = where.memory_ids if only is None else only
    if ids is not None:
        must.append(_has_id(ids))
    must_not: list[Any] = [] if where.messages else [_equals(at.KIND, MESSAGE_KIND)]
    if where.not_expired_on is not None:
        expired = models.Range(lt=where.not_expired_on.toordinal())
        must_not.append(models.FieldCondition(key=at.EXPIRES, range=expired))
    return models.Filter(must=must, must_not=must_not or None)


def within_filter(within: Within) -> models.Filter | None:
    """What `count` and `scan` see. Raises `TypeError` for what names neither a project nor `EVERYWHERE`."""
    if isinstance(within, Everywhere):
        return None
    if not isinstance(within, UUID):
        raise TypeError("a project id is needed, or EVERYWHERE")
    return project_filter(within)


def project_filter(project_id: UUID) -> models.Filter:
    """All points of a project: also whose BM25 statistics count."""
    return models.Filter(must=[_equals(at.PROJECT, str(project_id))])


def older_than(points: Sequence[Point]) -> models.Filter:
    """True for a stored point whose version lies below that of its namesake here, of the same project."""
    ids: dict[tuple[Within, int], list[UUID]] = defaultdict(list)
    for point in points:
        ids[point.project_id, point.version].append(point.memory_id)
    return _any_version(ids, "lt")


def covered_by(tombstones: Sequence[Tombstone]) -> models.Filter:
    """True for a stored point whose version is not above that of its tombstone here."""
    ids: dict[tuple[Within, int], list[UUID]] = defaultdict(list)
    for tombstone in tombstones:
        ids[tombstone.within, tombstone.version].append(tombstone.memory_id)
    return _any_version(ids, "lte")


def _any_version(ids: dict[tuple[Within, int], list[UUID]], bound: str) -> models.Filter:
    clauses = [
        models.Filter(
            must=[
                _has_id(group),
                models.FieldCondition(key=at.VERSION, range=models.Range(**{bound: version})),
                *_in_project(within),
            ]
        )
        for (within, version), group in ids.items()
    ]
    return models.Filter(should=list(clauses))


def _in_project(within: Within) -> list[models.FieldCondition]:
    return [] if isinstance(within, Everywhere) else [_equals(at.PROJECT, str(within))]


def _equals(key: str, value: str) -> models.FieldCondition:
    return models.FieldCondition(key=key, match=models.MatchValue(value=value))


def _any(key: str, values: Sequence[str]) -> models.FieldCondition:
    return models.FieldCondition(key=key, match=models.MatchAny(any=list(values)))


def _has_id(ids: Sequence[UUID]) -> models.HasIdCondition:
    return models.HasIdCondition(has_id=[str(identity) for identity in ids])
