"""Asking for the past and undoing an event, over HTTP."""

from __future__ import annotations

from uuid import uuid4

import httpx

from tests.integration.api_support import LiveApi, assert_problem
from tests.integration.hand_worker import HandWorker

RAW = {"user_id": "past", "infer": False}


def keep(caller: httpx.Client, text: str, at: str) -> str:
    """A message stored as it is; its event."""
    body = RAW | {"messages": [{"role": "user", "content": text}], "timestamp": at}
    event_id: str = caller.post("/v1/memories/", json=body).json()["event_id"]
    return event_id


def listed(caller: httpx.Client, **query: str) -> list[str]:
    answer = caller.get("/v1/memories/", params={"user_id": "past", **query})
    assert answer.status_code == 200, answer.text
    return [item["memory"] for item in answer.json()["results"]]


def test_as_of_and_revert(live: LiveApi, worker: HandWorker) -> None:
    """A day counts to its end; what is undone is gone from the present and the past; the undoing is an event."""
    caller = live.caller()
    first = keep(caller, "as said in May", "2025-05-03T10:00:00Z")
    keep(caller, "as said in June", "2025-06-03T10:00:00Z")
    assert listed(caller, as_of="2025-05-02") == []
    assert listed(caller, as_of="2025-05-03") == ["as said in May"]
    assert listed(caller, as_of="2025-05-03T09:59:59Z") == []
    assert listed(caller, as_of="2026-01-01", limit="1") == ["as said in June"]
    assert listed(caller) == ["as said in June", "as said in May"]
    memory_id = caller.get("/v1/memories/", params={"user_id": "past"}).json()["results"][1]["id"]
    then = caller.get(f"/v1/memories/{memory_id}", params={"as_of": "2025-05-03T10:00:00Z"}).json()
    assert (then["memory"], then["state"], then["valid_from"][:10]) == ("as said in May", "current", "2025-05-03")
    early = caller.get(f"/v1/memories/{memory_id}/", params={"as_of": "2025-05-01"})
    assert_problem(early, 404, "memory_not_found")

    answer = caller.post(f"/v1/event/{first}/revert/")

    body = answer.json()
    assert (answer.status_code, body["reverted"], body["kept"], body["evidence_removed"]) == (200, first, [], 0)
    assert body["results"] == [{"id": memory_id, "memory": "as said in May", "event": "DELETE"}]
    assert listed(caller) == ["as said in June"]
    assert listed(caller, as_of="2025-05-03") == []
    event = caller.get(f"/v1/event/{body['event_id']}").json()
    assert (event["event_type"], event["status"], event["results"][0]["id"]) == ("REVERT", "SUCCEEDED", memory_id)
    again = caller.post(f"/v1/event/{first}/revert").json()
    assert (again["results"], again["kept"]) == (
        [], [{"id": memory_id, "reason": "reverted", "event_id": body["event_id"]}],
    )  # fmt: skip


def test_what_cannot_be_asked_or_undone_is_refused(live: LiveApi, worker: HandWorker) -> None:
    """Searches and raw messages have no past here; unknown and open events are named as such."""
    caller = live.caller()
    for query in ({"query": "x"}, {"include_raw": "true"}, {"as_of": "soon"}):
        answer = caller.get("/v1/memories/", params={"user_id": "past", "as_of": "2025-05-03"} | query)
        assert answer.status_code == 400, query
    assert_problem(caller.post(f"/v1/event/{uuid4()}/revert"), 404, "event_not_found")
    pending = RAW | {"infer": True, "async_mode": True, "messages": [{"role": "user", "content": "I live in Rome"}]}
    event_id = caller.post("/v1/memories/", json=pending).json()["event_id"]
    assert_problem(caller.post(f"/v1/event/{event_id}/revert"), 409, "event_not_ended")
    worker.finish(worker.claim())
