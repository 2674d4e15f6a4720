"""Calendar words ("in July", "6 May 2026", "2026年5月6日"): they stay in the text as said and only get an ISO value.

A month or day without a year follows the tense: plans forward, reports backward; without a tense it gets no year.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from shared.model.language import Language
from shared.model.steps import Direction, Moment, Precision
from shared.model.tense import Tense
from shared.model.time_words.pack import Pack
from shared.model.time_words.packs import PACKS

_ISO = re.compile(r"(?<![\d-])(?P<year>\d{4})-(?P<month>\d{2})(?:-(?P<day>\d{2}))?(?![\d-])")
_EVERY_YEAR = re.compile(
    r"\b(?:birthday|anniversary|every|each|always|usually|geburtstag|jede[nrs]?|cumpleaños|cada|anniversaire|"
    r"chaque)\b|生日|每年",
    re.IGNORECASE,
)
_ALSO_WORDS = frozenset(("may", "march", "mar", "sept", "dec", "jan", "mai", "mars", "sat", "sun", "wed", "mon"))
_YEAR = r"(?P<{}>(?:1[89]|20)\d\d)(?!\d|:\d|-\d)"
_BEFORE_YEAR = (
    r"in|since|until|till|by|from|of|to|late|early|im jahr|jahr|seit|en|desde|hasta|depuis|around|before|after"
)

_UNSPACED = (
    r"(?P<year>(?:1[89]|20)\d\d)年(?:(?P<month>1[0-2]|0?[1-9])月(?:(?P<day>[12]\d|3[01]|0?[1-9])[日号])?)?",
    r"(?<!\d)(?P<month>1[0-2]|0?[1-9])月(?:(?P<day>[12]\d|3[01]|0?[1-9])[日号]|份?(?!\d))",
    r"(?P<name>(?:十[一二]?|[一二三四五六七八九])月)份?(?![一二三四五六七八九十])",
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A date in a text: text[start:end]; `shown` replaces it, None leaves it as said."""

    start: int
    end: int
    moment: Moment
    shown: str | None = None


def calendar_mentions(text: str, day: date, spoken: Language | None, looks: Tense | None) -> list[Mention]:
    """The calendar words in `text`, said on `day`; without overlaps, in order."""
    if _EVERY_YEAR.search(text):
        looks = None
    found: list[Mention] = []
    patterns = (_ISO, *(_patterns(spoken) if spoken else ()))
    for match in (match for pattern in patterns for match in pattern.finditer(text)):
        clear = all(match.end() <= other.start or other.end <= match.start() for other in found)
        moment = _moment(match, day, spoken, looks) if clear else None
        if moment is not None:
            found.append(Mention(match.start(), match.end(), moment))
    return sorted(found, key=lambda mention: mention.start)


def also_a_word(name: str) -> bool:
    """True for a month or weekday that is an ordinary word unless it is capitalised ("may", "sun")."""
    return name.islower() and name in _ALSO_WORDS


def _moment(match: re.Match[str], day: date, spoken: Language | None, looks: Tense | None) -> Moment | None:
    parts = match.groupdict()
    if also_a_word(parts.get("name") or "") and not parts.get("year"):
        return None
    month = int(parts["month"]) if parts.get("month") else _month_number(parts.get("name"), spoken)
    day_of_month = int(parts["day"]) if parts.get("day") else None
    try:
        year = int(parts["year"]) if parts.get("year") else _year(day, month, day_of_month, looks)
        return _dated(year, month, day_of_month, day) if year else None
    except ValueError:  # 31 February, month 13
        return None


def _dated(year: int, month: int | None, day_of_month: int | None, said: date) -> Moment:
    whole = date(year, month or 1, day_of_month or 1).isoformat()
    precision: Precision = "day" if day_of_month else "month" if month else "year"
    value = whole[: {"day": 10, "month": 7, "year": 4}[precision]]
    now = said.isoformat()[: len(value)]
    direction: Direction = "past" if value < now else "future" if value > now else "present"
    return Moment(value, precision, direction, "day", value)


def _year(said: date, month: int | None, day_of_month: int | None, looks: Tense | None) -> int | None:
    """The year a month without one means: the next one ahead, the last one behind, this month in both."""
    if looks is None or month is None:
        return None
    here = (said.month, said.day) if day_of_month else (said.month,)
    there = (month, day_of_month) if day_of_month else (month,)
    if looks == "future":
        return said.year + (there < here)
    return said.year - (there > here)


def _month_number(name: str | None, spoken: Language | None) -> int | None:
    if not name or spoken is None:
        return None
    fragments = enumerate(PACKS[spoken].months, start=1)
    return next(number for number, fragment in fragments if re.fullmatch(fragment, name, re.IGNORECASE))


@lru_cache
def _patterns(spoken: Language) -> tuple[re.Pattern[str], ...]:
    pack = PACKS[spoken]
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in (_spaced(pack) if pack.spaced else _UNSPACED))


def _spaced(pack: Pack) -> Iterator[str]:
    month = rf"(?<![^\W_])(?P<name>{'|'.join(pack.months)})(?![^\W_])\.?"
    year, gap = _YEAR.format("year"), r"\s{1,3}"
    day = r"(?<![\d:.,])(?P<day>\d{1,2})(?:st|nd|rd|th|er|º|\.)?"
    yield rf"{day}{gap}(?:of |de )?{month}(?:,?{gap}(?:of |del? )?{year})?"
    yield rf"{month}{gap}(?:the )?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:%]|[.,]\d| ?[ap]\.?m\b)(?:,?{gap}{year})?"
    yield rf"{month},?{gap}(?:of |del? )?{year}"
    yield rf"\b(?:{pack.month_lead}){gap}{month}(?!\s+\d)"
    yield rf"\b(?:{_BEFORE_YEAR}){gap}(?:the year )?{year}"
