"""From the JSON of a filter to its tree. What is not known is refused by name, so that no condition is dropped.

`{"user_id": "u", "created_at": {"gte": "2026-01-01"}, "OR": [...], "NOT": ...}`: siblings all hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.filters.fields import FIELDS
from shared.errors import BadRequest
from shared.model.filters import NOTHING_ASKED, Either, Every, Filter, Not

MAX_DEPTH = 12
MAX_NODES = 500


def parse_filter(given: object, place: str = "filters") -> Filter:
    """The tree of a filter object; None and {} ask nothing. Raises `BadRequest` naming the place at fault."""
    if given is None:
        return NOTHING_ASKED
    return _Reader().tree(given, place, 0)


class _Reader:
    """Reads one filter; counts how much there is of it."""

    def __init__(self) -> None:
        self._nodes = 0

    def tree(self, given: object, place: str, depth: int) -> Filter:
        if not isinstance(given, dict):
            raise BadRequest(f"{place} must be an object", code="invalid_filter", field=place)
        self._nodes += 1 + len(given)
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            raise BadRequest(f"{place}: the filter is too deep or too long", code="invalid_filter", field=place)
        parts = [self._entry(name, value, f"{place}.{name}", depth) for name, value in given.items()]
        return _all_of([part for part in parts if part is not None])

    def _entry(self, name: str, value: object, place: str, depth: int) -> Filter | None:
        if name in ("AND", "OR", "NOT"):
            parts = self._several(value, place, depth)
            return Every(parts) if name == "AND" else Either(parts) if name == "OR" else Not(Either(parts))
        field = FIELDS.get(name)
        if field is None:
            known = ", ".join([*FIELDS, "AND", "OR", "NOT"])
            raise BadRequest(f"{place} is not a known filter; known are {known}", code="unknown_filter", field=place)
        self._nodes += len(value) if isinstance(value, dict) else 0
        return None if value is None else field(value, place)

    def _several(self, value: object, place: str, depth: int) -> tuple[Filter, ...]:
        """The objects under AND, OR, NOT; a single object is a list of one."""
        items = value if isinstance(value, list) else [value]
        if not items:
            raise BadRequest(f"{place} must not be empty", code="invalid_filter", field=place)
        return tuple(self.tree(item, f"{place}[{index}]", depth + 1) for index, item in enumerate(items))


def _all_of(parts: list[Filter]) -> Filter:
    return parts[0] if len(parts) == 1 else Every(tuple(parts))


def merged(*filters: Filter) -> Filter:
    """All of them hold."""
    return _all_of([part for part in filters if part != NOTHING_ASKED])


def shorthand(given: Mapping[str, Any], names: tuple[str, ...], place: str = "") -> Filter:
    """Filters that some routes take as parameters beside `filters`."""
    chosen = {name: given[name] for name in names if given.get(name) not in (None, "", [])}
    return _Reader().tree(chosen, place, 0) if chosen else NOTHING_ASKED
