"""Filters as SQL over the alias `m`: words are constants of this file, everything a caller wrote is a bound parameter.

A compiled test is TRUE where it holds and FALSE or NULL elsewhere, so that indexes serve it; NOT asks `IS NOT TRUE`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from shared.model.filters import (
    Category,
    Either,
    Every,
    Expiry,
    Filter,
    Happens,
    Inside,
    MetaEquals,
    MetaInside,
    MetaNumber,
    Moment,
    Not,
    OneOf,
    Word,
)

_SIGNS = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_COLUMNS = {"memory_type": "kind"}
_BEGINS = "coalesce(m.happens_at, m.happens_until)"
_LAST = "coalesce(m.happens_until, m.happens_at)"
# Calendar dates are midnights in UTC; the precision is that of the first date, so a finer last one counts as a day.
_LASTS = f"""CASE
    WHEN m.precision = 'year' AND {_LAST} = date_trunc('year', {_LAST}, 'UTC') THEN interval '1 year'
    WHEN m.precision IN ('year', 'month') AND {_LAST} = date_trunc('month', {_LAST}, 'UTC') THEN interval '1 month'
    WHEN m.precision = 'minute' THEN interval '1 minute' ELSE interval '1 day' END"""
_ENDS = f"((({_LAST}) AT TIME ZONE 'UTC') + {_LASTS}) AT TIME ZONE 'UTC'"


@dataclass(slots=True)
class Compiled:
    """`sql` is one parenthesised condition; its parameters are named `f0`, `f1`, ..."""

    sql: str = ""
    values: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: Any) -> str:
        """A new parameter with this value."""
        name = f"f{len(self.values)}"
        self.values[name] = value
        return f":{name}"


def compiled(found: Filter) -> Compiled:
    """The condition of a filter."""
    into = Compiled()
    into.sql = _condition(found, into)
    return into


def _condition(found: Filter, into: Compiled) -> str:
    match found:
        case Every(parts):
            return f"({' AND '.join(_condition(part, into) for part in parts) or 'true'})"
        case Either(parts):
            return f"({' OR '.join(_condition(part, into) for part in parts) or 'false'})"
        case Not(part):
            return f"({_condition(part, into)} IS NOT TRUE)"
        case MetaEquals() | MetaNumber() | MetaInside():
            return f"({_metadata(found, into)})"
        case _:
            return f"({_test(found, into)})"


def _test(  # noqa: PLR0911 - one line a kind of test
    found: Word | Inside | Moment | Happens | Expiry | Category | OneOf, into: Compiled
) -> str:
    match found:
        case Word(column, None):
            return f"m.{_COLUMNS.get(column, column)} IS NOT NULL"
        case Word(column, values):
            return _equals(_COLUMNS.get(column, column), list(values or ()), into)
        case Inside(how, text):
            return _holds("m.text", how, text, into)
        case Moment():
            return _moment(found, into)
        case Happens():
            return _happens(found, into)
        case Expiry(how, day):
            return f"m.expires_on {_SIGNS[how]} {into.bind(day)}"
        case Category(any_of, None):
            return f"m.categories && CAST({into.bind(list(any_of))} AS text[])"
        case Category(_, within):
            inner = _holds("c.name", "icontains", within or "", into)
            return f"EXISTS (SELECT 1 FROM unnest(m.categories) AS c(name) WHERE {inner})"
        case OneOf(ids):
            return f"m.id = ANY({into.bind(list(ids))})"


def _equals(column: str, values: list[str], into: Compiled) -> str:
    if len(values) == 1:
        return f"m.{column} = {into.bind(values[0])}"
    return f"m.{column} = ANY(CAST({into.bind(values)} AS text[]))"


def _holds(column: str, how: str, text: str, into: Compiled) -> str:
    needle = f"CAST({into.bind(text)} AS text)"
    if how == "icontains":
        return f"position(lower({needle}) IN lower({column})) > 0"
    return f"position({needle} IN {column}) > 0"


def _moment(found: Moment, into: Compiled) -> str:
    column, start, end = f"m.{found.column}", found.start, found.end
    match found.how:
        case "eq":
            return f"{column} >= {into.bind(start)} AND {column} < {into.bind(end)}"
        case "gt":
            return f"{column} >= {into.bind(end)}"
        case "gte":
            return f"{column} >= {into.bind(start)}"
        case "lt":
            return f"{column} < {into.bind(start)}"
        case "lte":
            return f"{column} < {into.bind(end)}"


def _happens(found: Happens, into: Compiled) -> str:
    sides = [f"{_BEGINS} IS NOT NULL"]
    if found.end is not None:
        sides.append(f"{_BEGINS} < {into.bind(found.end)}")
    if found.start is not None:
        sides.append(f"{_ENDS} > {into.bind(found.start)}")
    return " AND ".join(sides)


def _metadata(found: MetaEquals | MetaNumber | MetaInside, into: Compiled) -> str:
    match found:
        case MetaEquals(key, values):
            return " OR ".join(_meta_equals(key, value, into) for value in values) or "false"
        case MetaNumber(key, how, value):
            at = f"CAST({into.bind(key)} AS text)"
            limit = f"CAST({into.bind(str(value))} AS numeric)"
            return (
                f"CASE WHEN jsonb_typeof(m.metadata -> {at}) = 'number'"
                f" THEN (m.metadata ->> {at})::numeric {_SIGNS[how]} {limit} END"
            )
        case MetaInside(key, how, value):
            return _meta_inside(f"CAST({into.bind(key)} AS text)", how, value, into)


def _meta_equals(key: str, value: object, into: Compiled) -> str:
    if value is None:
        at = f"CAST({into.bind(key)} AS text)"
        return f"coalesce(m.metadata -> {at}, 'null'::jsonb) = 'null'::jsonb"
    if isinstance(value, dict | list):
        return f"m.metadata -> CAST({into.bind(key)} AS text) = CAST({into.bind(_json(value))} AS jsonb)"
    return f"m.metadata @> CAST({into.bind(_json({key: value}))} AS jsonb)"  # the GIN index serves this


def _meta_inside(at: str, how: str, value: object, into: Compiled) -> str:
    branches = ""
    if isinstance(value, str):
        branches += f" WHEN 'string' THEN {_holds(f'(m.metadata ->> {at})', how, value, into)}"
    if isinstance(value, str) and how == "icontains":
        needle = f"lower(CAST({into.bind(value)} AS text))"
        element = f"jsonb_typeof(e.item) = 'string' AND lower(e.item #>> '{{}}') = {needle}"
        array = f"EXISTS (SELECT 1 FROM jsonb_array_elements(m.metadata -> {at}) AS e(item) WHERE {element})"
    else:
        array = f"m.metadata -> {at} @> CAST({into.bind(_json([value]))} AS jsonb)"
    return f"CASE jsonb_typeof(m.metadata -> {at}){branches} WHEN 'array' THEN {array} END"


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
