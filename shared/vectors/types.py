"""The values that cross the vector port. No text is ever part of a payload."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from shared.model.scope import ScopeIds

Dense = NDArray[np.float32]


class Everywhere(Enum):
    """All projects: only for the upkeep of the index, and said aloud; nothing means it by being left out."""

    EVERYWHERE = "everywhere"


EVERYWHERE: Final = Everywhere.EVERYWHERE
Within = UUID | Everywhere


@dataclass(frozen=True, slots=True)
class Point:
    """One memory version as it stands in the index. `index_text` becomes the BM25 vector and is not stored."""

    memory_id: UUID
    version: int
    project_id: UUID
    scope_id: UUID
    ids: ScopeIds
    kind: str
    categories: tuple[str, ...]
    created_at: datetime
    expires_on: date | None
    index_text: str
    dense: Dense | None = None


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A memory to remove: the project's point goes unless it already carries a newer version."""

    memory_id: UUID
    version: int
    within: Within


@dataclass(frozen=True, slots=True)
class Where:
    """Which points a query may see. `project_id` is demanded; everything else narrows.

    `ids`: the given ids must be equal, the others may be anything. `memory_ids`: only these points. `messages`: also
    the messages kept beside their statements.
    """

    project_id: UUID
    scope_id: UUID | None = None
    ids: ScopeIds = field(default_factory=ScopeIds)
    kinds: tuple[str, ...] = ()
    categories_any: tuple[str, ...] = ()
    created_from: datetime | None = None
    created_to: datetime | None = None
    not_expired_on: date | None = None  # hide points whose expires_on lies before this day
    memory_ids: tuple[UUID, ...] | None = None
    messages: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """One text to look for; `dense` is its embedding, None = BM25 only."""

    text: str
    where: Where
    dense: Dense | None = None
    dense_limit: int = 3
    bm25_limit: int = 2


@dataclass(frozen=True, slots=True)
class Hit:
    """A point found. `semantic` = cosine in [-1, 1], None = query or point without a dense vector; `bm25` >= 0, raw."""

    memory_id: UUID
    version: int
    semantic: float | None
    bm25: float | None
