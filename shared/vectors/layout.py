"""How a collection is laid out: its name, its vectors, its payload fields and their indexes."""

from __future__ import annotations

import re

from qdrant_client import models

DENSE = "dense"
BM25 = "bm25"

PROJECT = "project"
SCOPE = "scope"
KIND = "kind"
CATEGORIES = "categories"
CREATED = "created"
EXPIRES = "expires"  # days since 0001-01-01, `date.toordinal()`
VERSION = "v"

_KEYWORD = models.KeywordIndexType.KEYWORD
_INTEGER = models.IntegerIndexParams(type=models.IntegerIndexType.INTEGER, lookup=True, range=True)

# Made before the first point: Qdrant links its graph along an index only for points written after the index.
PAYLOAD_INDEXES: dict[str, models.PayloadSchemaParams] = {
    PROJECT: models.KeywordIndexParams(type=_KEYWORD, is_tenant=True),
    **{
        name: models.KeywordIndexParams(type=_KEYWORD)
        for name in (SCOPE, "user_id", "agent_id", "app_id", "run_id", KIND, CATEGORIES)
    },
    CREATED: models.DatetimeIndexParams(type=models.DatetimeIndexType.DATETIME),
    EXPIRES: _INTEGER,
    VERSION: _INTEGER,
}

_NOT_A_NAME = re.compile(r"[^a-z0-9]+")
_LONGEST_SLUG = 60


def collection_name(model: str | None, generation: int) -> str:
    """`flumes-<slug>-<generation>`: one physical collection a vector space and rebuild; model None = BM25 only."""
    slug = _NOT_A_NAME.sub("-", (model or BM25).lower()).strip("-")[:_LONGEST_SLUG].rstrip("-")
    return f"flumes-{slug or 'model'}-{generation}"
