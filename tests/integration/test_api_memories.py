"""Reading, listing, changing and deleting memories."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from shared.db import memories, memory_writes, scopes
from shared.model.memory import State
from shared.model.scope import ScopeIds, ScopeRef
from tests.integration.api_support import LiveApi, assert_problem, fields, raw, said
from tests.stack import QDRANT_KEY


def texts(answer: httpx.Response) -> list[str]:
    return [item["memory"] for item in answer.json()["results"]]


def test_a_memory_shows_content_ids_and_times(live: LiveApi) -> None:
    """All keys are there, null where nothing is known; categories are null, not empty."""
    caller = live.caller()
    found = caller.get(f"/v1/memories/{raw(caller, 'hello', user_id='u', agent_id='a')}").json()

    assert (found["memory"], found["user_id"], found["agent_id"], found["app_id"]) == ("hello", "u", "a", None)
    assert (found["state"], found["version"], found["metadata"], found["categories"]) == ("current", 1, None, None)
    assert found["created_at"].endswith("+00:00")
    assert {"updated_at", "run_id", "session_id", "hash", "immutable", "replaced_by", "extractor"} <= set(found)
    assert "sources" not in found
    assert "history" not in found


def test_sources_and_history_come_on_request(live: LiveApi) -> None:
    """The message, span and quote behind a memory, and every earlier version."""
    caller = live.caller()
    memory_id = raw(caller, "hello", user_id="u")
    caller.patch(f"/v1/memories/{memory_id}", json={"metadata": {"a": 1}})
    before = caller.get(f"/v1/memories/{memory_id}?include=sources,history").json()
    caller.patch(f"/v1/memories/{memory_id}", json={"memory": "good bye"})
    after = caller.get(f"/v1/memories/{memory_id}?include=history").json()

    (source,) = before["sources"]
    assert (source["content"], source["quote"], source["start"], source["end"]) == ("hello", "hello", 0, 5)
    assert (source["role"], source["name"]) == ("user", None)
    assert [(row["version"], row["event"], row["memory"]) for row in after["history"]] == [
        (1, "ADD", "hello"),
        (2, "UPDATE", "hello"),
        (3, "UPDATE", "good bye"),
    ]
    assert after["history"][2]["previous_memory"] == "hello"
    assert_problem(caller.get(f"/v1/memories/{memory_id}?include=everything"), 400, names=["include"])


@pytest.mark.parametrize(
    "path",
    [
        "00000000-0000-4000-8000-000000000000",
        "not-a-uuid",
        "1",
        "%00",
        "..%2f",
        "4A43C2F0",
        "a" * 3_000,
        "null",
        "undefined",
    ],
)
def test_unknown_ids_are_not_found(live: LiveApi, path: str) -> None:
    """Whatever stands where an id should be: 404 for read, change and delete."""
    caller = live.caller()

    assert_problem(caller.get(f"/v1/memories/{path}"), 404)
    assert_problem(caller.patch(f"/v1/memories/{path}", json={"memory": "x"}), 404)
    assert_problem(caller.delete(f"/v1/memories/{path}"), 404)
    assert_problem(caller.get(f"/v1/event/{path}/"), 404)


@pytest.mark.parametrize("state", ["retracted", "replaced"])
def test_closed_memories_are_served_by_id_only(live: LiveApi, state: State) -> None:
    """200 with its state by id, not in lists, and not to be changed."""
    project = live.project()
    caller = live.caller(project)
    memory_id = raw(caller, "hello", user_id="u")

    with live.db.transaction() as session:
        (memory,) = memories.newest(session, project.id, ScopeIds("u"), memories.Page(1))
        scopes.lock(session, ScopeRef(project.id, memory.scope_id))
        memory_writes.update(session, [replace(memory, state=state)])

    assert caller.get(f"/v1/memories/{memory_id}").json()["state"] == state
    assert texts(caller.get("/v1/memories/?user_id=u")) == []
    assert_problem(caller.patch(f"/v1/memories/{memory_id}", json={"memory": "x"}), 409, "memory_not_current")


def test_lists_are_newest_first_and_paged(live: LiveApi) -> None:
    """Pages join without gaps or repeats; the last has no cursor."""
    caller = live.caller()
    for number in range(7):
        raw(caller, f"number {number}", user_id="u", run_id=f"r{number % 2}")
    raw(caller, "of somebody else", user_id="v")

    first = caller.get("/v1/memories/?user_id=u&limit=3")
    second = caller.get("/v1/memories/", params={"user_id": "u", "limit": 3, "cursor": first.json()["next_cursor"]})
    third = caller.get("/v1/memories/", params={"user_id": "u", "limit": 3, "cursor": second.json()["next_cursor"]})
    pages = texts(first) + texts(second) + texts(third)

    assert pages == [f"number {number}" for number in reversed(range(7))]
    assert third.json()["next_cursor"] is None
    assert texts(caller.get("/v1/memories/?run_id=r1")) == ["number 5", "number 3", "number 1"]
    assert texts(caller.get("/v1/memories?user_id=u&run_id=r0&limit=200&query=&agent_id=")) == [
        "number 6", "number 4", "number 2", "number 0",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "user_id"), ("user_id=", "user_id"), ("limit=5", "user_id"), ("user_id=u&limit=0", "limit"),
        ("user_id=u&limit=201", "limit"), ("user_id=u&limit=x", "limit"), ("user_id=u&cursor=x", "cursor"),
        ("user_id=u&filters=%7B%27user_id%27%3A%20%27alice%27%7D", "filters"),
        ("user_id=u&categories=food", "categories"),
        ("user_id=u&user_id=v", "user_id"), ("user_id=u%00", "user_id"),
    ],
)  # fmt: skip
def test_lists_refuse_what_they_cannot_honour(live: LiveApi, query: str, field: str) -> None:
    """No id, bad limits, unknown filters: 400 naming the parameter."""
    assert_problem(live.caller().get(f"/v1/memories/?{query}"), 400, names=[field])


def test_patch_changes_text_and_metadata(live: LiveApi) -> None:
    """The id stays, the version rises; absent and null leave as it is, an empty object clears."""
    caller = live.caller()
    memory_id = raw(caller, "hello", user_id="u")
    path = f"/v1/memories/{memory_id}"

    first = caller.patch(path, json={"memory": "good bye", "metadata": {"a": 1}}).json()
    second = caller.patch(path, json={"memory": None, "metadata": None}).json()
    third = caller.patch(path, json={"metadata": {}}).json()

    assert (first["id"], first["memory"], first["metadata"], first["version"]) == (memory_id, "good bye", {"a": 1}, 2)
    assert second == first
    assert (third["memory"], third["metadata"], third["version"]) == ("good bye", None, 3)


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"memory": ""}, 400, "memory"), ({"memory": "  "}, 400, "memory"), ({"memory": 7}, 400, "memory"),
        ({"metadata": "x"}, 400, "metadata"), ({"memory": "a\0b"}, 400, "memory"),
        ({"memory": "x" * 100_001}, 413, "memory"), ({"metadata": {"a": "x" * 20_000}}, 413, "metadata"),
    ],
)  # fmt: skip
def test_bad_patches_change_nothing(live: LiveApi, body: dict[str, Any], status: int, field: str) -> None:
    """The field is named and the memory stays as it was."""
    caller = live.caller()
    path = f"/v1/memories/{raw(caller, 'hello', user_id='u')}"

    assert_problem(caller.patch(path, json=body), status, names=[field])
    assert caller.get(path).json()["version"] == 1


def test_a_patch_to_a_text_that_is_there_names_it(live: LiveApi) -> None:
    """409 with the id of the memory that has it."""
    caller = live.caller()
    first, second = raw(caller, "one", user_id="u"), raw(caller, "two", user_id="u")
    answer = caller.patch(f"/v1/memories/{second}", json={"memory": "one"})

    assert_problem(answer, 409, "duplicate_text", ["memory"])
    assert answer.json()["memory_id"] == first


def test_deleted_memories_are_gone(live: LiveApi) -> None:
    """A JSON object once, 404 ever after, and in no list."""
    caller = live.caller()
    memory_id = raw(caller, "hello", user_id="u")
    answer = caller.delete(f"/v1/memories/{memory_id}/")

    assert (answer.status_code, answer.json()["id"], type(answer.json()["message"])) == (200, memory_id, str)
    assert_problem(caller.delete(f"/v1/memories/{memory_id}"), 404)
    assert_problem(caller.get(f"/v1/memories/{memory_id}"), 404)
    assert_problem(caller.patch(f"/v1/memories/{memory_id}", json={"memory": "x"}), 404)
    assert texts(caller.get("/v1/memories/?user_id=u")) == []


def test_delete_all_takes_a_scope_and_only_that(live: LiveApi) -> None:
    """Equal ids go, others stay; the answer counts and names its event."""
    caller = live.caller()
    gone = [raw(caller, f"{number}", user_id="u", run_id=f"r{number}") for number in range(3)]
    stays = raw(caller, "stays", user_id="v")
    answer = caller.delete("/v1/memories/?user_id=u&agent_id=")

    assert (answer.status_code, answer.json()["memories"], answer.json()["messages"]) == (200, 3, 3)
    assert caller.get(f"/v1/event/{answer.json()['event_id']}/").json()["event_type"] == "DELETE"
    assert {caller.get(f"/v1/memories/{memory_id}").status_code for memory_id in gone} == {404}
    assert caller.get(f"/v1/memories/{stays}").status_code == 200


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("", b""), ("user_id=", b""), ("filters=%7B%27user_id%27%3A%20%27alice%27%7D", b""),
        ("user_id=u&filters=%7B%7D", b""), ("user_id=u&metadata=x", b""), ("user_id=u", b'{"filters":{"run_id":"r"}}'),
        ("org_id=o", b""),
    ],
)  # fmt: skip
def test_delete_all_without_a_clear_scope_deletes_nothing(live: LiveApi, query: str, body: bytes) -> None:
    """Neither nothing, nor something not understood, ever widens a deletion."""
    caller = live.caller()
    memory_id = raw(caller, "hello", user_id="u")

    assert_problem(caller.request("DELETE", f"/v1/memories/?{query}", content=body), 400)
    assert caller.get(f"/v1/memories/{memory_id}").status_code == 200


def test_the_feed_lists_events_newest_first(live: LiveApi) -> None:
    """Pages with a count and absolute links; filters by status and ids."""
    caller = live.caller()
    for number in range(5):
        raw(caller, f"{number}", user_id="u" if number < 3 else "v")
    page = caller.get("/v1/events/?page_size=2&user_id=u").json()
    last = caller.get(page["next"]).json()

    assert (page["count"], len(page["results"]), page["previous"]) == (3, 2, None)
    assert page["results"][0]["results"][0]["memory"] == "2"
    assert (len(last["results"]), last["next"]) == (1, None)
    assert last["previous"].startswith("http")
    assert caller.get("/v1/events/?status=failed").json()["count"] == 0
    assert fields(caller.get("/v1/events/?status=BROKEN")) == ["status"]
    assert fields(caller.get("/v1/events/?page=0")) == ["page"]


def test_no_qdrant_is_needed_for_truth(live: LiveApi, qdrant_url: str) -> None:
    """Nothing above needed a collection: reads by id and lists come from Postgres."""
    with httpx.Client(base_url=qdrant_url, headers={"api-key": QDRANT_KEY}, trust_env=False) as engine:
        assert engine.get("/collections").json()["result"]["collections"] == []


def test_messages_in_one_post_share_its_metadata(live: LiveApi) -> None:
    """Each memory carries what came with the post."""
    caller = live.caller()
    body = {"messages": said("one", "two"), "infer": False, "user_id": "u", "metadata": {"k": ["v"]}}
    caller.post("/v1/memories/", json=body, headers={"Prefer": "respond-async"})

    assert [item["metadata"] for item in caller.get("/v1/memories/?user_id=u").json()["results"]] == [{"k": ["v"]}] * 2
