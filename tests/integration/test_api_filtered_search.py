"""Search under a filter finds the right top k, whether few memories match or more than can be named by id."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from api.filtered_search import EXACT, Threshold, narrowing
from api.filters.parse import parse_filter
from api.search import Scored
from shared.db import index_queue, memory_writes
from shared.db.accept import accept
from shared.db.filtered import Asked
from shared.db.index_queue import Change
from shared.model.ids import uuid7
from shared.model.memory import Memory
from shared.model.scope import ScopeIds
from shared.model.text import text_hash
from tests.factories import new_event
from tests.integration.api_support import LiveApi
from tests.integration.hand_worker import HandIndexer
from tests.integration.memory_rows import NOON
from tests.integration.test_api_mem0 import mem0


def memory(number: int, project_id: Any, scope_id: Any) -> Memory:
    """All speak of tea; the higher the number the shorter, so the better a hit."""
    text = f"likes tea {'very ' * (number % 7)}much {number}"
    return Memory(
        project_id=project_id, id=uuid7(), scope_id=scope_id, ids=ScopeIds(user_id="u"), text=text, index_text=text,
        hash=text_hash(text), kind="profile", observed_at=NOON, created_at=NOON, updated_at=NOON,
        metadata={"rare": number % 500 == 0, "half": number % 2 == 0}, categories=("tea",),
    )  # fmt: skip


@pytest.fixture(scope="module")
def filled(live: LiveApi, stack: Any) -> Iterator[Any]:
    """A project with more memories of one user than are ranked by id."""
    indexer = HandIndexer(live.db, stack.engine.url)
    indexer.register()
    project = live.project()
    scope_id = live.db.run(lambda session: accept(session, new_event(project.id, "x")).scope_id)
    assert scope_id is not None
    made = [memory(number, project.id, scope_id) for number in range(EXACT + 600)]
    for part in (made[start : start + 500] for start in range(0, len(made), 500)):
        with live.db.transaction() as session:
            memory_writes.insert(session, part)
            index_queue.put(session, [Change(project.id, scope_id, item.id, 1, "upsert") for item in part])
    while indexer.apply():
        pass
    yield mem0(live, project)
    indexer.close()


def found(caller: Any, condition: dict[str, Any], top_k: int) -> list[dict[str, Any]]:
    """Results of a search for tea."""
    body = {"query": "tea", "filters": {"AND": [{"user_id": "u"}, condition]}, "top_k": top_k}
    answer = caller.post("/v3/memories/search/", json=body)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


@pytest.mark.parametrize(
    ("condition", "number"),
    [
        ({"metadata": {"rare": True}}, 6),
        ({"NOT": {"metadata": {"rare": True}}}, 20),
        ({"categories": {"in": ["tea"]}}, 20),
        ({"categories": {"in": ["coffee"]}}, 0),
        ({"metadata": {"half": True}}, 20),
        ({"created_at": {"gte": "2999-01-01"}}, 0),
    ],
)
def test_top_k_is_full_and_right(filled: Any, condition: dict[str, Any], number: int) -> None:
    """As many as match, up to top_k, best first, and none that does not match."""
    results = found(filled, condition, 20)

    assert len(results) == number
    assert [item["score"] for item in results] == sorted((item["score"] for item in results), reverse=True)
    if "metadata" in condition:
        ((key, value),) = condition["metadata"].items()
        assert {item["metadata"][key] for item in results} == {value}


def test_a_rare_match_among_many_hits_is_still_found(filled: Any) -> None:
    """A filter the index knows nothing of: more match than are ranked by id, the look widens until enough passed."""
    results = found(filled, {"OR": [{"metadata": {"half": True}}, {"text": {"contains": "much"}}]}, 300)

    assert len(results) == 300


def test_what_the_index_is_told_of_a_filter() -> None:
    """Only what must hold of every match; what is bound to the key always."""
    asked = parse_filter(
        {"user_id": "u", "categories": {"in": ["a"]}, "memory_type": "plan", "created_at": "2026-01-01"}
    )
    project = uuid7()
    where = narrowing(Asked(project, ScopeIds(agent_id="b"), asked))
    branch = narrowing(Asked(project, ScopeIds(), parse_filter({"OR": [{"user_id": "u"}, {"categories": ["a"]}]})))

    assert (where.ids, where.kinds, where.categories_any) == (ScopeIds("u", "b"), ("plan",), ("a",))
    assert where.created_from is not None
    assert where.created_to is not None
    assert (branch.ids, branch.categories_any, branch.created_from) == (ScopeIds(), (), None)


def test_a_threshold_is_for_the_semantic_part() -> None:
    """Where there is none, a default threshold drops nothing and an explicit one bounds the score."""
    item = memory(1, uuid7(), uuid7())
    near, far, words = Scored(item, 0.3, 0.5, 0.1), Scored(item, 0.5, 0.2, 0.8), Scored(item, 0.2, None, 0.2)

    assert [Threshold(0.3).passes(one) for one in (near, far, words)] == [True, False, True]
    assert [Threshold(0.3, explicit=True).passes(one) for one in (near, far, words)] == [True, False, False]
