"""Posting: what is kept, who waits how long, and what the answer says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from shared.db import events
from tests.integration.api_support import LiveApi, assert_problem, raw, said
from tests.integration.hand_worker import HandWorker
from tests.stack import wait_until

SETTINGS = {"wait_budget": 2}

ROME = {"id": "4a43c2f0-0000-4000-8000-000000000001", "memory": "Wants to go to Rome in July", "event": "ADD"}
ASYNC = {"Prefer": "respond-async"}


def posting(caller: httpx.Client, body: dict[str, Any], **headers: str) -> httpx.Response:
    return caller.post("/v1/memories/", json=body, headers=headers)


def test_a_waiting_post_answers_with_the_results(live: LiveApi, worker: HandWorker) -> None:
    """200 with id, memory and event, as soon as the worker ends the event."""
    caller = live.caller()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(posting, caller, {"messages": said("I want to go to Rome"), "agent_id": "alex"})
        (event_id,) = worker.finish(worker.claim(), [ROME])

    assert answer.result().status_code == 200
    assert answer.result().json() == {"results": [ROME], "event_id": str(event_id)}
    assert answer.result().headers["vary"] == "Prefer"


@pytest.mark.parametrize(
    ("body", "headers", "applied"),
    [({}, ASYNC, "respond-async"), ({}, {"Prefer": "wait=0"}, "wait=0"), ({"async_mode": True}, {}, None)],
)
def test_who_asks_not_to_wait_gets_the_event_at_once(
    live: LiveApi, body: dict[str, Any], headers: dict[str, str], applied: str | None
) -> None:
    """202 with id, Location and a whole Retry-After."""
    answer = posting(live.caller(), {"messages": said("hello"), "user_id": "u", **body}, **headers)
    event_id = answer.json()["event_id"]

    assert answer.status_code == 202
    assert (answer.json()["results"], answer.json()["status"]) == ([], "PENDING")
    assert isinstance(answer.json()["message"], str)
    assert answer.headers["location"] == f"/v1/event/{event_id}/"
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers.get("preference-applied") == applied
    assert answer.elapsed.total_seconds() < 1


def test_past_the_budget_the_post_answers_with_the_event(live: LiveApi, worker: HandWorker) -> None:
    """`Prefer: wait=1` without a worker: 202 after a second; the event ends later all the same."""
    caller = live.caller()
    answer = posting(caller, {"messages": said("hello"), "user_id": "u"}, Prefer="wait=1")

    assert (answer.status_code, answer.headers["preference-applied"]) == (202, "wait=1")
    assert 0.9 < answer.elapsed.total_seconds() < 2.5
    worker.finish(worker.claim(), [ROME])
    event = caller.get(answer.headers["location"]).json()
    assert (event["status"], event["results"][0]["memory"]) == ("SUCCEEDED", ROME["memory"])


def test_the_default_budget_is_a_setting(live: LiveApi, worker: HandWorker) -> None:
    """Without a word about waiting the post waits as long as the operator says."""
    answer = posting(live.caller(), {"messages": said("hello"), "user_id": "u"})
    worker.finish(worker.claim())

    assert answer.status_code == 202
    assert 1.8 < answer.elapsed.total_seconds() < 4


def test_raw_messages_are_memories_at_once(live: LiveApi) -> None:
    """`infer: false` keeps each message byte for byte, repeats keep their id, and the answer names role and speaker."""
    caller = live.caller()
    body = {
        "messages": [{"role": "user", "content": "  Exactly\tthis é ", "name": "Ann"}, *said("ok", role="assistant")],
        "infer": False,
        "user_id": "u",
        "metadata": {"source": "test"},
    }
    first, again = posting(caller, body, **ASYNC), posting(caller, body, **ASYNC)
    results = first.json()["results"]

    assert first.status_code == 200
    assert [(item["memory"], item["event"], item["role"], item["actor_id"]) for item in results] == [
        ("  Exactly\tthis é ", "ADD", "user", "Ann"),
        ("ok", "ADD", "assistant", None),
    ]
    assert [item["id"] for item in again.json()["results"]] == [item["id"] for item in results]
    memory = caller.get(f"/v1/memories/{results[0]['id']}").json()
    assert (memory["memory"], memory["metadata"], memory["memory_type"]) == (
        "  Exactly\tthis é ", {"source": "test"}, "raw",
    )  # fmt: skip


def test_times_and_zones_reach_the_memory(live: LiveApi) -> None:
    """A source shows when it was said, in the caller's own offset."""
    caller = live.caller()
    message = {"role": "user", "content": "late", "timestamp": "2026-03-01T10:00:00+09:00"}
    answer = posting(caller, {"messages": [message], "infer": False, "run_id": "r"}, **ASYNC)
    found = caller.get(f"/v1/memories/{answer.json()['results'][0]['id']}?include=sources").json()

    assert found["sources"][0]["timestamp"] == "2026-03-01T10:00:00+09:00"
    assert found["created_at"] == "2026-03-01T01:00:00+00:00"
    assert (found["run_id"], found["session_id"]) == ("r", "r")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, "invalid_json"),
        (b"{", 400, "invalid_json"),
        (b"\xff\xfe", 400, "invalid_json"),
        (b"[]", 400, "invalid_request"),
        (b'"text"', 400, "invalid_request"),
        (b"[" * 100_000, 400, "invalid_json"),
        (b'{"messages":[{"role":"user","content":"a\\ud800b"}],"user_id":"u"}', 400, "invalid_json"),
        (b'{"messages":[{"role":"user","content":"a\\u0000b"}],"user_id":"u"}', 400, "nul_character"),
        (b'{"messages":"a","user_id":"a\\u0000b"}', 400, "nul_character"),
        (b'{"messages":"a","user_id":"u","metadata":{"a\\u0000":1}}', 400, "nul_character"),
        (b'{"messages":"a"}', 400, "missing_scope"),
        (b'{"messages":[],"user_id":"u"}', 400, "invalid_request"),
    ],
)
def test_bad_bodies_are_refused(live: LiveApi, content: bytes, status: int, code: str) -> None:
    """Always one JSON object, never a 5xx, nothing kept."""
    caller = live.caller()

    assert_problem(caller.post("/v1/memories/", content=content), status, code)
    assert caller.get("/v1/events/").json()["count"] == 0


def test_an_escaped_backslash_is_no_nul(live: LiveApi) -> None:
    """Text that speaks about the escape is text."""
    caller = live.caller()
    memory_id = raw(caller, "the escape \\u0000 means NUL", user_id="u")

    assert caller.get(f"/v1/memories/{memory_id}").json()["memory"] == "the escape \\u0000 means NUL"


def test_events_are_kept_with_their_rules(live: LiveApi) -> None:
    """What shapes the work stands with the event."""
    caller = live.caller()
    answer = posting(
        caller,
        {
            "messages": "hi",
            "app_id": "a",
            "custom_instructions": "Food only.",
            "timezone": "Asia/Tokyo",
            "immutable": True,
        },
        **ASYNC,
    )
    event = caller.get(f"/v1/event/{answer.json()['event_id']}").json()

    assert (event["status"], event["app_id"], event["message_count"], event["lane"]) == ("PENDING", "a", 1, "live")


def test_posts_at_once_to_one_user_are_all_kept(live: LiveApi, worker: HandWorker) -> None:
    """24 posts from 8 callers: 24 events, in one order."""
    caller = live.caller()

    def post(number: int) -> str:
        answer = posting(caller, {"messages": said(f"number {number}"), "user_id": "u"}, **ASYNC)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["event_id"])

    with ThreadPoolExecutor(8) as pool:
        posted = set(pool.map(post, range(24)))
    ended = worker.finish(worker.claim())

    assert {str(event_id) for event_id in ended} == posted
    assert caller.get("/v1/events/?status=SUCCEEDED").json()["count"] == 24


def test_a_bell_rings_for_the_first_post_of_an_idle_lane(live: LiveApi, redis_url: str) -> None:
    """Workers hear of new work without polling."""
    import redis

    with redis.Redis.from_url(redis_url) as broker:
        broker.flushall()
        posting(live.caller(), {"messages": "hi", "user_id": "u"}, **ASYNC)

        wait_until(lambda: broker.llen("flumes:flumes") == 1, "a bell in the queue")


def test_accepted_events_are_in_the_database_before_the_answer(live: LiveApi) -> None:
    """The id in the answer can be read back from Postgres."""
    project = live.project()
    answer = posting(live.caller(project), {"messages": "hi", "user_id": "u"}, **ASYNC)
    found, _ = live.db.run(lambda session: events.feed(session, project.id))

    assert [str(event.id) for event in found] == [answer.json()["event_id"]]
