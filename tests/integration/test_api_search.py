"""Search: ranked by the index, decided by Postgres; honest when embeddings or the index are away."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.fakes.openai_control import FakeOpenAI
from tests.integration.api_support import LiveApi, assert_problem, raw
from tests.integration.hand_worker import HandIndexer
from tests.stack import Stack, crash, revive, wait_until


@pytest.fixture
def indexed(live: LiveApi, indexer: HandIndexer) -> httpx.Client:
    """A caller with three memories of two users in the index."""
    indexer.register()
    caller = live.caller()
    raw(caller, "Loves hiking in the Dolomites", user_id="u", agent_id="a")
    raw(caller, "Has a sister called Clara", user_id="u", agent_id="b")
    raw(caller, "Loves hiking in Norway", user_id="v")
    indexer.apply()
    return caller


def found(caller: httpx.Client, query: str, **ids: str) -> list[str]:
    answer = caller.get("/v1/memories/", params={"query": query, **ids})
    assert answer.status_code == 200, answer.text
    return [item["memory"] for item in answer.json()["results"]]


def test_a_query_ranks_by_meaning_within_the_ids(indexed: httpx.Client) -> None:
    """Best first, only of the given ids, each with its score and both parts."""
    answer = indexed.get("/v1/memories/?user_id=u&query=hiking").json()
    (best,) = answer["results"]

    assert best["memory"] == "Loves hiking in the Dolomites"
    assert 0 < best["score"] < 1
    assert best["score_breakdown"] == {"semantic": None, "bm25": best["score"]}
    assert "degraded" not in answer
    assert found(indexed, "hiking", user_id="u", agent_id="b") == []
    assert found(indexed, "sister hiking", agent_id="b") == ["Has a sister called Clara"]
    assert found(indexed, "the", user_id="u") == []


def test_other_tenants_find_nothing_and_change_no_rank(live: LiveApi, indexed: httpx.Client) -> None:
    """The same ids in another project are somebody else's."""
    assert found(live.caller(), "hiking", user_id="u") == []


def test_hits_that_postgres_no_longer_serves_are_left_out(live: LiveApi, indexer: HandIndexer) -> None:
    """Deleted and changed memories are right before the index hears of it, and the limit is still filled."""
    indexer.register()
    caller = live.caller()
    ids = [raw(caller, f"plays tennis {'very ' * (30 - number)}often {number}", user_id="u") for number in range(30)]
    indexer.apply()
    for memory_id in ids[:20]:
        caller.delete(f"/v1/memories/{memory_id}")
    caller.patch(f"/v1/memories/{ids[29]}", json={"memory": "gave up"})
    results = caller.get("/v1/memories/?user_id=u&query=tennis&limit=10").json()["results"]

    assert len(results) == 10
    assert {item["id"] for item in results} == set(ids[20:])
    assert next(item["memory"] for item in results if item["id"] == ids[29]) == "gave up"


def test_expired_memories_are_not_found(live: LiveApi, indexer: HandIndexer) -> None:
    """`expiration_date` hides, it does not delete."""
    indexer.register()
    caller = live.caller()
    memory_id = raw(caller, "likes tea", user_id="u", expiration_date="2020-01-01")
    indexer.apply()

    assert found(caller, "tea", user_id="u") == []
    assert caller.get("/v1/memories/?user_id=u").json()["results"] == []
    assert caller.get(f"/v1/memories/{memory_id}").status_code == 200


@pytest.mark.parametrize("query", ["x" * 8_001, "a%00b"])
def test_bad_queries_are_refused(live: LiveApi, query: str) -> None:
    """Too long, or with a NUL character."""
    assert_problem(live.caller().get(f"/v1/memories/?user_id=u&query={query}"), 400, names=["query"])


@pytest.mark.parametrize("query", ["'\"; DROP TABLE memories --", "%25", "🙂", "a" * 8_000, "（全角）", "\t"])
def test_any_text_can_be_searched_for(indexed: httpx.Client, query: str) -> None:
    """Signs, emoji, long words: an answer, never an error."""
    assert indexed.get("/v1/memories/", params={"user_id": "u", "query": query}).status_code == 200


def test_without_the_index_search_says_so(live: LiveApi, indexed: httpx.Client, stack: Stack) -> None:
    """503 where there is something to find, [] where there is not; everything else goes on; then it is back."""
    crash(stack.engine)
    try:
        answer = indexed.get("/v1/memories/?user_id=u&query=hiking")
        assert_problem(answer, 503, "index_unavailable")
        assert int(answer.headers["retry-after"]) >= 1
        assert found(live.caller(), "hiking", user_id="u") == []
        assert len(indexed.get("/v1/memories/?user_id=u").json()["results"]) == 2
        assert raw(indexed, "still kept", user_id="u")
        ready = live.client().get("/readyz")
        assert (ready.status_code, ready.json()["checks"]["qdrant"]["status"]) == (200, "down")
    finally:
        revive(stack.engine)
    wait_until(
        lambda: live.client().get("/readyz").json()["checks"]["qdrant"]["status"] == "ok", "the index to be back"
    )
    assert found(indexed, "hiking", user_id="u") == ["Loves hiking in the Dolomites"]


@pytest.fixture
def hybrid(stack: Stack) -> Iterator[tuple[LiveApi, FakeOpenAI]]:
    """An API with embeddings from the scripted server."""
    with FakeOpenAI() as llm:
        own = LiveApi(stack, OPENAI_BASE_URL=llm.base_url, OPENAI_API_KEY="sk-test", embeddings_model="fake")
        yield own, llm
        own.close()


def test_failing_embeddings_degrade_a_search(hybrid: tuple[LiveApi, FakeOpenAI], stack: Stack) -> None:
    """Both lists with an embedding; BM25 alone and `degraded` when it fails; never an error."""
    own, llm = hybrid
    indexer = HandIndexer(own.db, stack.engine.url, "flumes-fake-1", model="fake", base_url=llm.base_url)
    indexer.register()
    caller = own.caller()
    raw(caller, "Loves hiking in the Dolomites", user_id="u")
    raw(caller, "Has a sister called Clara", user_id="u")
    indexer.apply()
    indexer.close()
    both = caller.get("/v1/memories/?user_id=u&query=hiking").json()
    llm.script({"kind": "embeddings", "match": "", "action": "server_error", "times": None})
    degraded = caller.get("/v1/memories/?user_id=u&query=hiking")
    calls = len(llm.log("embeddings"))
    caller.get("/v1/memories/?user_id=u&query=sister")

    assert "degraded" not in both
    assert len(both["results"]) == 2
    assert all(item["score_breakdown"]["semantic"] is not None for item in both["results"])
    assert (degraded.status_code, degraded.json()["degraded"]) == (200, True)
    assert [item["memory"] for item in degraded.json()["results"]] == ["Loves hiking in the Dolomites"]
    assert len(llm.log("embeddings")) == calls, "a failing server is left alone for a while"
