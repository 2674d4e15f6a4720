"""Filters in Postgres give what a plain evaluation gives, over random memories and random filters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from api.filters.parse import parse_filter
from shared.db import filtered, memory_writes
from shared.db.accept import accept
from shared.db.engine import Database
from shared.db.filtered import Asked
from shared.model.filters import Every, demanded_ids
from shared.model.memory import Memory
from shared.model.scope import ScopeIds
from tests import factories
from tests.factories import new_event
from tests.integration.plain_filters import matches
from tests.integration.random_filters import filters, random_memories
from tests.stack import Stack


@pytest.fixture(scope="module")
def stored(stack: Stack) -> Iterator[tuple[Database, Any, list[Memory]]]:
    """Random memories of one project, and one of another project that must never come up."""
    url = stack.new_database()
    database = Database(url, pool_size=2, name="test")
    mine, other = (factories.project(database, name).id for name in ("mine", "other"))
    made: list[Memory] = []
    for project_id in (mine, other):
        scope_id = database.run(partial(accept, new=new_event(project_id, "x"))).scope_id
        rows = random_memories(7, project_id, scope_id)
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
