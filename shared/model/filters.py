"""Conditions on memories as a tree: what a caller's filter means, whatever dialect it came in.

A memory without the value a test asks about fails the test; `NOT` of that is true (two-valued logic throughout).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from shared.model.scope import ID_FIELDS, ScopeIds

Compare = Literal["eq", "gt", "gte", "lt", "lte"]
Place = Literal["contains", "icontains"]
Scalar = str | int | float | bool | None
TimeColumn = Literal["created_at", "updated_at", "happens_at", "happens_until", "valid_from", "valid_to"]


@dataclass(frozen=True, slots=True)
class Every:
    """AND; true without parts."""

    parts: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class Either:
    """OR; false without parts."""

    parts: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    """True exactly where `part` is not."""

    part: Filter


@dataclass(frozen=True, slots=True)
class Word:
    """A text column equals one of these; None = it is there at all."""

    column: Literal["user_id", "agent_id", "app_id", "run_id", "memory_type", "text"]
    values: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Inside:
    """The text holds this, with or without regard to case."""

    how: Place
    text: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A time within, before or after the span [start, end); a moment is a span of a microsecond, a day one of 24 h."""

    column: TimeColumn
    how: Compare
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Happens:
    """What it speaks of goes on at some time in [start, end); None leaves that side open.

    A date lasts as long as its precision says: one known to the month is true of each of its days.
    """

    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Expiry:
    """The last day on which it is served."""

    how: Compare
    day: date


@dataclass(frozen=True, slots=True)
class Category:
    """One of the categories is one of these, or (`within`) holds this without regard to case."""

    any_of: tuple[str, ...] = ()
    within: str | None = None


@dataclass(frozen=True, slots=True)
class MetaEquals:
    """The value under a top-level key of the metadata is one of these JSON values; null also where there is no key."""

    key: str
    values: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class MetaNumber:
    """The value under a top-level key is a number that compares so."""

    key: str
    how: Literal["gt", "gte", "lt", "lte"]
    value: Decimal


@dataclass(frozen=True, slots=True)
class MetaInside:
    """The value under a top-level key is a text that holds this text, or a list that has this element."""

    key: str
    how: Place
    value: Scalar


@dataclass(frozen=True, slots=True)
class OneOf:
    """The memory is one of these."""

    ids: tuple[UUID, ...]


Test = Word | Inside | Moment | Happens | Expiry | Category | MetaEquals | MetaNumber | MetaInside | OneOf
Filter = Every | Either | Not | Test
NOTHING_ASKED = Every()


def demanded_ids(found: Filter) -> ScopeIds:
    """The entity ids every match must have, read off the conjunction; those of branches do not count."""
    ids: dict[str, str] = {}
    for part in conjunction(found):
        if isinstance(part, Word) and part.column in ID_FIELDS and part.values and len(part.values) == 1:
            ids.setdefault(part.column, part.values[0])
    return ScopeIds(**ids)


def conjunction(found: Filter) -> tuple[Filter, ...]:
    """The parts that must all hold."""
    if not isinstance(found, Every):
        return (found,)
    return tuple(inner for part in found.parts for inner in conjunction(part))


def names_an_entity(found: Filter) -> bool:
    """Whether an entity id is asked for anywhere but under a NOT."""
    match found:
        case Every(parts) | Either(parts):
            return any(names_an_entity(part) for part in parts)
        case Word(column):
            return column in ID_FIELDS
        case _:
            return False
