"""Filters as they are written: what each key takes, how parts combine, what is refused and where."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from api.filters.literals import read_literal
from api.filters.parse import MAX_DEPTH, MAX_NODES, merged, parse_filter, shorthand
from shared.errors import BadRequest
from shared.model.filters import (
    NOTHING_ASKED,
    Category,
    Either,
    Every,
    Expiry,
    Filter,
    Inside,
    MetaEquals,
    MetaInside,
    MetaNumber,
    Moment,
    Not,
    OneOf,
    Word,
    demanded_ids,
    names_an_entity,
)
from shared.model.scope import ScopeIds

JULY = datetime(2026, 7, 1, tzinfo=UTC)
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
ID = UUID("4a43c2f0-0000-4000-8000-000000000001")


@pytest.mark.parametrize(
    ("given", "tree"),
    [
        (None, NOTHING_ASKED),
        ({}, NOTHING_ASKED),
        ({"user_id": "u"}, Word("user_id", ("u",))),
        ({"user_id": 7}, Word("user_id", ("7",))),
        ({"user_id": None}, NOTHING_ASKED),
        ({"user_id": "*"}, Word("user_id", None)),
        ({"session_id": "r"}, Word("run_id", ("r",))),
        ({"agent_id": {"ne": "a"}}, Not(Word("agent_id", ("a",)))),
        ({"run_id": {"in": ["a", "b"]}}, Word("run_id", ("a", "b"))),
        ({"run_id": ["a", "b"]}, Word("run_id", ("a", "b"))),
        ({"run_id": {"in": ["a", "*"]}}, Word("run_id", None)),
        ({"created_at": {"gte": "2026-07-01"}}, Moment("created_at", "gte", JULY, JULY + DAY)),
        ({"updated_at": {"lt": "2026-07-01T14:00:00+02:00"}}, Moment("updated_at", "lt", NOON, NOON + TICK)),
        ({"timestamp": {"gt": 1782907200}}, Moment("created_at", "gt", NOON, NOON + TICK)),
        ({"created_at": "2026-07-01"}, Moment("created_at", "eq", JULY, JULY + DAY)),
        ({"created_at": {"in": ["2026-07-01"]}}, Either((Moment("created_at", "eq", JULY, JULY + DAY),))),
        ({"expiration_date": {"lte": "2026-07-01"}}, Expiry("lte", date(2026, 7, 1))),
        ({"categories": {"in": ["a", "b"]}}, Category(("a", "b"))),
        ({"categories": ["a"]}, Category(("a",))),
        ({"categories": {"contains": "A"}}, Category(within="A")),
        ({"metadata": {"k": 1}}, MetaEquals("k", (1,))),
        ({"metadata": {"k": [1]}}, MetaEquals("k", ([1],))),
        ({"metadata": {"k": {"a": 1}}}, MetaEquals("k", ({"a": 1},))),
        ({"metadata": {"k": {"in": [1, None]}}}, MetaEquals("k", (1, None))),
        ({"metadata": {"k": {"gte": 1.5}}}, MetaNumber("k", "gte", Decimal("1.5"))),
        ({"metadata": {"k": {"contains": "x"}}}, MetaInside("k", "contains", "x")),
        ({"metadata": {"a": 1, "b": {"ne": 2}}}, Every((MetaEquals("a", (1,)), Not(MetaEquals("b", (2,)))))),
        ({"keywords": "tea"}, Inside("icontains", "tea")),
        ({"keywords": {"contains": "Tea"}}, Inside("contains", "Tea")),
        ({"text": "Likes tea"}, Word("text", ("Likes tea",))),
        ({"memory_ids": [str(ID), "not-an-id"]}, OneOf((ID,))),
        ({"memory_type": {"in": ["plan"]}}, Word("memory_type", ("plan",))),
        (
            {"user_id": "u", "OR": [{"agent_id": "a"}, {"agent_id": "b"}], "NOT": {"run_id": "*"}},
            Every(
                (
                    Word("user_id", ("u",)),
                    Either((Word("agent_id", ("a",)), Word("agent_id", ("b",)))),
                    Not(Either((Word("run_id", None),))),
                )
            ),
        ),
    ],
)
def test_what_a_filter_means(given: Any, tree: Filter) -> None:
    """Bare values, operators, wildcards, days and moments, nesting, siblings."""
    assert parse_filter(given) == tree


@pytest.mark.parametrize(
    ("given", "place", "code"),
    [
        ({"colour": "red"}, "filters.colour", "unknown_filter"),
        ({"AND": [{"user_id": "u"}, {"nin": 1}]}, "filters.AND[1].nin", "unknown_filter"),
        ({"user_id": {"nin": ["u"]}}, "filters.user_id.nin", "unknown_filter"),
        ({"user_id": {"gt": "u"}}, "filters.user_id.gt", "unknown_filter"),
        ({"user_id": ""}, "filters.user_id", "invalid_filter"),
        ({"user_id": True}, "filters.user_id", "invalid_filter"),
        ({"user_id": {}}, "filters.user_id", "invalid_filter"),
        ({"user_id": {"in": "u"}}, "filters.user_id.in", "invalid_filter"),
        ({"user_id": {"in": ["x"] * 1_001}}, "filters.user_id.in", "invalid_filter"),
        ({"created_at": {"gte": "soon"}}, "filters.created_at.gte", "invalid_filter"),
        ({"created_at": {"gte": True}}, "filters.created_at.gte", "invalid_filter"),
        ({"created_at": "9999-12-31"}, "filters.created_at", "invalid_filter"),
        ({"metadata": "k"}, "filters.metadata", "invalid_filter"),
        ({"metadata": {"k": {"gt": "1"}}}, "filters.metadata.k.gt", "invalid_filter"),
        ({"metadata": {"k": {"contains": [1]}}}, "filters.metadata.k.contains", "invalid_filter"),
        ({"AND": []}, "filters.AND", "invalid_filter"),
        ({"OR": ["x"]}, "filters.OR[0]", "invalid_filter"),
        ([{"user_id": "u"}], "filters", "invalid_filter"),
    ],
)
def test_what_is_refused_is_named(given: Any, place: str, code: str) -> None:
    """No condition is dropped in silence."""
    with pytest.raises(BadRequest) as caught:
        parse_filter(given)

    assert (caught.value.field, caught.value.code) == (place, code)
    assert place in caught.value.detail


def test_filters_are_bounded() -> None:
    """Neither depth nor length is the caller's to choose."""
    deep: dict[str, Any] = {"user_id": "u"}
    for _ in range(MAX_DEPTH + 1):
        deep = {"AND": [deep]}

    for given in (deep, {"OR": [{"user_id": "u"}] * MAX_NODES}):
        with pytest.raises(BadRequest, match="too deep or too long"):
            parse_filter(given)


def test_ids_every_match_must_have() -> None:
    """Only the conjunction demands; a wildcard, a list, a branch or a NOT does not."""
    assert demanded_ids(parse_filter({"AND": [{"user_id": "u"}, {"AND": [{"run_id": "r"}]}]})) == ScopeIds(
        "u", run_id="r"
    )
    assert not demanded_ids(parse_filter({"OR": [{"user_id": "u"}, {"agent_id": "a"}]}))
    assert not demanded_ids(parse_filter({"user_id": "*", "agent_id": ["a", "b"], "NOT": {"run_id": "r"}}))


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"user_id": "u"}, True),
        ({"user_id": "*"}, True),
        ({"OR": [{"text": "x"}, {"agent_id": "a"}]}, True),
        ({"NOT": {"user_id": "u"}}, False),
        ({"user_id": {"ne": "u"}}, False),
        ({"metadata": {"user_id": "u"}}, False),
        ({}, False),
    ],
)
def test_whether_an_entity_is_named(given: Any, *, named: bool) -> None:
    """What the platform asks of each list and search."""
    assert names_an_entity(parse_filter(given)) is named


def test_parameters_beside_the_filter() -> None:
    """Empty ones are absent; all hold."""
    beside = shorthand(
        {"user_id": "u", "agent_id": "", "categories": [], "keywords": None, "x": 1},
        ("user_id", "agent_id", "categories", "keywords"),
    )

    assert beside == Word("user_id", ("u",))
    assert merged(beside, NOTHING_ASKED) == beside
    assert merged(beside, Inside("icontains", "tea")) == Every((beside, Inside("icontains", "tea")))


@pytest.mark.parametrize("given", ['{"user_id": "alice"}', "{'user_id': 'alice'}", "{\"user_id\": 'alice'}"])
def test_a_filter_in_a_query_string(given: str) -> None:
    """JSON, and the repr of a dict as some clients send it."""
    assert read_literal(given, "filters") == {"user_id": "alice"}


@pytest.mark.parametrize(
    "given",
    [
        "",
        "alice",
        "[]",
        "{1: 2}",
        "__import__('os').system('x')",
        "{'a': " * 30,
        "(" * 9_000,
        "{'a': 1} + {}",
        "x" * 10_001,
    ],
)
def test_what_is_no_literal_is_refused(given: str) -> None:
    """Never run, never guessed, never taken for an empty filter."""
    with pytest.raises(BadRequest) as caught:
        read_literal(given, "filters")

    assert caught.value.field == "filters"
