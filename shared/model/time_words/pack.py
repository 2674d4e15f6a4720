"""The shape of a language's words for time; keys are regular expressions without groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Unit = Literal["hour", "day", "week", "weekend", "month", "season", "year"]
Step = tuple[Unit, int, str]  # unit, how many from now (negative: back), part of the day ("" = the whole)

A_FEW = 3  # what "a few" counts for


@dataclass(frozen=True, slots=True)
class Pack:
    """One language. `show` has full phrases ("on {0}"), `bare` the same behind a preposition of the text ("since")."""

    fixed: Mapping[str, Step]
    units: Mapping[str, Unit]
    numbers: Mapping[str, int]
    few: str
    before: Mapping[str, int]  # "last" week: -1
    after: Mapping[str, int]  # semaine "dernière": -1
    ago: str  # {n} and {u} stand for number and unit
    ahead: str
    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    lead: str  # articles and prepositions that the written phrase replaces
    keep: str  # prepositions that stay in front of the bare phrase
    not_behind: str  # what must not stand in front ("over the" last year is a span)
    show: Mapping[str, str]
    bare: Mapping[str, str]
    month_lead: str  # what makes a lone month name a date
    weekday_lead: str  # what makes a lone weekday a date
    noun_before: str = r"(?!)"  # verbs that make the word for time their subject ("last week was hard")
    day_parts: str = r"(?!)"
    spaced: bool = True
    weekday_in_week: bool = False  # "last Monday" counts from the calendar week
