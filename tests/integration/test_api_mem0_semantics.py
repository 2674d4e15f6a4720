"""What mem0's parameters do, seen through its own routes: a real worker with the rules extractor behind them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.integration.api_support import LiveApi, assert_problem, said
from tests.integration.memory_rows import stored
from tests.integration.test_api_mem0 import kept, mem0, texts
from tests.stack import Stack, wait_until

USER = {"filters": {"user_id": "u"}}


@pytest.fixture(scope="module")
def live(stack: Stack) -> Iterator[LiveApi]:
    """An API process and a worker."""
    running = LiveApi(stack)
    running.service.start_worker(slots=4)
    yield running
    running.close()


def told(caller: httpx.Client, text: str, **options: Any) -> list[dict[str, Any]]:
    """Tell something and wait; what became of it."""
    body = {"messages": said(text), "user_id": "u", "async_mode": False, **options}
    answer = caller.post("/v3/memories/add/", json=body)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def listed(caller: httpx.Client, **more: Any) -> list[str]:
    """What is listed of the user."""
    return texts(caller.post("/v3/memories/", json={**USER, **more}))


@pytest.mark.parametrize("immutable", [False, True])
def test_an_immutable_memory_is_left_alone(live: LiveApi, *, immutable: bool) -> None:
    """Any other takes the new text, under its id; its owner may still change it."""
    caller = mem0(live)
    (first,) = told(caller, "I live in Rome.", immutable=immutable)
    (then,) = told(caller, "I now live in Milan.")
    before = caller.get(f"/v1/memories/{first['id']}/").json()
    caller.put(f"/v1/memories/{first['id']}/", json={"text": "Lives in Bern"})

    assert (then["event"], then["id"] == first["id"]) == (("ADD", False) if immutable else ("UPDATE", True))
    assert (before["memory"] == first["data"]["memory"], before["immutable"]) == (immutable, immutable)
    assert ("Milan" in before["memory"]) is not immutable
    assert caller.get(f"/v1/memories/{first['id']}/").json()["memory"] == "Lives in Bern"


def test_an_expired_memory_is_hidden_not_deleted(live: LiveApi) -> None:
    """From lists and searches; by id and on request it is there, and a later day brings it back."""
    caller = mem0(live)
    (first,) = told(caller, "I am allergic to peanuts.", expiration_date="2020-01-01")
    told(caller, "I love peanuts butter cups.")
    search = {**USER, "query": "peanuts"}
    wait_until(lambda: texts(caller.post("/v3/memories/search/", json=search)), "the index")

    assert all("allergic" not in text for text in listed(caller))
    assert any("llergic" in text for text in listed(caller, show_expired=True))
    assert caller.get(f"/v1/memories/{first['id']}/").status_code == 200
    assert all("llergic" not in text for text in texts(caller.post("/v3/memories/search/", json=search)))
    caller.put(f"/v1/memories/{first['id']}/", json={"expiration_date": "2999-01-01"})
    assert any("llergic" in text for text in listed(caller))
    wait_until(
        lambda: any("llergic" in t for t in texts(caller.post("/v3/memories/search/", json=search))), "the index"
    )


def test_metadata_is_kept_with_each_memory(live: LiveApi) -> None:
    """Of every memory that a request yields, and found by it."""
    caller = mem0(live)
    told(caller, "I want to go to Rome in July. give me tips for museums", metadata={"trip": 7})
    filters = {"AND": [{"user_id": "u"}, {"metadata": {"trip": 7}}]}

    assert len(listed(caller, filters=filters)) == 2
    assert listed(caller, filters={"AND": [{"user_id": "u"}, {"metadata": {"trip": "7"}}]}) == []


def test_linked_memories_go_with_the_one_that_took_their_place(live: LiveApi) -> None:
    """The whole chain, through several steps; without the flag, of another, and of another user nothing."""
    project = live.project()
    caller = mem0(live, project)
    newest = stored(live.db, project.id, "Lives in Bern", user="u")
    middle = stored(live.db, project.id, "Lives in Milan", user="u", state="replaced", replaced_by=newest.id)
    oldest = stored(live.db, project.id, "Lives in Rome", user="u", state="replaced", replaced_by=middle.id)
    other = stored(live.db, project.id, "Likes tea", user="u")
    before_other = stored(live.db, project.id, "Liked tea", user="u", state="replaced", replaced_by=other.id)
    answer = caller.delete(f"/v1/memories/{newest.id}/?delete_linked=true")

    assert answer.json()["cascade_count"] == 2
    gone = {memory.id: caller.get(f"/v1/memories/{memory.id}/").status_code for memory in (newest, middle, oldest)}
    assert set(gone.values()) == {404}
    assert "cascade_count" not in caller.delete(f"/v1/memories/{other.id}/").json()
    left = caller.get(f"/v1/memories/{before_other.id}/")
    assert (left.status_code, left.json()["replaced_by"]) == (200, str(other.id))


@pytest.mark.parametrize("metadata", ['{"trip": 7}', "{'trip': 7}"])
@pytest.mark.parametrize("whose", ["user_id=u", "user_id=*", "filters={'user_id': 'u'}"])
def test_memories_of_an_id_are_deleted_by_metadata(live: LiveApi, whose: str, metadata: str) -> None:
    """Only those that have it, with their messages; as JSON and as the Python repr that clients send."""
    caller = mem0(live)
    first = kept(caller, "the secret trip", user_id="u", metadata={"trip": 7, "more": 1})
    kept(caller, "another trip", user_id="u", metadata={"trip": 8})
    kept(caller, "of an agent", agent_id="a", metadata={"trip": 7})
    answer = caller.delete(f"/v1/memories/?{whose}&metadata={quote(metadata)}")

    assert (answer.status_code, answer.json()["message"][:6]) == (200, "Delete")
    assert listed(caller) == ["another trip"]
    assert len(texts(caller.post("/v3/memories/", json={"filters": {"agent_id": "a"}}))) == 1
    assert caller.get(f"/v1/memories/{first}/").status_code == 404
    with live.db.engine.connect() as connection:
        said_ = connection.exec_driver_sql("SELECT count(*) FROM messages WHERE text LIKE %s", ("%secret trip%",))
        assert said_.scalar_one() == 0


@pytest.mark.parametrize("query", ['metadata={"k": 1}', "user_id=u&metadata={}", "user_id=u&metadata=nonsense",
                                   "user_id=u&metadata=[1]"])  # fmt: skip
def test_a_deletion_by_metadata_needs_an_id_and_sense(live: LiveApi, query: str) -> None:
    """Metadata is no scope, and what cannot be read is never nothing."""
    caller = mem0(live)
    kept(caller, "one", user_id="u", metadata={"k": 1})

    assert_problem(caller.delete(f"/v1/memories/?{query}"), 400)
    assert listed(caller) == ["one"]


@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
def test_a_filter_means_the_same_in_every_version(live: LiveApi, version: str) -> None:
    """Lists of ids, `*`, OR across kinds of ids, NOT and null, in each version's list and search."""
    caller = mem0(live)
    for number, ids in enumerate(({"user_id": "a"}, {"user_id": "b"}, {"agent_id": "a"}, {"user_id": "c"})):
        kept(caller, f"tea {number}", **ids)
    every = {"OR": [{"user_id": "*"}, {"agent_id": "*"}]}
    wanted = {
        '{"user_id": {"in": ["a", "b"]}}': {"tea 0", "tea 1"},
        '{"user_id": ["a", "c"]}': {"tea 0", "tea 3"},
        '{"OR": [{"user_id": "a"}, {"agent_id": "a"}]}': {"tea 0", "tea 2"},
        '{"user_id": "*", "NOT": {"user_id": "c"}}': {"tea 0", "tea 1"},
        '{"user_id": "*", "agent_id": null}': {"tea 0", "tea 1", "tea 3"},
    }

    def asked(filters: str, *, search: bool) -> set[str]:
        body = {"filters": json.loads(filters), **({"query": "tea"} if search else {})}
        if version == "v1" and not search:
            return set(texts(caller.get("/v1/memories/", params={"filters": filters})))
        path = f"/{version}/memories/{'search/' if search else ''}"
        return set(texts(caller.post(path, json=body)))

    wait_until(lambda: len(asked(json.dumps(every), search=True)) == 4, "the index")
    assert {filters: asked(filters, search=False) for filters in wanted} == wanted
    assert {filters: asked(filters, search=True) for filters in wanted} == wanted
