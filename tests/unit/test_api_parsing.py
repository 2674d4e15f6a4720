"""Headers, query strings, times and keys as callers write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from fastapi import Request

from api.auth import Caller
from api.body import refuse_nul
from api.prefer import Patience, patience
from api.queries import id_in_path, parameters, read_cursor, write_cursor
from api.replay import fingerprint, idempotency_key
from api.stamps import moment_of, zone_of
from shared.db.projects import Project
from shared.errors import BadRequest, NotFound
from shared.model.scope import ScopeIds

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def request(query: str) -> Request:
    return Request({"type": "http", "method": "GET", "query_string": query.encode(), "headers": []})


def caller(**bound: Any) -> Caller:
    return Caller(Project(uuid4(), "p"), "k", frozenset(), "bearer", **bound)


@pytest.mark.parametrize(
    ("prefer", "async_mode", "expected"),
    [
        ([], None, Patience(8)),
        ([], False, Patience(8)),
        ([], True, Patience(0, asynchronous=True)),
        (["respond-async"], None, Patience(0, asynchronous=True, applied="respond-async")),
        (["Respond-Async; foo=1"], False, Patience(0, asynchronous=True, applied="respond-async")),
        (["wait=3"], None, Patience(3, applied="wait=3")),
        (['wait="3"'], True, Patience(3, applied="wait=3")),
        (["respond-async, wait=3"], None, Patience(3, applied="wait=3")),
        (["respond-async", "wait=3"], None, Patience(3, applied="wait=3")),
        (["wait=600"], None, Patience(60, applied="wait=60")),
        (["wait=0"], None, Patience(0, asynchronous=True, applied="wait=0")),
        (["wait=soon"], None, Patience(8)),
        (["wait=-1"], None, Patience(8)),
        (["wait=99999999999999999999"], None, Patience(8)),
        (["return=minimal"], None, Patience(8)),
    ],
)
def test_prefer_wins_over_async_mode(prefer: list[str], *, async_mode: bool | None, expected: Patience) -> None:
    """Header, then body, then the default; `wait` is capped, nonsense ignored."""
    assert patience(prefer, budget=8, cap=60, async_mode=async_mode) == expected


@pytest.mark.parametrize(
    ("value", "zone", "expected"),
    [
        ("2026-05-01T10:00:00Z", None, "2026-05-01T10:00:00+00:00"),
        ("2026-05-01T10:00:00.123456+05:30", "Europe/Rome", "2026-05-01T10:00:00.123456+05:30"),
        ("2026-05-01 10:00", None, "2026-05-01T10:00:00+00:00"),
        ("2026-05-01", "America/New_York", "2026-05-01T00:00:00-04:00"),
        (1_777_629_600, None, "2026-05-01T10:00:00+00:00"),
        ("1777629600", "Europe/Rome", "2026-05-01T12:00:00+02:00"),
        (1_777_629_600.5, None, "2026-05-01T10:00:00.500000+00:00"),
    ],
)
def test_times_keep_the_callers_offset(value: object, zone: str | None, expected: str) -> None:
    """ISO 8601 or epoch seconds, numbers or text."""
    assert moment_of(value, "timestamp", zone, NOW).isoformat() == expected


@pytest.mark.parametrize(
    "value",
    [
        "", "tomorrow", "2026-13-01", [], {}, True, False, float("nan"), float("inf"), 10**400, "0001-01-01",
        "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "2026-05-01T10:00:00+23:59", -(10**12),
        1_777_629_600_000, "2026-06-02T12:01:00Z", "1899-12-31",
    ],
)  # fmt: skip
def test_wrong_times_name_their_field(value: object) -> None:
    """Neither nonsense, nor the far past, nor more than a day ahead."""
    with pytest.raises(BadRequest) as caught:
        moment_of(value, "messages[2].timestamp", None, NOW)

    assert caught.value.field == "messages[2].timestamp"


@pytest.mark.parametrize("name", ["", "Nowhere/City", "America", "../zone.tab", "/etc/passwd", "a\0b", "x" * 99])
def test_wrong_zones_are_refused(name: str) -> None:
    """Only IANA names; never a path."""
    with pytest.raises(BadRequest):
        zone_of(name)


def test_empty_parameters_are_absent() -> None:
    """Clients send every parameter, empty ones too."""
    given = parameters(request("user_id=u&agent_id=&limit=&query="), {"user_id", "agent_id", "limit", "query"})

    assert given.ids() == ScopeIds(user_id="u")
    assert given.number("limit", 20, 1, 200) == 20


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("filters=%7B%7D", "filters"), ("user_id=a&user_id=b", "user_id"), ("user_id=a%00b", "user_id"),
        ("%00=1", "query"),
    ],
)  # fmt: skip
def test_no_filter_is_silently_dropped(query: str, field: str) -> None:
    """Unknown, doubled or broken parameters are refused by name."""
    with pytest.raises(BadRequest) as caught:
        parameters(request(query), {"user_id"})

    assert caught.value.field == field


@pytest.mark.parametrize("text", ["0", "201", "-1", "1.5", "ten", "٣", "1" * 30])
def test_limits_have_bounds(text: str) -> None:
    """1 to 200, whole, in plain digits."""
    with pytest.raises(BadRequest):
        parameters(request(f"limit={text}"), {"limit"}).number("limit", 20, 1, 200)


@pytest.mark.parametrize(
    "text", ["", "x", "12345678123456781234567812345678", "{12345678-1234-5678-1234-567812345678}"]
)
def test_what_is_no_uuid_is_unknown(text: str) -> None:
    """Clients catch 404 for ids that cannot be."""
    with pytest.raises(NotFound):
        id_in_path(text, NotFound("no"))


def test_cursors_come_back() -> None:
    """A page goes on where the last one ended."""
    moment, memory_id = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), uuid4()

    assert read_cursor(write_cursor(moment, memory_id)) == (moment, memory_id)


@pytest.mark.parametrize("text", ["x", "AAAA", "é", "MjAyNg", "OTk5OXx4"])
def test_foreign_cursors_are_refused(text: str) -> None:
    """A cursor of ours or a 400."""
    with pytest.raises(BadRequest):
        read_cursor(text)


def test_nul_characters_are_found_anywhere() -> None:
    """The place is named; keys count too."""
    with pytest.raises(BadRequest) as caught:
        refuse_nul({"messages": [{"content": ["fine", "a\0b"]}]})

    assert caught.value.field == "messages[0].content[1]"
    with pytest.raises(BadRequest):
        refuse_nul({"metadata": {"a\0b": 1}})


def test_the_fingerprint_is_the_body_without_waiting() -> None:
    """Key order and patience change nothing; content does."""
    first = fingerprint({"a": 1, "b": {"c": 2, "d": 3}, "async_mode": True})

    assert first == fingerprint({"b": {"d": 3, "c": 2}, "a": 1})
    assert first != fingerprint({"b": {"d": 3, "c": 2}, "a": 2})


def test_bound_keys_have_their_own_idempotency_space() -> None:
    """One user's key can never replay another user's event."""
    headers = {"idempotency-key": "k1"}
    made = [
        idempotency_key(headers, "POST /x", {}, who, 7) for who in (caller(), caller(user_id="a"), caller(user_id="b"))
    ]

    assert len({key.endpoint for key in made if key}) == 3
    assert made[0] is not None
    assert made[0].endpoint == "POST /x"


def test_idempotency_keys_have_a_length() -> None:
    """255 characters at most; an empty one is none."""
    assert idempotency_key({"idempotency-key": "  "}, "POST /x", {}, caller(), 7) is None
    with pytest.raises(BadRequest):
        idempotency_key({"idempotency-key": "k" * 256}, "POST /x", {}, caller(), 7)


def test_the_oldest_stamp_is_just_inside() -> None:
    """1900 is history, 1899 a mistake."""
    assert moment_of("1900-01-01T00:00:00Z", "timestamp", None, NOW).year == 1900


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        ({"hours": 9}, "2026-06-01T21:00:00+09:00"),
        ({"minutes": 5, "seconds": 59}, "2026-06-01T12:05:00+00:05"),
        ({"hours": 24}, "2026-06-02T03:59:00+15:59"),
        ({"seconds": 20}, "2026-06-01T12:00:00+00:00"),
    ],
)
def test_nothing_is_said_in_the_future(ahead: dict[str, int], expected: str) -> None:
    """A fast clock or a local time without its offset: said now, on the day and at the time that it names."""
    said = moment_of((NOW + timedelta(**ahead)).isoformat(), "timestamp", None, NOW)

    assert (said, said.isoformat()) == (NOW, expected)
