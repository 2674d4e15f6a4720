"""Waiting callers: every way an event can end, lost wake-ups, snoozes, long polls, a process that is told to stop."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.integration.api_support import LiveApi, assert_problem, raw, said
from tests.integration.hand_worker import HandWorker
from tests.stack import Stack, wait_until

SETTINGS = {"wait_budget": 10}
RESULT = {"id": "4a43c2f0-0000-4000-8000-000000000001", "memory": "x", "event": "ADD"}


def start(pool: ThreadPoolExecutor, caller: httpx.Client, **headers: str) -> Future[httpx.Response]:
    body = {"messages": said("hello", "there"), "user_id": "u"}
    return pool.submit(caller.post, "/v1/memories/", json=body, headers=headers)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("llm_invalid_output", 502), ("llm_ungrounded", 502), ("provider_unavailable", 502), ("llm_refused", 422),
        ("content_filtered", 422), ("crashed", 500), ("internal", 500), ("expired", 503),
    ],
)  # fmt: skip
def test_failed_events_answer_with_their_reason(live: LiveApi, worker: HandWorker, code: str, status: int) -> None:
    """The waiter learns code, event and whether trying again makes sense; never an empty success."""
    caller = live.caller()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(caller.post, "/v1/memories/", json={"messages": "hello", "user_id": "u"})
        (event_id,) = worker.finish(worker.claim(), failed=[0], error_code=code, error_detail="the provider's words")

    assert_problem(answer.result(), status, code)
    assert answer.result().json()["event_id"] == str(event_id)
    assert isinstance(answer.result().json()["retryable"], bool)
    assert "the provider's words" not in answer.result().text
    polled = caller.get(f"/v1/event/{event_id}/").json()
    assert (polled["status"], polled["code"]) == ("FAILED", code)
    assert isinstance(polled["error"], str)


def test_a_partly_failed_event_answers_with_what_it_has(live: LiveApi, worker: HandWorker) -> None:
    """200 with results and the indexes of the messages that failed."""
    with ThreadPoolExecutor(1) as pool:
        answer = start(pool, live.caller())
        worker.finish(worker.claim(), [RESULT], failed=[0], error_code="llm_refused")

    assert answer.result().status_code == 200
    assert (answer.result().json()["results"], answer.result().json()["failed"]) == ([RESULT], [0])


def test_a_lost_wake_up_costs_a_second_not_an_answer(live: LiveApi) -> None:
    """No wake-up is sent at all; the process looks for itself."""
    with HandWorker(live.service.database_url) as silent, ThreadPoolExecutor(16) as pool:
        callers = [live.caller() for _ in range(16)]
        answers = [start(pool, caller) for caller in callers]
        for _ in callers:
            silent.finish(silent.claim(), [RESULT])
        ended = time.monotonic()

        assert [answer.result().status_code for answer in answers] == [200] * 16
        assert time.monotonic() - ended < 5


def test_snoozed_callers_are_not_kept(live: LiveApi, worker: HandWorker) -> None:
    """202 at once with the seconds to stay away; so is whoever posts while the lane is snoozed."""
    caller = live.caller()
    with ThreadPoolExecutor(1) as pool:
        answer = start(pool, caller)
        worker.snooze(worker.claim(), 40)
    late = start(ThreadPoolExecutor(1), caller).result()

    assert (answer.result().status_code, answer.result().headers["retry-after"]) == (202, "40")
    assert (late.status_code, late.elapsed.total_seconds() < 2) == (202, True)
    assert 30 <= int(late.headers["retry-after"]) <= 40


def test_snoozes_are_noticed_without_wake_ups(live: LiveApi) -> None:
    """The look at Postgres tells of snoozes too."""
    with HandWorker(live.service.database_url) as silent, ThreadPoolExecutor(1) as pool:
        answer = start(pool, live.caller())
        silent.snooze(silent.claim(), 40)

        assert answer.result().status_code == 202
        assert answer.result().elapsed.total_seconds() < 5


@pytest.mark.parametrize(("query", "headers"), [("?wait=20", {}), ("", {"Prefer": "wait=20"})])
def test_events_can_be_waited_for(live: LiveApi, worker: HandWorker, query: str, headers: dict[str, str]) -> None:
    """A long poll answers when the event ends."""
    caller = live.caller()
    event_id = start(ThreadPoolExecutor(1), caller, Prefer="respond-async").result().json()["event_id"]
    before = caller.get(f"/v1/event/{event_id}/")
    with ThreadPoolExecutor(1) as pool:
        polled = pool.submit(caller.get, f"/v1/event/{event_id}/{query}", headers=headers)
        worker.finish(worker.claim(), [RESULT])

    assert (before.json()["status"], before.json()["results"]) == ("PENDING", [])
    assert int(before.headers["retry-after"]) >= 1
    answer = polled.result()
    assert (answer.status_code, answer.json()["status"], answer.json()["message_count"]) == (200, "SUCCEEDED", 2)
    assert answer.headers.get("preference-applied") == ("wait=20" if headers else None)
    assert answer.elapsed.total_seconds() < 10


def test_events_look_as_pollers_expect(live: LiveApi, worker: HandWorker) -> None:
    """Both shapes of a result, latency in milliseconds, a null error."""
    caller = live.caller()
    event_id = start(ThreadPoolExecutor(1), caller, Prefer="respond-async").result().json()["event_id"]
    worker.finish(worker.claim(), [RESULT], rejections={"quote": 1}, usage={"calls": 1})
    event = caller.get(f"/v1/event/{event_id}").json()

    assert event["results"] == [{**RESULT, "data": {"memory": "x"}, "user_id": "u"}]
    assert (event["id"], event["event_type"], event["error"], event["graph_status"]) == (event_id, "ADD", None, None)
    assert (event["rejections"], event["usage"], event["failed"], event["erased"]) == (
        {"quote": 1},
        {"calls": 1},
        [],
        False,
    )
    assert event["latency"] > 0
    assert event["completed_at"] > event["created_at"]


def test_a_wait_that_ends_in_vain_shows_the_event(live: LiveApi) -> None:
    """After N seconds the poller gets the event as it stands."""
    caller = live.caller()
    event_id = start(ThreadPoolExecutor(1), caller, Prefer="respond-async").result().json()["event_id"]
    answer = caller.get(f"/v1/event/{event_id}/?wait=1")

    assert (answer.json()["status"], 0.9 < answer.elapsed.total_seconds() < 3) == ("PENDING", True)


def test_delete_all_answers_those_who_wait(live: LiveApi, worker: HandWorker) -> None:
    """Their event ends without results, and says why."""
    caller = live.caller()
    with ThreadPoolExecutor(1) as pool:
        answer = start(pool, caller)
        wait_until(lambda: caller.get("/v1/events/").json()["count"] == 1, "the post to be accepted")
        caller.delete("/v1/memories/?user_id=u")

    assert answer.result().status_code == 200
    assert (answer.result().json()["results"], answer.result().json()["erased"]) == ([], True)


def test_many_waiters_hold_no_database_connections(live: LiveApi, worker: HandWorker) -> None:
    """More callers wait than the pool has connections, and reads go on."""
    callers = [live.caller() for _ in range(24)]
    with ThreadPoolExecutor(24) as pool:
        answers = [start(pool, caller) for caller in callers]
        assert all(caller.get("/v1/memories/?user_id=u").status_code == 200 for caller in callers)
        for _ in callers:
            worker.finish(worker.claim(), [RESULT])

        assert {answer.result().status_code for answer in answers} == {200}


def test_told_to_stop_the_process_answers_every_waiter(stack: Stack) -> None:
    """SIGTERM: 202 for all who wait, at once; then the process ends in order."""
    own = LiveApi(stack, wait_budget=30)
    try:
        callers = [own.caller() for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            answers = [start(pool, caller) for caller in callers]
            wait_until(lambda: _waiting(own) == 8, "eight requests to wait")
            child = own.process.child
            assert child is not None
            os.kill(child.pid, signal.SIGTERM)
            told = time.monotonic()
            codes = [answer.result().status_code for answer in answers]

        assert codes == [202] * 8
        assert time.monotonic() - told < 5
        assert {bool(answer.result().json()["event_id"]) for answer in answers} == {True}
        wait_until(lambda: child.exit_code() is not None, "the process to end")
    finally:
        own.close()


def _waiting(live: LiveApi) -> int:
    text = live.client().get("/metrics").text
    return next(int(float(line.split()[1])) for line in text.splitlines() if line.startswith("flumes_waiters "))


def test_callers_who_leave_do_no_harm(live: LiveApi, worker: HandWorker) -> None:
    """A client that gives up loses nothing: its event goes on."""
    caller = live.caller()
    with pytest.raises(httpx.ReadTimeout):
        caller.post("/v1/memories/", json={"messages": "hello", "user_id": "u"}, timeout=0.5)
    worker.finish(worker.claim(), [RESULT])
    feed: dict[str, Any] = caller.get("/v1/events/").json()

    assert [event["status"] for event in feed["results"]] == ["SUCCEEDED"]
    assert raw(caller, "still answering", user_id="u")
