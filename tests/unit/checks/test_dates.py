"""Dates of a record: sane, in order, said or derivable, and no relative word left beside them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.model.record import Record
from tests.unit.checks.samples import SAID_AT, problems, said
from workers.checks import dates

SANE = {
    "year": ("2026", None, []),
    "month": ("2026-05", None, []),
    "day": ("2026-05-14", None, []),
    "minute": ("2026-05-14T15:00", None, []),
    "with an offset": ("2026-05-14T15:00+02:00", None, []),
    "span": ("2026-05-14", "2026-05-20", []),
    "a month until the same month": ("2026-05-14", "2026-05", []),
    "until alone": (None, "2026-05-20", []),
    "far ahead": ("2190", None, []),
    "words": ("next week", None, ["date"]),
    "month 13": ("2026-13", None, ["date"]),
    "31 February": ("2026-02-31", None, ["date"]),
    "before the calendar": ("0001-01-01", None, ["date"]),
    "year 9999": ("9999", None, ["date"]),
    "until is no date": ("2026-05-14", "soon", ["date"]),
    "until before when": ("2026-05-14", "2026-05-13", ["date"]),
    "until a month before": ("2026-05-14", "2026-04", ["date"]),
}
LEFT = {
    "yesterday": ("I met Anna yesterday", "Met Anna yesterday", "2026-05-13"),
    "tomorrow": ("I see Anna tomorrow", "Sees Anna tomorrow", "2026-05-15"),
    "last week": ("I met Anna last week", "Met Anna last week", "2026-05-04"),
    "next month": ("I fly next month", "Flies next month", "2026-06"),
    "two weeks ago": ("I moved two weeks ago", "Moved two weeks ago", "2026-04-30"),
    "last Saturday": ("I met Anna last Saturday", "Met Anna last Saturday", "2026-05-09"),
    "german": ("ich habe Anna gestern getroffen", "Hat Anna gestern getroffen", "2026-05-13"),
    "spanish": ("me mudé el año pasado", "Se mudó el año pasado", "2025"),
    "french": ("j'ai vu Anna hier", "A vu Anna hier", "2026-05-13"),
    "chinese": ("我昨天见了安娜", "昨天见了安娜", "2026-05-13"),
}
RESOLVED = {
    "day": ("I met Anna yesterday", "Met Anna on 2026-05-13", "2026-05-13"),
    "week": ("I met Anna last week", "Met Anna in the week of 2026-05-04", "2026-05-04"),
    "month": ("I fly next month", "Flies in 2026-06", "2026-06"),
    "year": ("I moved last year", "Moved in 2025", "2025"),
    "calendar word stays": ("I want to go to Rome in July", "Wants to go to Rome in July", "2026-07"),
    "weekday stays": ("the meeting is on Monday", "Has a meeting on Monday", "2026-05-18"),
    "title in quotation marks": (
        "I watched “The Day After Tomorrow” on 6 May",
        "Watched “The Day After Tomorrow” on 6 May",
        "2026-05-06",
    ),
    "german": ("ich habe Anna gestern getroffen", "Hat Anna am 2026-05-13 getroffen", "2026-05-13"),
    "spanish": ("me mudé el año pasado", "Se mudó en 2025", "2025"),
    "french": ("j'ai vu Anna hier", "A vu Anna le 2026-05-13", "2026-05-13"),
    "chinese": ("我昨天见了安娜", "2026-05-13见了安娜", "2026-05-13"),
    "second date of the text": (
        "I left Acme on 1 May and start at Globex tomorrow",
        "Left Acme on 2026-05-01, starts at Globex on 2026-05-15",
        "2026-05-15",
    ),
    "unknown language": ("uczę się hiszpańskiego od wczoraj", "Uczy się hiszpańskiego od 2026-05-13", None),
    "nothing resolved": ("I met Anna yesterday", "Met Anna yesterday", None),
}
MADE_UP = {
    "day of a month": ("I want to go to Rome in July", "Wants to go to Rome on 2026-07-03", "2026-07"),
    "date without a word for time": ("I visited Rome", "Visited Rome", "2019-03-02"),
    "date in the text alone": ("I visited Rome", "Visited Rome on 2019-03-02", None),
    "another day": ("I met Anna yesterday", "Met Anna on 2026-05-10", None),
}


@pytest.mark.parametrize(("when", "until", "expected"), SANE.values(), ids=SANE)
def test_when_and_until_are_dates_in_order(when: str | None, until: str | None, expected: list[str]) -> None:
    """Partial ISO dates of sane years; the end does not lie before the beginning."""
    assert problems("I am away from Thursday on", "Is away then", when=when, until=until) == expected


@pytest.mark.parametrize(("message", "text", "when"), LEFT.values(), ids=LEFT)
def test_relative_word_beside_when_is_a_fault(message: str, text: str, when: str) -> None:
    """A reader of the memory does not know the day it was said."""
    assert problems(message, text, when=when) == ["date"]


@pytest.mark.parametrize(("message", "text", "when"), RESOLVED.values(), ids=RESOLVED)
def test_resolved_date_stands(message: str, text: str, when: str | None) -> None:
    """Resolved words, calendar words, and words nobody could resolve."""
    assert problems(message, text, when=when) == []


@pytest.mark.parametrize(("message", "text", "when"), MADE_UP.values(), ids=MADE_UP)
def test_made_up_date_is_a_fault(message: str, text: str, when: str | None) -> None:
    """A date that nobody said and that does not follow from when it was said is sent back."""
    assert problems(message, text, when=when) == ["date"]


@pytest.mark.parametrize("when", ["2026-05-14", "2026-05", "2026"])
def test_day_of_saying_needs_no_word_for_time(when: str) -> None:
    """What is told as news may be dated by its message."""
    assert problems("I moved to Milan", "Moved to Milan", when=when) == []


def test_calendar_dates_are_the_same_everywhere() -> None:
    """A day is that day whatever the offset of its message; only a time of day is an instant there."""
    there = timezone(timedelta(hours=9))
    read = dates.read(Record((0,), "", "", when="2026-05-14", until="2026-05-15T12:00Z"), there)

    assert read.when is not None
    assert read.until is not None
    assert read.when.at == datetime(2026, 5, 14, tzinfo=UTC)
    at_noon = dates.read(Record((0,), "", "", when="2026-05-14T12:00"), there).when
    assert at_noon is not None
    assert at_noon.at == datetime(2026, 5, 14, 12, tzinfo=there)
    assert read.until.at.isoformat() == "2026-05-15T12:00:00+00:00"
    assert (read.precision, dates.Times().precision) == ("day", None)


def test_relative_words_count_from_the_time_of_saying() -> None:
    """An old message keeps its own yesterday."""
    old = said("I met Anna yesterday", at=SAID_AT - timedelta(days=365))

    assert problems(old, "Met Anna on 2025-05-13", when="2025-05-13") == []
    assert problems(old, "Met Anna on 2026-05-13") == ["date"]
