"""The walls hold in mem0's dialects too: bound keys, foreign projects, rights; the project's settings count at once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.db import events
from tests.integration.api_support import LiveApi, assert_problem, raw, said
from tests.integration.hand_worker import HandIndexer, HandWorker
from tests.integration.test_api_mem0 import kept, mem0

SECRET = "the treasure lies under the oak"
EVERYONE = {"filters": {"user_id": "*"}}


@pytest.fixture
def bound(live: LiveApi, indexer: HandIndexer) -> tuple[httpx.Client, httpx.Client, str]:
    """The owner of two users' memories, a key bound to one of them, and the other one's memory."""
    indexer.register()
    project = live.project()
    owner = mem0(live, project)
    memory_id = kept(owner, SECRET, user_id="anna", agent_id="bot")
    kept(owner, "the oak is old", user_id="ben", agent_id="bot")
    indexer.apply()
    return owner, mem0(live, project, user_id="ben"), memory_id


def test_a_bound_key_sees_its_own_whatever_it_asks(bound: tuple[httpx.Client, httpx.Client, str]) -> None:
    """Wildcards, ORs, other ids, feeds, entities, exports, summaries: only what is ben's."""
    owner, ben, _ = bound
    tricky = {"OR": [{"user_id": "*"}, {"agent_id": "bot"}, {"user_id": "anna"}]}
    asked = {"query": "oak treasure", "filters": tricky}
    export = owner.post("/v1/exports/", json={"schema": {}, **EVERYONE}).json()["id"]
    own = ben.post("/v1/exports/", json={"schema": {}, **EVERYONE}).json()["id"]
    answers = [
        ben.post("/v3/memories/", json={"filters": tricky}),
        ben.post("/v3/memories/", json={"filters": {"NOT": {"run_id": "x"}}}),
        ben.post("/v2/memories/", json=EVERYONE),
        ben.get("/v1/memories/?agent_id=bot"),
        ben.get("/v1/memories/agent/bot/"),
        ben.get("/v1/memories/events/"),
        ben.post("/v3/memories/search/", json=asked),
        ben.post("/search", json=asked),
        ben.get("/memories"),
        ben.get("/v1/entities/"),
        ben.get("/v2/entities/agent/bot/"),
        ben.post("/v1/summary/", json=EVERYONE),
        ben.post("/v1/exports/get/", json={"memory_export_id": own}),
        ben.post("/v1/exports/get/", json=EVERYONE),
    ]

    assert [answer.status_code for answer in answers] == [200] * len(answers)
    for answer in answers:
        assert SECRET not in answer.text, answer.url
        assert "anna" not in answer.text.replace("'anna'", ""), answer.url
        assert "ben" in answer.text or "the oak is old" in answer.text or "bot" in answer.text, answer.url
    assert_problem(ben.post("/v1/exports/get/", json={"memory_export_id": export}), 404, "export_not_found")
    assert_problem(ben.get("/v1/stats/"), 403, "bound_key")


def test_a_bound_key_changes_only_its_own(bound: tuple[httpx.Client, httpx.Client, str]) -> None:
    """Refused or not found, and everything of the other user is there afterwards."""
    owner, ben, memory_id = bound
    item = {"memory_id": memory_id, "text": "stolen"}
    answers = [
        ben.put(f"/v1/memories/{memory_id}/", json={"text": "stolen"}),
        ben.delete(f"/v1/memories/{memory_id}/"),
        ben.put("/v1/batch/", json={"memories": [item]}),
        ben.request("DELETE", "/v1/batch/", json={"memories": [item]}),
        ben.post("/v1/feedback/", json={"memory_id": memory_id, "feedback": "NEGATIVE"}),
        ben.delete("/v2/entities/user/anna/"),
        ben.delete("/v1/memories/?user_id=anna"),
        ben.delete("/v1/memories/?filters={'user_id': 'anna'}"),
        ben.post("/v3/memories/add/", json={"messages": said("x"), "filters": {"user_id": "anna"}}),
        ben.post("/v3/memories/", json={"filters": {"user_id": "anna"}}),
        ben.get("/v1/memories/user/anna/"),
    ]

    assert [answer.status_code for answer in answers] == [404] * 5 + [403] * 6
    ben.delete("/v2/entities/agent/bot/")
    ben.delete("/v1/memories/?agent_id=*")
    assert owner.get(f"/v1/memories/{memory_id}/").json()["memory"] == SECRET
    assert owner.post("/v3/memories/", json=EVERYONE).json()["count"] == 1


def test_the_project_is_the_keys_own(live: LiveApi) -> None:
    """Another project in path, body or query is not widened to; changing settings needs `admin`."""
    project, other = live.project(), live.project()
    caller, reader = mem0(live, project), mem0(live, project, rights=["read", "ingest", "delete"])
    base = f"/api/v1/orgs/organizations/{project.id}/projects/{project.id}"
    foreign = f"/api/v1/orgs/organizations/{other.id}/projects/{other.id}"

    assert caller.get(base + "/").json()["name"] == project.name
    assert_problem(caller.get(foreign + "/"), 404, "project_not_found")
    assert_problem(caller.patch(foreign + "/", json={"custom_instructions": "x"}), 404, "project_not_found")
    assert_problem(reader.patch(base + "/", json={"custom_instructions": "x"}), 403, "missing_right")
    assert_problem(caller.patch(base + "/", json={"nothing": 1}), 400)
    assert_problem(caller.post(f"/api/v1/orgs/organizations/{project.id}/projects/", json={}), 403, "operator_only")
    assert_problem(caller.delete(base + "/"), 403, "operator_only")
    echoed = {"filters": {"user_id": "u"}, "org_id": str(project.id), "project_id": str(project.id)}
    assert caller.post("/v3/memories/", json=echoed).status_code == 200
    assert_problem(caller.post("/v3/memories/", json={**echoed, "project_id": str(other.id)}), 403, "foreign_project")
    assert_problem(caller.get(f"/v1/memories/?user_id=u&org_id={other.id}"), 403, "foreign_project")


def test_instructions_of_the_project_reach_the_next_extraction(live: LiveApi, worker: HandWorker) -> None:
    """Read by the event that is accepted next; the request's own words win; null takes them back."""
    project = live.project()
    caller = mem0(live, project)
    url = f"/api/v1/orgs/organizations/{project.id}/projects/{project.id}/"

    def rules(**asked: Any) -> tuple[str, tuple[str, ...]]:
        body = {"messages": said("hi"), "user_id": "u", **asked}
        event_id = UUID(caller.post("/v3/memories/add/", json=body).json()["event_id"])
        found = live.db.run(lambda session: events.traits(session, project.id, [event_id]))[event_id][1]
        return found.instructions, found.categories

    agent = {"user_id": None, "agent_id": "a"}
    assert rules() == ("", ())
    caller.patch(url, json={"custom_instructions": "Only food.", "custom_categories": [{"food": "eaten"}, "drinks"],
                            "agent_custom_instructions": "Only promises."})  # fmt: skip
    assert rules() == ("Only food.", ("food", "drinks"))
    assert rules(custom_instructions="Only music.", custom_categories=[{"music": "heard"}]) == (
        "Only music.",
        ("music",),
    )
    assert rules(**agent) == ("Only promises.", ("food", "drinks"))
    assert rules(**agent, agent_custom_instructions="Only jokes.")[0] == "Only jokes."
    caller.patch(url, json={"custom_instructions": None, "custom_categories": None})
    assert rules() == ("", ())
    assert caller.get(url).json()["agent_custom_instructions"] == "Only promises."
    worker.sweep()


def test_feedback_and_counters_are_read_back(live: LiveApi) -> None:
    """One opinion a memory, the last one counts; erased with the memory."""
    caller = mem0(live)
    memory_id = kept(caller, "one", user_id="u")
    for opinion in ("POSITIVE", "NEGATIVE"):
        caller.post("/v1/feedback/", json={"memory_id": memory_id, "feedback": opinion, "feedback_reason": "why"})
    stored = caller.get(f"/v1/feedback/{memory_id}/").json()
    counters = caller.get("/v1/stats/").json()

    assert (stored["feedback"], stored["feedback_reason"]) == ("NEGATIVE", "why")
    assert counters["feedback"] == {"NEGATIVE": 1}
    assert (counters["total_memories"], counters["total_users"], counters["total_events"]) == (1, 1, 1)
    assert_problem(caller.post("/v1/feedback/", json={"memory_id": memory_id, "feedback": "GREAT"}), 400)
    caller.delete("/v1/memories/?user_id=u")
    assert caller.get("/v1/stats/").json()["feedback"] == {}


def test_webhooks_are_off_unless_the_operator_turns_them_on(live: LiveApi) -> None:
    """Every route says so, to whoever may administer the project."""
    owner = mem0(live, live.project())
    own = owner.get("/v1/ping/").json()["project_id"]
    body = {"url": "https://example.org/"}
    for answer in (
        owner.get(f"/api/v1/webhooks/projects/{own}/"),
        owner.post(f"/api/v1/webhooks/projects/{own}/", json=body),
        owner.put(f"/api/v1/webhooks/{own}/", json=body),
        owner.delete(f"/api/v1/webhooks/{own}/"),
        owner.get(f"/api/v1/webhooks/{own}/deliveries/"),
    ):
        assert_problem(answer, 403, "webhooks_off")


@pytest.mark.parametrize("query", [{"user_id": "*"}, {"user_id": "*", "agent_id": "*"}])
def test_a_star_of_a_bound_key_deletes_its_own_alone(live: LiveApi, query: dict[str, str]) -> None:
    """`*` stands for whom the key is bound to, not for everybody."""
    project = live.project()
    owner = live.caller(project)
    others = raw(owner, "of blair", user_id="blair", agent_id="guide")
    gone = raw(owner, "of alex", user_id="alex", agent_id="guide")
    bound = live.client(Authorization=f"Token {live.key(project, user_id='alex')}")

    assert bound.delete("/v1/memories/", params=query).status_code == 200
    assert owner.get(f"/v1/memories/{others}").status_code == 200
    assert owner.get(f"/v1/memories/{gone}").status_code == 404
