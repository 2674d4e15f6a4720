"""The values of a filter: texts, lists of them, days and moments; each refusal names the place."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from shared.errors import BadRequest

MAX_VALUES = 1_000
MAX_TEXT = 2_000
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT = timedelta(microseconds=1)
_WHOLE_DAY = timedelta(days=1)

T = TypeVar("T")


def text(value: object, place: str) -> str:
    """A text that is not empty."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadRequest(f"{place} must be a text", code="invalid_filter", field=place)
    found = str(value)
    if not found or len(found) > MAX_TEXT:
        raise BadRequest(f"{place} must have 1 to {MAX_TEXT} characters", code="invalid_filter", field=place)
    return found


def several(value: object, place: str, one: Callable[[object, str], T]) -> tuple[T, ...]:
    """A list of values."""
    if not isinstance(value, list) or len(value) > MAX_VALUES:
        raise BadRequest(f"{place} must be a list of up to {MAX_VALUES}", code="invalid_filter", field=place)
    return tuple(one(item, f"{place}[{index}]") for index, item in enumerate(value))


def span(value: object, place: str) -> tuple[datetime, datetime]:
    """[start, end): the 24 hours (UTC) of a day without a time, else the microsecond of a moment; naive means UTC."""
    whole_day = isinstance(value, str) and _DAY.fullmatch(value.strip()) is not None
    try:
        start = _moment(value)
        return start, start + (_WHOLE_DAY if whole_day else _INSTANT)
    except (ValueError, OverflowError, OSError):
        raise BadRequest(f"{place} must be a day, ISO 8601 or seconds since 1970",
                         code="invalid_filter", field=place) from None  # fmt: skip


def _moment(value: object) -> datetime:
    if isinstance(value, str):
        moment = datetime.fromisoformat(value.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("neither text nor number")  # noqa: TRY004 - one except for all bad times
    return datetime.fromtimestamp(value, UTC)


def day(value: object, place: str) -> date:
    """A calendar day; of a moment the day in UTC."""
    return span(value, place)[0].date()


def number(value: object, place: str) -> Decimal:
    """A number, exactly as it is written in JSON."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) == float("inf"):  # noqa: PLR0124 - NaN
        raise BadRequest(f"{place} must be a number", code="invalid_filter", field=place)
    return Decimal(repr(value))
