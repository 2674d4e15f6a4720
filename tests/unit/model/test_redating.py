"""What a rewritten text does to the dates of a memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.model.redating import redated
from tests.unit.model.plan_samples import memory

NOW = datetime(2026, 12, 20, 10, tzinfo=UTC)
JULY = datetime(2026, 7, 1, tzinfo=UTC)
NONE = {"happens_at": None, "happens_until": None, "precision": None}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Wants to go to Rome in July", "Wants to go to Paris in July"),
        ("Bought a car on 2026-07-01", "Bought a red car on 2026-07-01"),
        ("Bought a car", "Bought a red car"),
        ("Will hol das Auto im Juli", "Will das Auto im Juli holen"),
    ],
)
def test_the_same_dates_keep_what_is_known(old: str, new: str) -> None:
    """Also a month that would be next year's if it were said today, and a date that stands in neither text."""
    assert redated(memory(old, happens_at=JULY, precision="month"), new, NOW) == {}


@pytest.mark.parametrize(
    ("old", "new", "at", "precision"),
    [
        ("Wants to go to Rome in July", "Wants to go to Rome in August", datetime(2027, 8, 1, tzinfo=UTC), "month"),
        ("Bought a car", "Bought a car on 2026-05-06", datetime(2026, 5, 6, tzinfo=UTC), "day"),
        ("Bought a car on 2026-07-01", "Bought a car in 2025", datetime(2025, 1, 1, tzinfo=UTC), "year"),
        ("Hat im Juli einen Termin", "Hat morgen einen Termin", datetime(2026, 12, 21, tzinfo=UTC), "day"),
        ("七月去罗马", "2027年3月去罗马", datetime(2027, 3, 1, tzinfo=UTC), "month"),
    ],
)
def test_another_date_takes_the_place_of_the_old_one(old: str, new: str, at: datetime, precision: str) -> None:
    """Read as if said now."""
    found = redated(memory(old, happens_at=JULY, precision="day"), new, NOW)

    assert found == {"happens_at": at, "happens_until": None, "precision": precision}


def test_a_date_left_out_is_gone() -> None:
    """The user took it out, and a week brings its end."""
    dated = memory("Wants to go to Rome in July", happens_at=JULY, precision="month")

    assert redated(dated, "Wants to go to Rome", NOW) == NONE
    assert redated(dated, "Wants to go to Rome next week", NOW)["happens_until"] == datetime(2026, 12, 27, tzinfo=UTC)


def test_tomorrow_is_that_of_the_writer() -> None:
    """The project's timezone decides what day it is."""
    late = NOW.replace(hour=23).astimezone(timezone(timedelta(hours=9)))

    assert redated(memory("Has to call"), "Has to call tomorrow", late)["happens_at"].day == 22
