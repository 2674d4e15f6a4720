"""mem0's platform API: add, list, search, change, delete, in the shapes of its versions 1, 2 and 3."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.integration.api_support import LiveApi, assert_problem, fields, said
from tests.integration.hand_worker import HandIndexer, HandWorker
from tests.stack import wait_until

RESULT = {"id": "4a43c2f0-0000-4000-8000-000000000001", "memory": "x", "event": "ADD"}


def mem0(live: LiveApi, project: Any = None, **traits: Any) -> httpx.Client:
    """A caller as mem0's clients are."""
    key = live.key(project or live.project(), **traits)
    return live.client(None, Authorization=f"Token {key}")


def kept(caller: httpx.Client, text: str, **options: Any) -> str:
    """Keep a message as it is; the memory's id."""
    answer = caller.post("/v3/memories/add/", json={"messages": said(text), "infer": False, **options})
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["results"][0]["id"]
    return found


def texts(answer: httpx.Response) -> list[str]:
    """The memories of a list, bare or in an envelope."""
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return [item["memory"] for item in (body if isinstance(body, list) else body["results"])]


def test_ping_names_the_project(live: LiveApi) -> None:
    """Everything a client needs to construct; 401 as an object with `detail`."""
    project = live.project()
    body = mem0(live, project).get("/v1/ping/").json()

    assert body["status"] == "ok"
    assert body["org_id"] == body["project_id"] == str(project.id)
    assert isinstance(body["user_email"], str)
    refused = live.client(None, Authorization="Token nope").get("/v1/ping/")
    assert (refused.status_code, type(refused.json()["detail"])) == (401, str)


@pytest.mark.parametrize(
    ("path", "extra", "shape"),
    [
        ("/v3/memories/add/", {}, "object"),
        ("/v1/memories/", {}, "list"),
        ("/v1/memories/", {"output_format": "v1.1"}, "results"),
        ("/v1/memories/", {"output_format": "v1.1", "infer": False}, "results"),
    ],
)
def test_adds_are_pending_by_default(
    live: LiveApi, worker: HandWorker, path: str, extra: dict[str, Any], shape: str
) -> None:
    """200 with the event's id at once; the event is polled."""
    caller = mem0(live)
    answer = caller.post(path, json={"messages": said("hi"), "user_id": "u", **extra})
    body = answer.json()
    item = body if shape == "object" else (body if shape == "list" else body["results"])[0]

    assert (answer.status_code, item["status"]) == (200, "PENDING")
    worker.sweep()
    polled = wait_until(lambda: caller.get(f"/v1/event/{item['event_id']}/").json(), "the event")
    assert polled["status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("path", "extra"),
    [("/v3/memories/add/", {}), ("/v1/memories/", {}), ("/v1/memories/", {"output_format": "v1.1"}), ("/memories", {})],
)
def test_adds_wait_when_told_to(live: LiveApi, worker: HandWorker, path: str, extra: dict[str, Any]) -> None:
    """`async_mode: false` waits; the self-hosted server's route always does. Each in its own shape."""
    caller = mem0(live)
    body = {"messages": "hi", "user_id": "u", "async_mode": False, **extra}
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(caller.post, path, json=body)
        worker.finish(worker.claim(), [RESULT])
    answer = future.result().json()
    results = answer if isinstance(answer, list) else answer["results"]

    assert future.result().status_code == 200
    assert (results[0]["id"], results[0]["event"], results[0]["memory"]) == (RESULT["id"], "ADD", "x")
    if isinstance(answer, list) or path.startswith("/v3"):
        assert results[0]["data"] == {"memory": "x"}


def test_ids_may_stand_inside_filters(live: LiveApi) -> None:
    """At the top, inside `filters`, or both when they agree; system messages are dropped without inference."""
    caller = mem0(live)
    messages = [{"role": "system", "content": "be nice"}, *said("hello")]
    kept(caller, "top", user_id="u")
    kept(caller, "inside", filters={"user_id": "u"})
    kept(caller, "both", user_id="u", filters={"AND": [{"user_id": "u"}, {"run_id": "r"}]})
    caller.post("/v3/memories/add/", json={"messages": messages, "infer": False, "user_id": "u"})
    listed = caller.post("/v3/memories/", json={"filters": {"user_id": "u"}})

    assert texts(listed) == ["hello", "both", "inside", "top"]
    assert [item["session_id"] for item in listed.json()["results"]] == [None, "r", None, None]
    for wrong, field in (
        ({"user_id": "u", "filters": {"user_id": "v"}}, "user_id"),
        ({"filters": {"user_id": "u", "categories": ["x"]}}, "filters"),
        ({"filters": {"OR": [{"user_id": "u"}, {"user_id": "v"}]}}, "filters"),
        ({"filters": {"nothing": 1}}, "filters.nothing"),
        ({}, "user_id"),
        ({"user_id": "u", "project_id": "other"}, "project_id"),
    ):
        refused = caller.post("/v3/memories/add/", json={"messages": said("x"), **wrong})
        assert (refused.status_code, fields(refused) or [refused.json()["code"]]) in ((400, [field]), (403, [field]))


def test_lists_have_the_shapes_of_their_versions(live: LiveApi) -> None:
    """v3 an envelope, v2 and v1 bare unless page and page_size are given; pages follow each other."""
    caller = mem0(live)
    for number in range(5):
        kept(caller, f"memory {number}", user_id="u")
    newest = [f"memory {number}" for number in (4, 3, 2, 1, 0)]
    chosen = {"filters": {"user_id": "u"}}
    first = caller.post("/v3/memories/?page=1&page_size=2", json={**chosen, "page": 9})
    following = caller.post(first.json()["next"].replace(live.url, ""), json=chosen)

    assert texts(caller.post("/v3/memories/", json=chosen)) == newest
    assert (first.json()["count"], first.json()["previous"], texts(first)) == (5, None, newest[:2])
    assert texts(following) == newest[2:4]
    assert following.json()["previous"].startswith("http")
    assert texts(caller.post("/v3/memories/", json={**chosen, "page": 3, "page_size": 2})) == newest[4:]
    assert isinstance(caller.post("/v2/memories/", json=chosen).json(), list)
    assert texts(caller.post("/v2/memories/", json={**chosen, "limit": 2})) == newest[:2]
    assert texts(caller.post("/v3/memories/", json={**chosen, "top_k": 2})) == newest[:2]
    assert caller.post("/v2/memories/?page=1&page_size=2", json=chosen).json()["count"] == 5
    assert caller.get("/v1/memories/?user_id=u").json()[0]["memory"] == newest[0]
    assert texts(caller.get("/v1/memories/?user_id=u&limit=2")) == newest[:2]
    assert caller.get("/v1/memories/?user_id=u&page=2&page_size=2").json()["count"] == 5
    assert caller.get("/v1/memories/user/u/").json()["count"] == 5
    assert texts(caller.get("/v1/memories/user/u/?page=2&page_size=3")) == newest[3:]
    assert_problem(caller.get("/v1/memories/"), 400, "missing_scope")
    assert_problem(caller.post("/v3/memories/", json={"filters": {"text": "x"}}), 400, "missing_scope", ["filters"])
    assert_problem(caller.post("/v3/memories/?page_size=201", json=chosen), 400, names=["page_size"])
    assert_problem(caller.get("/v1/memories/planet/u/"), 404)


def test_lists_filter_project_and_narrow(live: LiveApi) -> None:
    """Filters in the body, the query and beside them; `fields`; expired ones on request."""
    caller = mem0(live)
    kept(caller, "likes tea", user_id="u", metadata={"k": 1})
    kept(caller, "likes coffee", user_id="u", metadata={"k": 2}, agent_id="a")
    kept(caller, "long ago", user_id="u", expiration_date="2020-01-01")
    both = ["likes coffee", "likes tea"]

    assert texts(caller.post("/v3/memories/", json={"filters": {"user_id": "u"}})) == both
    assert len(texts(caller.post("/v3/memories/", json={"filters": {"user_id": "u"}, "show_expired": True}))) == 3
    nested = {"AND": [{"user_id": "u"}, {"OR": [{"metadata": {"k": 1}}, {"keywords": {"icontains": "TEA"}}]}]}
    assert texts(caller.post("/v2/memories/", json={"filters": nested})) == ["likes tea"]
    assert texts(caller.get("/v1/memories/?user_id=u&agent_id=a")) == ["likes coffee"]
    assert texts(caller.get('/v1/memories/?user_id=u&metadata={"k": 2}')) == ["likes coffee"]
    assert texts(caller.get("/v1/memories/?user_id=u&keywords=tea")) == ["likes tea"]
    assert texts(caller.get("/v1/memories/?user_id=u&start_date=2999-01-01")) == []
    assert texts(caller.get("/v1/memories/?user_id=*&end_date=2999-01-01")) == both
    item = caller.post("/v3/memories/", json={"filters": {"user_id": "u"}, "fields": ["memory", "metadata"]}).json()
    assert set(item["results"][0]) == {"id", "memory", "metadata"}
    assert set(caller.get("/v1/memories/?user_id=u&fields=memory&fields=hash").json()[0]) == {"id", "memory", "hash"}
    assert fields(caller.get("/v1/memories/?user_id=u&colour=red")) == ["colour"]
    assert fields(caller.post("/v3/memories/", json={"filters": {"colour": "red"}})) == ["filters.colour"]


def test_searches_have_the_shapes_of_their_versions(live: LiveApi, indexer: HandIndexer) -> None:
    """v3 an object, v2 bare, v1 by output_format, the self-hosted server's; top_k, limit, filters and thresholds."""
    indexer.register()
    caller = mem0(live)
    kept(caller, "loves hiking in Norway", user_id="u", metadata={"k": 1})
    kept(caller, "loves hiking in the Alps and hiking boots", user_id="u")
    kept(caller, "has a sister", user_id="u")
    kept(caller, "hiking with v", user_id="v")
    indexer.apply()
    chosen = {"query": "hiking", "filters": {"user_id": "u"}}
    found = caller.post("/v3/memories/search/", json=chosen).json()["results"]

    assert len(found) == 2
    assert found[0]["score"] >= found[1]["score"] > 0
    assert set(found[0]["score_breakdown"]) == {"semantic", "bm25", "entity"}
    assert isinstance(caller.post("/v2/memories/search/", json=chosen).json(), list)
    assert len(texts(caller.post("/v1/memories/search/", json={"query": "hiking", "user_id": "u", "limit": 1}))) == 1
    v11 = caller.post("/v1/memories/search/", json={"query": "hiking", "user_id": "u", "output_format": "v1.1"}).json()
    assert (len(v11["results"]), v11["relations"]) == (2, [])
    assert len(texts(caller.post("/search", json={**chosen, "top_k": 1}))) == 1
    narrow = {**chosen, "filters": {"AND": [{"user_id": "u"}, {"metadata": {"k": 1}}]}}
    assert texts(caller.post("/v3/memories/search/", json=narrow)) == ["loves hiking in Norway"]
    assert texts(caller.post("/v3/memories/search/", json={**chosen, "threshold": 1})) == []
    assert len(texts(caller.post("/v3/memories/search/", json={**chosen, "filters": {"user_id": "*"}}))) == 3
    every = {**chosen, "query": "", "only_metadata_based_search": True}
    assert len(texts(caller.post("/v2/memories/search/", json=every))) == 3
    for body, field in (
        ({"query": "x", "user_id": "u"}, "user_id"),
        ({"query": " ", "filters": {"user_id": "u"}}, "query"),
        ({"query": "x", "filters": {}}, "filters"),
        ({"query": "x", "filters": {"NOT": {"user_id": "u"}}}, "filters"),
        ({"query": "x", "filters": {"user_id": "u"}, "top_k": 0}, "top_k"),
        ({"query": "x", "filters": {"user_id": "u"}, "threshold": 2}, "threshold"),
        ({"query": "x", "filters": {"AND": [{"nin": 1}]}}, "filters.AND[0].nin"),
    ):
        assert field in fields(caller.post("/v3/memories/search/", json=body)), body


def test_a_memory_is_changed_and_its_history_told(live: LiveApi) -> None:
    """PUT replaces what it names; null clears the expiry; every version stays, with its messages."""
    caller = mem0(live)
    memory_id = kept(caller, "likes tea", user_id="u", metadata={"a": 1}, expiration_date="2999-01-01")
    url = f"/v1/memories/{memory_id}/"
    changed = caller.put(url, json={"text": "likes coffee", "metadata": {"b": 2}}).json()
    dated = caller.put(url, json={"timestamp": 1_700_000_000, "expiration_date": None}).json()
    history = caller.get(f"{url}history/").json()

    assert (changed["memory"], changed["metadata"], changed["expiration_date"]) == (
        "likes coffee",
        {"b": 2},
        "2999-01-01",
    )
    assert (dated["expiration_date"], dated["created_at"][:10]) == (None, "2023-11-14")
    assert caller.get(url).json() == dated
    assert [row["event"] for row in history] == ["ADD", "UPDATE", "UPDATE"]
    assert (history[1]["old_memory"], history[1]["new_memory"]) == ("likes tea", "likes coffee")
    assert history[0]["input"] == [{"role": "user", "content": "likes tea"}]
    feed = caller.get("/v1/memories/events/?limit=2").json()
    assert (feed["count"], [row["memory_id"] for row in feed["results"]]) == (3, [memory_id] * 2)
    assert_problem(caller.put(url, json={}), 400, names=["body"])
    assert_problem(caller.put(f"/v1/memories/{uuid4()}/", json={"text": "x"}), 404, "memory_not_found")
    assert_problem(caller.get("/v1/memories/not-a-uuid/"), 404, "memory_not_found")


@pytest.mark.parametrize(
    "query",
    [
        "user_id=u",
        'filters={"user_id": "u"}',
        "filters={'user_id': 'u'}",
        "filters={'AND': [{'user_id': 'u'}]}",
        "user_id=*",
    ],
)
def test_everything_of_an_id_is_deleted(live: LiveApi, query: str) -> None:
    """Ids in the query, as JSON, as a Python repr, `*`; the answer names an event."""
    caller = mem0(live)
    kept(caller, "one", user_id="u")
    kept(caller, "other", agent_id="a")
    answer = caller.delete(f"/v1/memories/?{query}")

    assert (answer.status_code, answer.json()["message"][:6]) == (200, "Delete")
    assert caller.get(f"/v1/event/{answer.json()['event_id']}/").json()["status"] == "SUCCEEDED"
    assert caller.post("/v3/memories/", json={"filters": {"user_id": "u"}}).json()["count"] == 0
    assert caller.post("/v3/memories/", json={"filters": {"agent_id": "a"}}).json()["count"] == 1


@pytest.mark.parametrize(
    "query",
    [
        "", "filters={}", "filters={'user_id': None}", "filters=nonsense", "filters={'NOT': {'user_id': 'u'}}",
        "filters={'OR': [{'user_id': 'u'}]}", "filters={'user_id': ['u', 'v']}", "user_id=",
        "filters={'user_id': 'u', 'text': 'x'}", "filters={'user': 'u'}", "user=u",
        "user_id=v&filters={'user_id': 'u'}",
        "filters=__import__('os')",
    ],
)  # fmt: skip
def test_a_deletion_without_a_recognised_scope_is_refused(live: LiveApi, query: str) -> None:
    """Nothing is dropped from a filter, and no filter never means everything."""
    caller = mem0(live)
    kept(caller, "one", user_id="u")

    assert_problem(caller.delete(f"/v1/memories/?{query}"), 400)
    assert caller.post("/v3/memories/", json={"filters": {"user_id": "u"}}).json()["count"] == 1


def test_one_memory_is_deleted(live: LiveApi) -> None:
    """The message clients know, then 404; with `delete_linked` a count."""
    caller = mem0(live)
    first, second = kept(caller, "one", user_id="u"), kept(caller, "two", user_id="u")

    assert caller.delete(f"/v1/memories/{first}/").json() == {"message": "Memory deleted successfully!"}
    assert caller.get(f"/v1/memories/{first}/").status_code == 404
    assert caller.delete(f"/v1/memories/{first}/").status_code == 404
    assert caller.delete(f"/v1/memories/{second}/?delete_linked=true").json()["cascade_count"] == 0


def test_the_header_wins_over_the_scheme(live: LiveApi) -> None:
    """Bearer is Flumes and Token is mem0 unless the caller says otherwise; X-API-Key is mem0."""
    project = live.project()
    key = live.key(project)
    bearer, token = live.client(key), live.client(None, Authorization=f"Token {key}")
    api_key = live.client(None, **{"X-API-Key": key})

    def bare(caller: httpx.Client, **headers: str) -> bool:
        return isinstance(caller.get("/v1/memories/?user_id=u", headers=headers).json(), list)

    assert [bare(caller) for caller in (bearer, token, api_key)] == [False, True, True]
    assert bare(bearer, **{"X-Flumes-Dialect": "mem0"})
    assert not bare(token, **{"X-Flumes-Dialect": "flumes"})
    assert fields(token.get("/v1/memories/", headers={"X-Flumes-Dialect": "x"})) == ["X-Flumes-Dialect"]


def test_the_self_hosted_servers_routes(live: LiveApi) -> None:
    """Add, list, read, change, history, delete, delete all, without a prefix."""
    project = live.project()
    caller = live.client(None, **{"X-API-Key": live.key(project)})
    body = {"messages": said("likes tea"), "user_id": "u", "infer": False}
    memory_id = caller.post("/memories", json=body).json()["results"][0]["id"]

    assert texts(caller.get("/memories?user_id=u")) == ["likes tea"]
    assert caller.get(f"/memories/{memory_id}").json()["memory"] == "likes tea"
    assert "message" in caller.put(f"/memories/{memory_id}", json={"text": "likes coffee"}).json()
    assert [row["event"] for row in caller.get(f"/memories/{memory_id}/history").json()] == ["ADD", "UPDATE"]
    assert texts(caller.get("/memories")) == ["likes coffee"]
    limited = live.client(None, **{"X-API-Key": live.key(project, rights=["read", "delete"])})
    assert_problem(limited.get("/memories"), 403, "missing_right")
    assert_problem(limited.delete("/memories"), 400, "missing_scope")
    assert caller.delete(f"/memories/{memory_id}").json() == {"message": "Memory deleted successfully"}
    caller.post("/memories", json=body)
    assert caller.delete("/memories?user_id=u").json()["message"] == "All relevant memories deleted"
    assert texts(caller.get("/memories?user_id=u")) == []
