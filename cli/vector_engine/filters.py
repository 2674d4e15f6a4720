"""Qdrant's filter JSON as the engine's filter objects."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeAlias

import qdrant_edge as edge

from cli.vector_engine.errors import bad_request, unsupported
from cli.vector_engine.ids import point_id
from cli.vector_engine.strict import Fields

Condition: TypeAlias = (
    "edge.FieldCondition | edge.IsEmptyCondition | edge.IsNullCondition | edge.HasIdCondition"
    " | edge.HasVectorCondition | edge.NestedCondition | edge.Filter"
)
_BOUNDS = ("gte", "gt", "lte", "lt")


def to_filter(value: object, where: str = "filter") -> edge.Filter | None:
    """A filter, None for an absent one."""
    if value is None:
        return None
    fields = Fields(value, where)
    clauses = {name: fields.array(name) for name in ("must", "should", "must_not")}
    least = fields.take("min_should")
    fields.done()
    parsed: dict[str, list[Condition] | None] = {
        name: None if items is None else [_condition(item, f"{where}.{name}") for item in items]
        for name, items in clauses.items()
    }
    return edge.Filter(parsed["must"], parsed["should"], parsed["must_not"], _min_should(least, where))


def _min_should(value: object, where: str) -> edge.MinShould | None:
    if value is None:
        return None
    fields = Fields(value, f"{where}.min_should")
    conditions = [_condition(item, f"{where}.min_should") for item in fields.array("conditions") or []]
    count = fields.integer("min_count", 0)
    fields.done()
    return edge.MinShould(conditions, count or 0)


def _condition(value: object, where: str) -> Condition:
    fields = Fields(value, where)
    if "key" in fields:
        return _field_condition(fields, where)
    if "has_id" in fields:
        condition: Condition = edge.HasIdCondition({point_id(item) for item in fields.array("has_id") or []})
    elif "is_empty" in fields:
        condition = edge.IsEmptyCondition(_key_of(fields.take("is_empty"), where))
    elif "is_null" in fields:
        condition = edge.IsNullCondition(_key_of(fields.take("is_null"), where))
    elif "has_vector" in fields:
        condition = edge.HasVectorCondition(fields.text("has_vector") or "")
    elif any(name in fields for name in ("must", "should", "must_not", "min_should")):
        return to_filter(value, where) or edge.Filter()
    else:
        fields.done()
        raise bad_request(f"{where}: an empty condition")
    fields.done()
    return condition


def _key_of(value: object, where: str) -> str:
    fields = Fields(value, where)
    key = fields.need("key")
    fields.done()
    return str(key)


def _field_condition(fields: Fields, where: str) -> edge.FieldCondition:
    key = fields.text("key") or ""
    match, bounds = fields.take("match"), fields.take("range")
    fields.done()
    if (match is None) == (bounds is None):
        raise bad_request(f"{where}: `{key}` needs exactly one of match, range")
    if bounds is not None:
        return edge.FieldCondition(key, range=_range(bounds, f"{where}.{key}.range"))
    return edge.FieldCondition(key, match=_match(match, f"{where}.{key}.match"))


def _match(value: object, where: str) -> edge.MatchValue | edge.MatchAny | edge.MatchExcept:
    fields = Fields(value, where)
    if "value" in fields:
        wanted = _keyword(fields.take("value"), where)
        fields.done()
        return edge.MatchValue(wanted)
    kind = edge.MatchAny if "any" in fields else edge.MatchExcept
    listed = _keywords(fields.array("any" if "any" in fields else "except"), where)
    fields.done()
    return kind(listed)


def _keyword(value: object, where: str) -> str | int:
    if isinstance(value, bool):  # the library turns it into 0 or 1, which matches no stored boolean
        raise unsupported(f"{where}: boolean values")
    if not isinstance(value, str | int):
        raise bad_request(f"{where}: expected a string or an integer")
    return value


def _keywords(values: list[Any] | None, where: str) -> list[Any]:
    if values is None:
        raise bad_request(f"{where}: expected one of value, any, except")
    parsed = [_keyword(value, where) for value in values]
    if len({type(value) for value in parsed}) > 1:
        raise bad_request(f"{where}: strings and integers mixed")
    return parsed


def _range(value: object, where: str) -> edge.RangeFloat | edge.RangeDateTime:
    fields = Fields(value, where)
    bounds = {name: bound for name in _BOUNDS if (bound := fields.take(name)) is not None}
    fields.done()
    if all(isinstance(bound, int | float) and not isinstance(bound, bool) for bound in bounds.values()):
        return edge.RangeFloat(**bounds)
    if all(isinstance(bound, str) for bound in bounds.values()):
        return edge.RangeDateTime(**{name: _moment(bound, where) for name, bound in bounds.items()})
    raise bad_request(f"{where}: bounds must be all numbers or all date-times")


def _moment(value: str, where: str) -> str:
    try:
        datetime.fromisoformat(value)
    except ValueError as error:
        raise bad_request(f"{where}: {error}") from error
    return value
