"""Partial dates, equal texts and ids in order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.model.ids import uuid7
from shared.model.text import normalise, raw_hash, text_hash
from shared.model.times import parse_partial

ROME = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("text", "precision", "at", "written"),
    [
        ("2026", "year", datetime(2026, 1, 1, tzinfo=UTC), "2026"),
        ("2026-05", "month", datetime(2026, 5, 1, tzinfo=UTC), "2026-05"),
        (" 2026-05-06 ", "day", datetime(2026, 5, 6, tzinfo=UTC), "2026-05-06"),
        ("2026-05-06T15:00", "minute", datetime(2026, 5, 6, 15, tzinfo=ROME), "2026-05-06T15:00+02:00"),
        ("2026-05-06T15:00Z", "minute", datetime(2026, 5, 6, 15, tzinfo=UTC), "2026-05-06T15:00Z"),
        ("2026-05-06 15:00:31.5-0530", "minute", datetime(2026, 5, 6, 20, 30, tzinfo=UTC), "2026-05-06T15:00-05:30"),
        ("2024-02-29", "day", datetime(2024, 2, 29, tzinfo=UTC), "2024-02-29"),
    ],
)
def test_partial_dates_are_read_as_precise_as_written(text: str, precision: str, at: datetime, written: str) -> None:
    """Year, month and day are the same everywhere; a time of day without an offset is in the zone asked for."""
    moment = parse_partial(text, ROME)

    assert moment is not None
    assert (moment.precision, moment.at, moment.iso()) == (precision, at, written)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "20260506", "2026-13", "2026-02-30", "2026-05-06T25:00", "1066", "2300", "26-05-06", "2026-5-6",
     "2026-05-06T15", "2026-05-06T15:00+99:00", "2026-05-06T15:00Z extra", "T15:00"],
)  # fmt: skip
def test_what_is_no_sane_date_is_none(text: str) -> None:
    """Wrong forms, impossible days, centuries nobody talks about."""
    assert parse_partial(text) is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Lives in Rome", "lives in rome."),
        ("Lives  in\tRome\n", " Lives in Rome"),
        ("Straße", "STRASSE"),
        ("ﬁne", "FINE"),
        ("住在罗马。", "住在罗马"),
        ("Ends with two. ", "ends with two"),
    ],
)
def test_texts_that_say_the_same(first: str, second: str) -> None:
    """Case, width, white space and one final full stop do not matter."""
    assert text_hash(first) == text_hash(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Likes C", "Likes C++"),
        ("Likes C#", "Likes C"),
        ("Earns 1.5", "Earns 15"),
        ("Lives in Rome?", "Lives in Rome"),
        ("Is it so..", "Is it so"),
        ("re-sign", "resign"),
        ("naïve", "naive"),
    ],
)
def test_texts_that_differ(first: str, second: str) -> None:
    """Nothing inside a text is dropped."""
    assert text_hash(first) != text_hash(second)


def test_normalised_form() -> None:
    """What is hashed, as text."""
    assert normalise("  Ｌives in   ROME . ") == "lives in rome"


def test_raw_messages_are_told_apart_byte_by_byte() -> None:
    """Text, role, speaker and the caller's timestamp all count; no part runs into the next."""
    base = raw_hash("Hello", "user", None, None)
    others = [
        raw_hash("hello", "user", None, None), raw_hash("Hello ", "user", None, None),
        raw_hash("Hello", "assistant", None, None), raw_hash("Hello", "user", "Ann", None),
        raw_hash("Hello", "user", None, "2026-05-06"), raw_hash("Hello", "user", "2026-05-06", None),
        text_hash("Hello"),
    ]  # fmt: skip

    assert len({base, *others}) == 1 + len(others)
    assert raw_hash("Hello", "user", "", "") == base


def test_ids_sort_in_the_order_they_were_made() -> None:
    """UUIDv7 of RFC 9562, also within a millisecond."""
    made = [uuid7() for _ in range(2000)]

    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {(value.version, value.variant) for value in made} == {(7, "specified in RFC 4122")}


def test_an_id_carries_its_millisecond() -> None:
    """The first 48 bits are Unix time."""
    before = datetime.now(UTC)
    value = uuid7()
    made_at = datetime.fromtimestamp((value.int >> 80) / 1000, UTC)

    assert before - timedelta(milliseconds=1) <= made_at <= datetime.now(UTC)
