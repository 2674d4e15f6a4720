"""What the body of an add means, and how it is refused."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from api.auth import Caller
from api.dialects.flumes_v1 import parse_add
from shared.db.accept import NewEvent
from shared.db.projects import Project
from shared.errors import BadRequest, Forbidden, ServiceError, TooLarge
from shared.model.message import Rules
from shared.settings import Settings

SETTINGS = Settings(max_messages=5, max_message_chars=1_000, max_metadata_bytes=100)
HELLO = [{"role": "user", "content": "hello there"}]


def caller(user_id: str | None = None, **settings: Any) -> Caller:
    return Caller(Project(uuid4(), "p", settings), "abc", frozenset({"ingest"}), "bearer", user_id)


def parsed(who: Caller | None = None, **body: Any) -> NewEvent:
    given = {"messages": HELLO, "user_id": "u", **body}
    return parse_add(given, who or caller(), SETTINGS).event


def refusal(who: Caller | None = None, **body: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        parsed(who, **body)
    return caught.value


@pytest.mark.parametrize(
    ("messages", "texts"),
    [
        ("hello", ["hello"]),
        ({"role": "user", "content": "hello"}, ["hello"]),
        ([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], ["a", "b"]),
        ([{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}], ["a\nb"]),
        ([{"role": "user", "content": ["a", {"type": "image_url", "image_url": {"url": "x"}}]}], ["a"]),
        ([{"role": "assistant", "content": None}, {"role": "tool", "content": "42"}], ["42"]),
        ([{"role": "user", "content": "  keeps its \n spaces "}], ["  keeps its \n spaces "]),
    ],
)
def test_messages_come_in_several_shapes(messages: object, texts: list[str]) -> None:
    """A string, an object, a list; content as text or parts; messages without text are left out."""
    assert [message.text for message in parsed(messages=messages).messages] == texts


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"messages": []}, "messages"),
        ({"messages": None}, "messages"),
        ({"messages": 7}, "messages"),
        ({"messages": [7]}, "messages[0]"),
        ({"messages": [{"content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [*HELLO, {"role": "user"}]}, "messages[1].content"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": "   "}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": "x", "name": 7}]}, "messages[0].name"),
        ({"messages": [{"role": "user", "content": "x", "timestamp": "yesterday"}]}, "messages[0].timestamp"),
        ({"messages": [{"role": "user", "content": "x", "timestamp": True}]}, "messages[0].timestamp"),
        ({"timestamp": "2999-01-01"}, "timestamp"),
        ({"timestamp": 1_750_000_000_000}, "timestamp"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"user_id": 7}, "user_id"),
        ({"user_id": "x" * 600}, "user_id"),
        ({"user_id": None}, "user_id"),
        ({"user_id": ""}, "user_id"),
        ({"metadata": [1]}, "metadata"),
        ({"infer": "perhaps"}, "infer"),
        ({"expiration_date": "soon"}, "expiration_date"),
        ({"custom_instructions": "x" * 10_001}, "custom_instructions"),
        ({"custom_categories": [7]}, "custom_categories[0]"),
    ],
)
def test_wrong_bodies_name_the_field(body: dict[str, Any], field: str) -> None:
    """Each refusal is a 400 that names the field at fault."""
    error = refusal(**body)

    assert (type(error), error.field) == (BadRequest, field)


def test_all_faults_are_told_at_once() -> None:
    """Nobody has to fix a body one field at a time."""
    error = refusal(messages=[{"role": "robot", "content": 7}], metadata=7)

    assert [fault["field"] for fault in error.extra["errors"]] == [  # type: ignore[attr-defined]
        "messages[0].role",
        "messages[0].content",
        "metadata",
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"messages": HELLO * 6}, "messages"),
        ({"messages": [*HELLO, {"role": "user", "content": "x" * 1_001}]}, "messages[1].content"),
        ({"metadata": {"k": "v" * 100}}, "metadata"),
    ],
)
def test_sizes_have_limits(body: dict[str, Any], field: str) -> None:
    """Over a limit is a 413, not a 400."""
    error = refusal(**body)

    assert (type(error), error.field) == (TooLarge, field)


def test_absent_null_and_empty_are_the_same() -> None:
    """Clients send every key, with nulls."""
    nulls = dict.fromkeys(("agent_id", "run_id", "metadata", "infer", "async_mode", "timestamp", "immutable"))
    who = caller()

    assert parsed(who, **nulls, app_id="") == parsed(who)


def test_unknown_keys_are_ignored() -> None:
    """Other clients' keys do no harm."""
    who = caller()

    assert parsed(who, source="X", org_id="o", version="v2") == parsed(who)


def test_options_arrive() -> None:
    """What shapes the work is on the event."""
    event = parsed(
        infer=False,
        metadata={"a": 1},
        expiration_date="2027-01-02",
        immutable=True,
        custom_instructions="Only food.",
        includes=["food", "drink"],
        custom_categories=[{"food": "all about eating"}, "sport"],
    )

    assert (event.infer, event.metadata, event.expires_on, event.immutable) == (False, {"a": 1}, date(2027, 1, 2), True)
    assert event.rules == Rules("Only food.", "food, drink", "", ("food", "sport"))


def test_project_rules_hold_where_the_request_has_none() -> None:
    """A request's own rules win field by field."""
    event = parsed(
        caller(instructions="Ours.", excludes="secrets", timezone="Europe/Rome"), custom_instructions="Mine."
    )

    assert event.rules == Rules("Mine.", "", "secrets", ())
    assert event.timezone == "Europe/Rome"


def test_stamps_keep_their_offset_and_their_spelling() -> None:
    """Own stamp first, the request's for the others; naive ones take the request's zone."""
    event = parsed(
        messages=[
            {"role": "user", "content": "a", "timestamp": "2026-03-01T10:00:00+09:00"},
            {"role": "user", "content": "b", "timestamp": 1_772_323_200},
            {"role": "user", "content": "c"},
        ],
        timestamp="2026-07-01T08:00:00",
        timezone="Europe/Rome",
    )

    assert [message.said_at.isoformat() for message in event.messages if message.said_at] == [
        "2026-03-01T10:00:00+09:00",
        "2026-03-01T01:00:00+01:00",
        "2026-07-01T08:00:00+02:00",
    ]
    assert [message.stamp for message in event.messages] == [
        "2026-03-01T10:00:00+09:00",
        "1772323200",
        "2026-07-01T08:00:00",
    ]


def test_a_bound_key_fills_in_and_refuses_others() -> None:
    """The bound user is the default and the only one."""
    bound = caller(user_id="anna")

    assert parsed(bound, user_id=None, agent_id="bot").ids.user_id == "anna"
    assert type(refusal(bound, user_id="ben")) is Forbidden


def test_a_scope_needs_an_id_of_the_projects_scope_key() -> None:
    """A label alone would put all of a project's runs into one scope."""
    error = refusal(caller(scope_key=["user_id", "agent_id"]), user_id=None, run_id="r1")

    assert (error.code, error.field) == ("missing_scope", "user_id")
