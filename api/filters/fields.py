"""What each key of a filter takes: bare values and operators, one reader a kind of field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, cast, get_args
from uuid import UUID

from api.filters.values import day, number, several, span, text
from shared.errors import BadRequest
from shared.model.filters import (
    Category,
    Either,
    Every,
    Expiry,
    Filter,
    Inside,
    MetaEquals,
    MetaInside,
    MetaNumber,
    Moment,
    Not,
    OneOf,
    TimeColumn,
    Word,
)

Field = Callable[[object, str], Filter]
Operators = dict[str, Callable[[Any, str], Filter]]


def _operators(known: Operators, bare: str) -> Field:
    """A reader: a bare value means the operator `bare`, a bare list `in`; several operators must all hold."""

    def read(value: object, place: str) -> Filter:
        if isinstance(value, list) and "in" in known:
            return known["in"](value, f"{place}.in")
        if not isinstance(value, dict):
            return known[bare](value, place)
        if not value:
            raise BadRequest(f"{place} must not be empty", code="invalid_filter", field=place)
        unknown = next((name for name in value if name not in known), None)
        if unknown is not None:
            raise BadRequest(f"{place}.{unknown} is not an operator here; known are {', '.join(known)}",
                             code="unknown_filter", field=f"{place}.{unknown}")  # fmt: skip
        parts = tuple(known[name](inner, f"{place}.{name}") for name, inner in value.items())
        return parts[0] if len(parts) == 1 else Every(parts)

    return read


def _words(column: str, *, wildcard: bool = False) -> Field:
    name = cast("Any", column)

    def equals(value: object, place: str) -> Filter:
        return Word(name, None if wildcard and value == "*" else (text(value, place),))

    def one_of(value: object, place: str) -> Filter:
        values = several(value, place, text)
        return Word(name, None if wildcard and "*" in values else values)

    return _operators({"eq": equals, "ne": lambda v, p: Not(equals(v, p)), "in": one_of}, "eq")


def _moments(column: TimeColumn) -> Field:
    def compare(how: Any) -> Callable[[object, str], Filter]:
        return lambda value, place: Moment(column, how, *span(value, place))

    equals = compare("eq")
    known: Operators = {how: compare(how) for how in ("eq", "gt", "gte", "lt", "lte")}
    known["ne"] = lambda value, place: Not(equals(value, place))
    known["in"] = lambda value, place: Either(several(value, place, equals))
    return _operators(known, "eq")


def _expiry() -> Field:
    def compare(how: Any) -> Callable[[object, str], Filter]:
        return lambda value, place: Expiry(how, day(value, place))

    equals = compare("eq")
    known: Operators = {how: compare(how) for how in ("eq", "gt", "gte", "lt", "lte")}
    known["ne"] = lambda value, place: Not(equals(value, place))
    known["in"] = lambda value, place: Either(several(value, place, equals))
    return _operators(known, "eq")


def _inside(how: Literal["contains", "icontains"]) -> Callable[[object, str], Filter]:
    return lambda value, place: Inside(how, text(value, place))


def _texts() -> Field:
    def equals(value: object, place: str) -> Filter:
        return Word("text", (text(value, place),))

    known: Operators = {
        "eq": equals,
        "ne": lambda value, place: Not(equals(value, place)),
        "in": lambda value, place: Word("text", several(value, place, text)),
        "contains": _inside("contains"),
        "icontains": _inside("icontains"),
    }
    return _operators(known, "eq")


def _keywords() -> Field:
    """Words in the text; of a list, any."""
    any_of = lambda value, place: Either(several(value, place, _inside("icontains")))  # noqa: E731 - one of a table
    return _operators({"contains": _inside("contains"), "icontains": _inside("icontains"), "in": any_of}, "icontains")


def _categories() -> Field:
    def has(value: object, place: str) -> Filter:
        return Category((text(value, place),))

    def within(value: object, place: str) -> Filter:
        return Category(within=text(value, place))

    known: Operators = {
        "eq": has,
        "ne": lambda value, place: Not(has(value, place)),
        "in": lambda value, place: Category(several(value, place, text)),
        "contains": within,
        "icontains": within,
    }
    return _operators(known, "eq")


def _memory_ids() -> Field:
    def one_of(value: object, place: str) -> Filter:
        texts = several(value if isinstance(value, list) else [value], place, text)
        return OneOf(tuple(found for item in texts if (found := _uuid(item)) is not None))

    return _operators(
        {"in": one_of, "eq": one_of, "ne": lambda value, place: Not(one_of(value, place))}, "eq"
    )  # fmt: skip


def _uuid(value: str) -> UUID | None:
    """None: no memory has such an id."""
    try:
        return UUID(value)
    except ValueError:
        return None


def _metadata(value: object, place: str) -> Filter:
    if not isinstance(value, dict):
        raise BadRequest(f"{place} must be an object of keys and values", code="invalid_filter", field=place)
    parts = tuple(_meta_key(key)(inner, f"{place}.{key}") for key, inner in value.items())
    return parts[0] if len(parts) == 1 else Every(parts)


_META_OPERATORS = {"eq", "ne", "in", "contains", "icontains", "gt", "gte", "lt", "lte"}


def _meta_key(key: str) -> Field:
    def equals(value: object, _place: str) -> Filter:
        return MetaEquals(key, (value,))

    def inside(how: Any) -> Callable[[object, str], Filter]:
        return lambda value, place: MetaInside(key, how, _scalar(value, place))

    def compare(how: Any) -> Callable[[object, str], Filter]:
        return lambda value, place: MetaNumber(key, how, number(value, place))

    known: Operators = {
        "eq": equals,
        "ne": lambda value, place: Not(equals(value, place)),
        "in": lambda value, place: MetaEquals(key, several(value, place, lambda item, _: item)),
        "contains": inside("contains"),
        "icontains": inside("icontains"),
        **{how: compare(how) for how in ("gt", "gte", "lt", "lte")},
    }
    operators = _operators(known, "eq")

    def read(value: object, place: str) -> Filter:
        """An object is one of operators when all its keys are; a bare list is a value like any other."""
        if isinstance(value, dict) and value and set(value) <= _META_OPERATORS:
            return operators(value, place)
        return equals(value, place)

    return read


def _scalar(value: object, place: str) -> Any:
    if isinstance(value, dict | list):
        raise BadRequest(f"{place} must be a single value", code="invalid_filter", field=place)
    return value


FIELDS: dict[str, Field] = {
    **{name: _words(name, wildcard=True) for name in ("user_id", "agent_id", "app_id", "run_id")},
    "session_id": _words("run_id", wildcard=True),
    "memory_type": _words("memory_type"),
    **{name: _moments(name) for name in get_args(TimeColumn)},
    "timestamp": _moments("created_at"),
    "expiration_date": _expiry(),
    "categories": _categories(),
    "metadata": _metadata,
    "keywords": _keywords(),
    "keywords_search": _keywords(),
    "text": _texts(),
    "memory_ids": _memory_ids(),
}
