"""From a day to the day, week, month or year some steps away, with its ISO value and how to write it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from shared.model.time_words.pack import Unit

Precision = Literal["day", "week", "weekend", "month", "season", "year"]
Direction = Literal["past", "present", "future"]
Form = Literal["day", "part", "week", "weekend", "month", "year", "vague", "named"]
_DIRECTIONS: dict[int, Direction] = {-1: "past", 0: "present", 1: "future"}


@dataclass(frozen=True, slots=True)
class Moment:
    """A date as precise as it was said.

    value: ISO 8601 (`2026-05-06`, `2026-05`, `2026`); a week is its Monday, a weekend its Saturday, a season its year.
    until: the last day of a week or weekend. form, written, name: the template of the language and what goes into it.
    """

    value: str
    precision: Precision
    direction: Direction
    form: Form
    written: str
    until: str | None = None
    name: str = ""


def away(said_at: datetime, unit: Unit, count: int, *, part: str = "", vague: bool = False) -> Moment:
    """The unit `count` steps from `said_at`; `vague` ("a few weeks ago") gives the next coarser precision."""
    day, turn = said_at.date(), _DIRECTIONS[(count > 0) - (count < 0)]
    if vague:
        return _about(said_at, unit, count, turn)
    if unit == "hour":
        return _day((said_at + timedelta(hours=count)).date(), turn)
    if unit == "day":
        return _day(day + timedelta(days=count), turn, part)
    if unit == "week":
        return _span(_monday(day) + timedelta(weeks=count), 6, "week", turn)
    if unit == "weekend":
        return _span(_monday(day) + timedelta(weeks=count, days=5), 1, "weekend", turn)
    value = _month(day, count) if unit == "month" else _year(day.year + count)
    coarse: Literal["month", "year"] = "month" if unit == "month" else "year"
    return Moment(value, coarse, turn, coarse, value)


def weekday(day: date, position: int, turn: int, part: str = "", *, in_week: bool = False) -> Moment:
    """The Monday (position 0) before, in the week of or after `day`; `in_week` counts from the calendar week."""
    if turn == 0 or in_week:
        target = _monday(day) + timedelta(weeks=turn, days=position)
    else:
        ahead = (position - day.weekday()) % 7 or 7
        target = day + timedelta(days=ahead if turn > 0 else (ahead - 7 or -7))
    return _day(target, _DIRECTIONS[(target > day) - (target < day)], part)


def named_month(day: date, month: int, turn: int, name: str) -> Moment:
    """The month meant by "last July", "next July", "this July" on `day`."""
    year = day.year
    if turn < 0 and month >= day.month:
        year -= 1
    elif turn > 0 and month <= day.month:
        year += 1
    return Moment(f"{_year(year)}-{month:02}", "month", _DIRECTIONS[turn], "named", _year(year), name=name)


def season(day: date, name: str, turn: int) -> Moment:
    """The season meant by "last summer" on `day`; its value is the year, since months depend on the hemisphere."""
    first, last = {"spring": (3, 5), "summer": (6, 8), "winter": (12, 14)}.get(name.lower().rstrip("s"), (9, 11))
    year = day.year
    if turn < 0 and not (day.month > last or (last > 12 and 12 > day.month > last - 12)):
        year -= 1
    elif turn > 0 and first <= day.month:
        year += 1
    if turn < 0 and last > 12 and year == day.year:
        year -= 1
    written = f"{_year(year)}/{_year(year + 1)}" if last > 12 else _year(year)
    return Moment(_year(year), "season", _DIRECTIONS[turn], "named", written, name=name)


def _about(said_at: datetime, unit: Unit, count: int, turn: Direction) -> Moment:
    day = said_at.date()
    if unit == "hour":
        return _day(day, turn)
    if unit == "day":
        monday = _monday(day + timedelta(days=count)).isoformat()
        return Moment(monday, "week", turn, "vague", monday)
    if unit in ("week", "weekend", "month"):
        value = _month(day, count) if unit == "month" else (day + timedelta(weeks=count)).isoformat()[:7]
        return Moment(value, "month", turn, "vague", value)
    value = _year(day.year + count)
    return Moment(value, "year", turn, "vague", value)


def _day(day: date, turn: Direction, part: str = "") -> Moment:
    return Moment(day.isoformat(), "day", turn, "part" if part else "day", day.isoformat(), name=part)


def _span(first: date, days: int, unit: Literal["week", "weekend"], turn: Direction) -> Moment:
    return Moment(first.isoformat(), unit, turn, unit, first.isoformat(), (first + timedelta(days=days)).isoformat())


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _month(day: date, count: int) -> str:
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return f"{_year(year)}-{month + 1:02}"


def _year(year: int) -> str:
    """Four digits; ValueError outside the calendar."""
    return f"{date(year, 1, 1).year:04}"
