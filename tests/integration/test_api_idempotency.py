"""The same request twice is one write, however often and however much at once it is sent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.integration.api_support import LiveApi, assert_problem, said
from tests.integration.hand_worker import HandWorker
from tests.stack import wait_until

RESULT = {"id": "4a43c2f0-0000-4000-8000-000000000001", "memory": "x", "event": "ADD"}
BODY = {"messages": said("hello"), "user_id": "u"}


def post(caller: httpx.Client, key: str, body: dict[str, Any] = BODY, prefer: str = "respond-async") -> httpx.Response:
    return caller.post("/v1/memories/", json=body, headers={"Idempotency-Key": key, "Prefer": prefer})


def test_posts_at_once_with_few_keys_make_as_many_events(live: LiveApi) -> None:
    """120 parallel posts of 12 keys: 12 events, every answer names the right one."""
    caller = live.caller()

    def one(number: int) -> tuple[int, httpx.Response]:
        return number % 12, post(caller, f"key-{number % 12}", {**BODY, "messages": said(f"number {number % 12}")})

    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(one, range(120)))
    events: dict[int, set[str]] = {}
    for number, answer in answers:
        events.setdefault(number, set()).add(answer.json()["event_id"])

    assert {answer.status_code for _, answer in answers} == {202}
    assert {len(found) for found in events.values()} == {1}
    assert caller.get("/v1/events/").json()["count"] == 12


def test_a_replay_shows_what_the_event_has_become(live: LiveApi, worker: HandWorker) -> None:
    """Pending: the same id. Done: the results. Failed: its reason."""
    caller = live.caller()
    first = post(caller, "k")
    again = post(caller, "k")
    worker.finish(worker.claim(), [RESULT])
    done = post(caller, "k")
    waited = post(caller, "k", {**BODY, "async_mode": False}, prefer="wait=5")

    assert [first.status_code, again.status_code, done.status_code, waited.status_code] == [202, 202, 200, 200]
    assert first.json()["event_id"] == again.json()["event_id"] == done.json()["event_id"]
    assert done.json() == waited.json() == {"results": [RESULT], "event_id": first.json()["event_id"]}
    post(caller, "other")
    worker.finish(worker.claim(), failed=[0], error_code="llm_refused")
    assert_problem(post(caller, "other"), 422, "llm_refused")


def test_a_replay_that_waits_in_vain_is_a_conflict(live: LiveApi) -> None:
    """409 with the event, its address and when to come back."""
    caller = live.caller()
    first = post(caller, "k")
    answer = post(caller, "k", prefer="wait=1")

    assert_problem(answer, 409, "event_in_progress")
    assert answer.json()["event_id"] == first.json()["event_id"]
    assert answer.headers["location"] == first.headers["location"]
    assert int(answer.headers["retry-after"]) >= 1


def test_a_replay_waits_for_the_first_request(live: LiveApi, worker: HandWorker) -> None:
    """Both callers get the one result."""
    caller = live.caller()
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(post, caller, "k", BODY, "wait=20") for _ in range(2)]
        wait_until(lambda: caller.get("/v1/events/").json()["count"] == 1, "the post to be accepted")
        worker.finish(worker.claim(), [RESULT])

        assert [answer.result().json()["results"] for answer in answers] == [[RESULT], [RESULT]]


def test_another_body_is_refused(live: LiveApi) -> None:
    """422 naming the header; nothing new is kept."""
    caller = live.caller()
    first = post(caller, "k")
    answer = post(caller, "k", {**BODY, "messages": said("other")})

    assert_problem(answer, 422, "idempotency_key_reused", ["Idempotency-Key"])
    assert answer.json()["event_id"] == first.json()["event_id"]
    assert caller.get("/v1/events/").json()["count"] == 1


def test_keys_belong_to_their_project(live: LiveApi) -> None:
    """Two tenants may use one key."""
    answers = [post(live.caller(), "k") for _ in range(2)]

    assert len({answer.json()["event_id"] for answer in answers}) == 2


def test_raw_messages_replay_their_ids(live: LiveApi) -> None:
    """A retry of `infer: false` shows the first ids."""
    caller = live.caller()
    answers = [post(caller, "k", {**BODY, "infer": False}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()


def test_without_a_key_nothing_is_the_same(live: LiveApi) -> None:
    """Two equal posts are two events; an empty header is none."""
    caller = live.caller()
    for headers in ({}, {}, {"Idempotency-Key": ""}):
        caller.post("/v1/memories/", json=BODY, headers={**headers, "Prefer": "respond-async"})

    assert caller.get("/v1/events/").json()["count"] == 3
