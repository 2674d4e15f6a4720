"""Filters in Postgres give what a plain evaluation gives, over random memories and random filters."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.filters.parse import parse_filter
from shared.db import filtered, memory_writes
from shared.db.accept import accept
from shared.db.engine import Database
from shared.db.filtered import Asked
from shared.model.filters import Every, demanded_ids
from shared.model.memory import Memory
from shared.model.scope import ID_FIELDS, ScopeIds
from shared.model.text import text_hash
from tests import factories
from tests.factories import new_event
from tests.integration.plain_filters import matches
from tests.stack import Stack

NAMES = ("a", "b", "A b", "%", "_", "ü", "'; --")
WORDS = ("tea", "Tea", "coffee 100%", "a_b", "Überall", "x", "日本", "\\", "'")
TIME_KEYS = ("created_at", "updated_at", "happens_at", "valid_from", "valid_to")
KEYS = ("k", "odd key", "'", "%s", ":p")
KINDS = ("profile", "plan", "raw")
COUNT = 120
IDS = [uuid5(NAMESPACE_OID, str(number)) for number in range(COUNT)]  # the same in both projects
CATEGORIES = ("food", "Food", "travel plans", "ü")
START = datetime(2026, 6, 30, 23, 59, 59, 999_999, tzinfo=UTC)
TIMES = [START + timedelta(microseconds=n) for n in (0, 1, 2)] + [START + timedelta(hours=n) for n in range(1, 60, 7)]
DAYS = [date(2026, 6, 29) + timedelta(days=n) for n in range(5)]
SCALARS = (None, True, False, 0, 1, 1.0, 1.5, -3, "1", "tea", "Tea", "", "ü")
VALUES: tuple[Any, ...] = (*SCALARS, ["tea", 1], ["Tea"], [], [True], [["tea"]], {"a": 1}, {"a": {"b": None}})


def _memories(seed: int, project_id: Any, scope_id: Any) -> list[Memory]:
    dice = random.Random(seed)
    made = []
    for number in range(COUNT):
        keys = dice.sample(KEYS, dice.randint(0, 3))
        text = f"{dice.choice(WORDS)} {dice.choice(WORDS)} {number if dice.random() < 0.9 else ''}"
        made.append(
            Memory(
                project_id=project_id, id=IDS[number], scope_id=scope_id,
                ids=ScopeIds(*(dice.choice((None, *NAMES)) for _ in ID_FIELDS)), text=text, index_text=text,
                hash=text_hash(f"{text}{number}"), kind=dice.choice(KINDS), observed_at=START,
                created_at=dice.choice(TIMES), updated_at=dice.choice(TIMES),
                metadata={key: dice.choice(VALUES) for key in keys} or None,
                categories=tuple(dice.sample(CATEGORIES, dice.randint(0, 2))), expires_on=dice.choice((None, *DAYS)),
                happens_at=dice.choice((None, *TIMES)), valid_from=dice.choice((None, *TIMES)),
                valid_to=dice.choice((None, *TIMES)),
            )
        )  # fmt: skip
    return made


names = st.sampled_from((*NAMES, "nobody"))
moments = st.one_of(
    st.sampled_from([time.isoformat() for time in TIMES]),
    st.sampled_from([day.isoformat() for day in DAYS]),
    st.sampled_from([int(time.timestamp()) for time in TIMES]),
)
days = st.sampled_from([day.isoformat() for day in DAYS])
words = st.sampled_from((*WORDS, "TEA", "ÜBER", "100", "e"))
numbers = st.sampled_from((-3, 0, 1, 1.0, 1.5, 2))
categories = st.sampled_from((*CATEGORIES, "FOO", "plan"))


def one_key(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return values.map(lambda value: {name: value})


def operators(value: st.SearchStrategy[Any], how: tuple[str, ...], *, bare: bool = True) -> st.SearchStrategy[Any]:
    single = st.dictionaries(st.sampled_from(how), value, min_size=1, max_size=2)
    listed = st.lists(value, max_size=3).map(lambda items: {"in": items})
    several = st.lists(value, min_size=1, max_size=3)
    return st.one_of(single, listed, value, several) if bare else st.one_of(single, listed)


ordered = ("eq", "ne", "gt", "gte", "lt", "lte")
entities = operators(st.one_of(names, st.just("*")), ("eq", "ne"))
id_tests = [one_key(name, st.one_of(entities, st.none())) for name in (*ID_FIELDS, "session_id")]
chosen = st.sampled_from((*map(str, IDS[:9]), "none", str(uuid5(NAMESPACE_OID, "nobody's"))))
meta_value = st.one_of(
    st.sampled_from(VALUES),
    st.dictionaries(st.sampled_from(("eq", "ne")), st.sampled_from(VALUES), min_size=1),
    st.lists(st.sampled_from(VALUES), max_size=3).map(lambda items: {"in": items}),
    st.dictionaries(st.sampled_from(("gt", "gte", "lt", "lte")), numbers, min_size=1, max_size=2),
    st.dictionaries(st.sampled_from(("contains", "icontains")), st.sampled_from(SCALARS), min_size=1),
)
tests = st.one_of(
    *id_tests,
    *(one_key(name, operators(moments, ordered)) for name in TIME_KEYS),
    one_key("expiration_date", operators(days, ordered)),
    one_key("categories", operators(categories, ("eq", "ne", "contains", "icontains"))),
    *(one_key(name, operators(words, ("contains", "icontains"))) for name in ("keywords", "keywords_search")),
    one_key("text", operators(words, ("eq", "ne", "contains", "icontains"))),
    one_key("metadata", st.dictionaries(st.sampled_from(KEYS), meta_value, max_size=2)),
    one_key("memory_ids", operators(chosen, ("eq", "ne"))),
    one_key("memory_type", operators(st.sampled_from((*KINDS, "need")), ("eq", "ne"))),
)


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    logic = st.one_of(*(one_key(name, several) for name in ("AND", "OR", "NOT")), one_key("NOT", inner))
    return st.one_of(logic, st.tuples(inner, logic).map(lambda pair: {**pair[0], **pair[1]}))


filters = st.recursive(tests, nested, max_leaves=6)


@pytest.fixture(scope="module")
def stored(stack: Stack) -> Iterator[tuple[Database, Any, list[Memory]]]:
    """Random memories of one project, and one of another project that must never come up."""
    url = stack.new_database()
    database = Database(url, pool_size=2, name="test")
    mine, other = (factories.project(database, name).id for name in ("mine", "other"))
    made: list[Memory] = []
    for project_id in (mine, other):
        scope_id = database.run(partial(accept, new=new_event(project_id, "x"))).scope_id
        rows = _memories(7, project_id, scope_id)
        database.run(partial(memory_writes.insert, memories=rows))
        made += rows if project_id == mine else []
    yield database, mine, made
    database.close()
    stack.drop_database(url)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(asked=filters)
def test_a_filter_finds_what_a_plain_evaluation_finds(
    stored: tuple[Database, Any, list[Memory]], asked: dict[str, Any]
) -> None:
    """The same memories, newest first, the same count, and the ids it demands are those of every match."""
    database, project_id, made = stored
    tree = parse_filter(asked)
    asking = Asked(project_id, filter=tree, show_expired=True)
    expected = [memory for memory in made if matches(asked, memory)]
    expected.sort(key=lambda memory: (memory.created_at, memory.id), reverse=True)
    found, number, chosen = database.run(
        lambda session: (
            filtered.page(session, asking, 1_000),
            filtered.count(session, asking),
            filtered.among(session, asking, [memory.id for memory in made]),
        )
    )

    assert [memory.id for memory in found] == [memory.id for memory in expected]
    assert (number, set(chosen)) == (len(expected), {memory.id for memory in expected})
    for name, value in demanded_ids(tree).given().items():
        assert {getattr(memory.ids, name) for memory in expected} <= {value}


def test_without_a_filter_everything_current_is_served(stored: tuple[Database, Any, list[Memory]]) -> None:
    """Expired ones only on request; pages follow each other; bound ids narrow whatever is asked."""
    database, project_id, made = stored
    today = datetime.now(UTC).date()
    unexpired = [memory for memory in made if memory.expires_on is None or memory.expires_on >= today]
    every = Asked(project_id, show_expired=True)
    first, second = (database.run(partial(filtered.page, asked=every, limit=70, offset=offset)) for offset in (0, 70))
    bound = Asked(project_id, ScopeIds(user_id="a"), Every(), show_expired=True)

    assert len({memory.id for memory in (*first, *second)}) == len(made)
    assert database.run(lambda session: filtered.count(session, Asked(project_id))) == len(unexpired)
    assert {memory.ids.user_id for memory in database.run(lambda s: filtered.page(s, bound, 1_000))} == {"a"}
    assert len(database.run(lambda session: filtered.ids(session, every, 50))) == 50
