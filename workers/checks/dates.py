"""Dates of a record: sane, in order, said or derivable from when it was said, and no relative word left beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

from shared.model.grounding import mentions
from shared.model.language import Language, language
from shared.model.record import Record
from shared.model.time_words.packs import PACKS
from shared.model.times import Moment, parse_partial
from workers.checks.grounds import Sources

ISO = re.compile(r"(?<![\d-])(?P<year>\d{4})-(?P<month>\d{2})(?:-(?P<day>\d{2}))?(?![\d-])")
_QUOTED = re.compile(r"[\"“„«‘《「『][^\"“”„«»‘’》」』]{1,80}[\"”“»’》」』]")
_DERIVABLE = timedelta(days=400)
_READ = 4_000  # characters
_TIME_WORDS_EN = re.compile(
    r"\d|\b(?:ago|last|next|this|since|until|till|by|before|after|during|when|while|once|past|coming|every|each|today|tonight|yesterday|tomorrow|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?|(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*|day|days|weeks?|weekends?|months?|years?|"
    r"spring|summer|autumn|fall|winter|morning|noon|afternoon|evening|night|midnight|easter|christmas|xmas|halloween|thanksgiving|ramadan|eve|"
    r"birthday|anniversary|holidays?|decades?|century|childhood|child|kid|teen\w*|\w+ties|earlier|later|recent\w*|lately|soon|end|start|"
    r"one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|term|semester|season|age|born|shortly|upcoming|then)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Times:
    """The dates of a record, read; `precision` is that of the first one given."""

    when: Moment | None = None
    until: Moment | None = None

    @property
    def precision(self) -> str | None:
        first = self.when or self.until
        return first.precision if first else None


def read(record: Record, zone: tzinfo) -> Times:
    """`when` and `until`, times of day in the offset of the message; what is no date is None."""
    return Times(_parsed(record.when, zone), _parsed(record.until, zone))


def wrong_dates(record: Record, said_at: datetime) -> Iterator[str]:
    """What is wrong with `when` and `until` by themselves."""
    times = read(record, said_at.tzinfo or UTC)
    for name, text, moment in (("when", record.when, times.when), ("until", record.until, times.until)):
        if text and moment is None:
            yield f"{name} {text[:30]!r} is not an ISO date"
    if times.when and times.until and _end(times.until) <= times.when.at:
        yield "until lies before when"


def relative_word(text: str, said_at: datetime, heard: Language | None = None) -> str | None:
    """A relative word (yesterday, next month) that is left in a text; titles in quotation marks may hold one.

    heard: the language of its message, for texts too short to tell.
    """
    spoken = language(text) or heard
    if spoken is None:
        return None
    bare = _QUOTED.sub(lambda match: "_" * len(match[0]), text)
    for mention in mentions(bare, said_at, spoken):
        if mention.shown is not None and not _lone_weekday(spoken).fullmatch(bare[mention.start : mention.end]):
            return bare[mention.start : mention.end]
    return None


def invented(record: Record, sources: Sources) -> str | None:
    """`when`, where all that English sources say of time is understood and gives other days; else None."""
    said_at = sources.cited[0].said_at
    if not record.when or said_at is None or sources.cited[0].language != "en" or parse_partial(record.when) is None:
        return None
    if any(passage.said_at and _open_to_time(passage.text, passage.said_at) for passage in sources.all()):
        return None
    days = {(said_at + timedelta(days=step)).date().isoformat() for step in (-1, 0, 1)}
    days |= {near for day in sources.dates() for near in _around(day)}
    return None if any(day.startswith(record.when[:10]) for day in days) else record.when[:30]


def _open_to_time(text: str, said_at: datetime) -> bool:
    """True where a text speaks of time in words that are not understood to the day."""
    left = text[:_READ]
    for mention in reversed(list(mentions(left, said_at))):
        if mention.moment.precision == "day":
            left = left[: mention.start] + " " + left[mention.end :]
    return _TIME_WORDS_EN.search(left) is not None


def _around(day: str) -> Iterator[str]:
    """The day itself and the days a week from it: "next Friday" is read in two ways."""
    yield day
    if len(day) == len("2026-05-06"):
        middle = date.fromisoformat(day)
        yield from ((middle + timedelta(days=step)).isoformat() for step in (-7, 7))


def unfounded(text: str, record: Record, sources: Sources) -> Iterator[str]:
    """ISO dates in a text that no source gives, in any form, and that are not the record's own."""
    known = sources.dates() | own_dates(record)
    for match in ISO.finditer(text):
        if not any(value.startswith(match[0]) for value in known) and not _in_parts(match, sources, known):
            yield match[0]


def own_dates(record: Record) -> frozenset[str]:
    """The days of `when` and `until` as written."""
    return frozenset(value[:10] for value in (record.when, record.until) if value)


def _in_parts(match: re.Match[str], sources: Sources, known: frozenset[str]) -> bool:
    """True where year and day were said apart (6 May 2026), or where the words for time are not known to us."""
    year, day = match["year"], match["day"]
    if day and sources.has_number(frozenset((day.lstrip("0"),))):
        return sources.has_number(frozenset((year,))) or any(value.startswith(year) for value in known)
    said_at = sources.cited[0].said_at
    if sources.cited[0].language is not None or said_at is None:
        return False
    try:
        said = date(int(year), int(match["month"]), int(day or 1))
    except ValueError:
        return False
    return abs(said - said_at.date()) <= _DERIVABLE


def _parsed(text: str | None, zone: tzinfo) -> Moment | None:
    return parse_partial(text, zone) if text else None


def _end(moment: Moment) -> datetime:
    """The last instant a partial date may mean."""
    days = {"year": 366, "month": 31, "day": 1}.get(moment.precision)
    return moment.at + (timedelta(days=days) if days else timedelta(minutes=1))


@lru_cache
def _lone_weekday(spoken: Language) -> re.Pattern[str]:
    """A weekday without "last" or "next" is a calendar word and may stay."""
    pack = PACKS[spoken]
    days = "|".join(pack.weekdays)
    return re.compile(rf"(?:{pack.lead})(?:{pack.weekday_lead})?(?:{days})(?: (?:{pack.day_parts}))?", re.IGNORECASE)
