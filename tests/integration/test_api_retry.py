"""Failed events are kept, listed, found by what went wrong, and worked on again on request."""

from __future__ import annotations

from uuid import uuid4

import httpx

from tests.integration.api_support import LiveApi, assert_problem, fields, raw, said
from tests.integration.hand_worker import HandWorker

RESULT = {"id": "4a43c2f0-0000-4000-8000-000000000001", "memory": "x", "event": "ADD"}
AGAIN = {"id": "4a43c2f0-0000-4000-8000-000000000002", "memory": "y", "event": "ADD"}


def failed_event(caller: httpx.Client, worker: HandWorker) -> str:
    """An event of two messages, the first of which failed; the other one has a result."""
    body = {"messages": said("poison", "fine"), "user_id": "u", "async_mode": True}
    event_id: str = caller.post("/v1/memories/", json=body).json()["event_id"]
    worker.finish(worker.claim(), [RESULT], failed=[0], error_code="llm_refused", error_detail="why")
    return event_id


def test_a_retry_works_on_what_failed_and_only_on_that(live: LiveApi, worker: HandWorker) -> None:
    """One message comes back; the results of both attempts are the event's."""
    caller = live.caller()
    event_id = failed_event(caller, worker)
    answer = caller.post(f"/v1/event/{event_id}/retry")
    waiting = caller.get(f"/v1/event/{event_id}/").json()
    claim = worker.claim()
    worker.finish(claim, [AGAIN])
    polled = caller.get(f"/v1/event/{event_id}/").json()

    assert (answer.status_code, answer.json()["messages"], answer.json()["status"]) == (202, 1, "PENDING")
    assert answer.headers["location"] == f"/v1/event/{event_id}/"
    assert (waiting["status"], waiting["error"], waiting["failed"]) == ("PENDING", None, [])
    assert claim.pending == 1
    assert (polled["status"], polled["failed"], polled["code"]) == ("SUCCEEDED", [], None)
    assert [item["id"] for item in polled["results"]] == [RESULT["id"], AGAIN["id"]]


def test_a_second_retry_changes_nothing(live: LiveApi, worker: HandWorker) -> None:
    """While it is open the answer is the same; nothing is queued twice."""
    caller = live.caller()
    event_id = failed_event(caller, worker)
    first, second = (caller.post(f"/v1/event/{event_id}/retry/") for _ in range(2))
    claim = worker.claim()
    worker.finish(claim)

    assert (first.status_code, second.status_code, second.json()["messages"]) == (202, 202, 0)
    assert claim.pending == 1


def test_a_retry_that_fails_again_is_failed_again(live: LiveApi, worker: HandWorker) -> None:
    """The event ends as before and can be tried once more."""
    caller = live.caller()
    event_id = failed_event(caller, worker)
    caller.post(f"/v1/event/{event_id}/retry")
    worker.finish(worker.claim(), failed=[0], error_code="llm_refused", error_detail="why")
    polled = caller.get(f"/v1/event/{event_id}/").json()

    assert (polled["status"], polled["code"], polled["failed"]) == ("FAILED", "partial", [0])
    assert caller.post(f"/v1/event/{event_id}/retry").json()["messages"] == 1
    worker.finish(worker.claim())


def test_only_failed_events_of_ones_own_are_retried(live: LiveApi, worker: HandWorker) -> None:
    """What succeeded, was erased, is unknown or somebody else's; and the right to ingest is needed."""
    project = live.project()
    caller = live.caller(project)
    event_id = failed_event(caller, worker)
    raw(caller, "kept", user_id="u")
    kept = caller.get("/v1/events/?event_type=add").json()["results"][0]["id"]

    assert_problem(caller.post(f"/v1/event/{kept}/retry"), 409, "event_not_failed", ["id"])
    assert_problem(caller.post(f"/v1/event/{uuid4()}/retry"), 404, "event_not_found", ["id"])
    assert_problem(live.caller().post(f"/v1/event/{event_id}/retry"), 404, "event_not_found", ["id"])
    assert_problem(live.caller(project, user_id="v").post(f"/v1/event/{event_id}/retry"), 404, "event_not_found")
    assert_problem(live.caller(project, rights=["read"]).post(f"/v1/event/{event_id}/retry"), 403, "missing_right")
    caller.delete("/v1/memories/?user_id=u")
    assert_problem(caller.post(f"/v1/event/{event_id}/retry"), 409, "event_not_failed", ["id"])


def test_the_feed_is_filtered_by_status_type_time_and_ids(live: LiveApi, worker: HandWorker) -> None:
    """Each filter alone and together; a wrong value is refused by name."""
    caller = live.caller()
    event_id = failed_event(caller, worker)
    raw(caller, "kept", user_id="v")
    caller.delete("/v1/memories/?user_id=nobody")

    def found(query: str) -> list[str]:
        answer = caller.get(f"/v1/events/?{query}")
        assert answer.status_code == 200, answer.text
        return [f"{item['event_type']} {item['status']}" for item in answer.json()["results"]]

    assert found("status=failed") == ["ADD FAILED"]
    assert caller.get("/v1/events/?status=FAILED").json()["results"][0]["id"] == event_id
    assert found("event_type=DELETE") == ["DELETE SUCCEEDED"]
    assert found("event_type=ADD&user_id=v") == ["ADD SUCCEEDED"]
    assert found("end_date=2020-01-01") == []
    assert len(found("start_date=2020-01-01&end_date=2999-12-31T23:59:59Z")) == 3
    assert found("status=FAILED&start_date=2999-01-01") == []
    for name, value in (("status", "DONE"), ("event_type", "x"), ("start_date", "soon"), ("end_date", "x")):
        assert fields(caller.get(f"/v1/events/?{name}={value}")) == [name]
