"""Points and queries for the vector contract, with everything but the point at issue filled in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import numpy as np

from shared.model.scope import ScopeIds
from shared.vectors.types import Dense, Point, Query, Where

PROJECT = UUID("11111111-1111-7111-8111-111111111111")
OTHER_PROJECT = UUID("22222222-2222-7222-8222-222222222222")
SCOPE = UUID("33333333-3333-7333-8333-333333333333")
DAY = datetime(2026, 5, 6, 12, tzinfo=UTC)


def unit(*values: float) -> Dense:
    """A dense vector of 4 dimensions."""
    padded = [*values, 0.0, 0.0, 0.0, 0.0][:4]
    return np.asarray(padded, dtype=np.float32)


def point(text: str = "Likes green tea", **changed: Any) -> Point:
    """A point of `PROJECT`; any field may be given."""
    fields: dict[str, Any] = {
        "memory_id": uuid4(),
        "version": 1,
        "project_id": PROJECT,
        "scope_id": SCOPE,
        "ids": ScopeIds(user_id="alex"),
        "kind": "preference",
        "categories": (),
        "created_at": DAY,
        "expires_on": None,
        "index_text": text,
        "dense": unit(1),
    }
    return Point(**{**fields, **changed})


def where(**changed: Any) -> Where:
    """All of `PROJECT` unless narrowed."""
    return Where(**{"project_id": PROJECT, **changed})


def words(text: str, limit: int = 10, **narrowed: Any) -> Query:
    """A BM25 query."""
    return Query(text=text, where=where(**narrowed), bm25_limit=limit)


def near(vector: Dense, text: str = "", dense_limit: int = 10, bm25_limit: int = 10, **narrowed: Any) -> Query:
    """A query by embedding and text."""
    return Query(text=text, where=where(**narrowed), dense=vector, dense_limit=dense_limit, bm25_limit=bm25_limit)


def day(text: str) -> date:
    """An ISO date."""
    return date.fromisoformat(text)


def key_header(key: str | None) -> dict[str, str]:
    """How a request shows its key."""
    return {"api-key": key} if key else {}
