"""How a dialect answers a POST: what `posting` needs to know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.db.events import Event


@dataclass(frozen=True, slots=True)
class Shape:
    """`done` of an event that ended, `pending` of one that did not, with the latter's status.

    `says_pending`: a caller who does not wait hears PENDING even of what is done already.
    """

    done: Callable[[Event], Any]
    pending: Callable[[UUID], Any]
    pending_status: int = 202
    says_pending: bool = False
