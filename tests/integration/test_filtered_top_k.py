"""The best k under a filter are the best k of a plain evaluation: with embeddings and BM25, on either way to search.

Plain: rank everything once, then keep what passes the filter. The semantic parts of that ranking are held against the
vectors themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api import filtered_search
from api.filters.parse import parse_filter
from api.search import Scored, Searcher
from shared.db import index_queue, memory_writes
from shared.db.accept import accept
from shared.db.engine import ApiDatabase, Database
from shared.db.filtered import Asked
from shared.db.index_queue import Change
from shared.embeddings.openai_embedder import OpenAIEmbedder
from shared.model.memory import Memory
from tests import factories
from tests.factories import new_event
from tests.fakes.openai_control import FakeOpenAI
from tests.integration.hand_worker import HandIndexer
from tests.integration.plain_filters import matches
from tests.integration.random_filters import COUNT, filters, random_memories
from tests.stack import Stack

COLLECTION = "flumes-top-k-1"
QUERIES = ("tea", "Tea coffee 100%", "Überall x", "nothing of it")


@dataclass(frozen=True, slots=True)
class World:
    """Random memories in the index, and the means to search them."""

    project_id: UUID
    made: list[Memory]
    searcher: Searcher
    db: ApiDatabase
    embedder: OpenAIEmbedder
    loop: asyncio.Runner

    def best(self, asked: dict[str, Any], query: str, limit: int, exact: int) -> list[Scored]:
        """What is found when up to `exact` matches are ranked by id."""
        asking = Asked(self.project_id, filter=parse_filter(asked), show_expired=True)
        with patch.object(filtered_search, "EXACT", exact):
            found = self.loop.run(filtered_search.search(self.searcher, self.db, asking, query, limit))
        assert not found.degraded
        return found.items


@pytest.fixture(scope="module")
def world(stack: Stack) -> Iterator[World]:
    """Every memory has a vector."""
    with FakeOpenAI() as llm, asyncio.Runner() as loop:
        url = stack.new_database()
        database = Database(url, pool_size=2, name="test")
        indexer = HandIndexer(database, stack.engine.url, COLLECTION, model="fake", base_url=llm.base_url)
        indexer.register()
        mine = factories.project(database, "mine").id
        made = _filled(database, mine)
        while indexer.apply():
            pass
        embedder = OpenAIEmbedder("fake", base_url=llm.base_url, api_key="sk-test")
        db = ApiDatabase(url, pool_size=2, walls=False)
        yield World(mine, made, Searcher(db, indexer.index, embedder, kappa=4.0), db, embedder, loop)
        loop.run(db.close())
        embedder.close()
        indexer.close()
        database.close()
        stack.drop_database(url)


def _filled(database: Database, project_id: UUID) -> list[Memory]:
    with database.transaction() as session:
        scope_id = accept(session, new_event(project_id, "x")).scope_id
        assert scope_id is not None
        made = random_memories(11, project_id, scope_id)
        memory_writes.insert(session, made)
        index_queue.put(session, [Change(project_id, scope_id, item.id, 1, "upsert") for item in made])
    return made


def test_the_whole_ranking_is_the_one_of_the_vectors(world: World) -> None:
    """Everything is in it; the semantic part is the plain cosine; the score is half of both parts."""
    for query in QUERIES:
        ranked = world.best({}, query, COUNT, 2_000)
        (asked,) = world.embedder.embed([query]).vectors
        vectors = world.embedder.embed([item.memory.index_text for item in ranked]).vectors
        plain = [max(0.0, float(np.dot(asked, one) / (np.linalg.norm(asked) * np.linalg.norm(one)))) for one in vectors]

        assert len(ranked) == COUNT
        assert [item.semantic for item in ranked] == pytest.approx(plain, abs=0.02)
        assert [item.score for item in ranked] == pytest.approx(
            [(item.semantic or 0) / 2 + item.bm25 / 2 for item in ranked]
        )
        assert [item.score for item in ranked] == sorted((item.score for item in ranked), reverse=True)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    asked=filters,
    query=st.sampled_from(QUERIES),
    limit=st.sampled_from((1, 3, 10, 50)),
    exact=st.sampled_from((0, 5, 2_000)),
)
def test_the_best_under_a_filter_are_the_best_that_pass_it(
    world: World, asked: dict[str, Any], query: str, limit: int, exact: int
) -> None:
    """As many as pass, up to `limit`, in the order of the whole ranking, whichever way was taken."""
    found = world.best(asked, query, limit, exact)
    expected = [item for item in world.best({}, query, COUNT, 2_000) if matches(asked, item.memory)][:limit]

    assert [item.score for item in found] == pytest.approx([item.score for item in expected], abs=1e-5)
    assert {item.memory.id for item in found if item.score > found[-1].score + 1e-5} == {
        item.memory.id for item in expected if item.score > expected[-1].score + 1e-5
    }
    assert all(matches(asked, item.memory) for item in found)
