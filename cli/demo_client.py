"""The demo's caller: plain HTTP, as any application would speak it."""

from __future__ import annotations

from typing import Any

import httpx2

from cli.embedded.errors import EmbeddedError

_WAIT = 20  # seconds one poll of an event may take


class Client:
    """Calls the API with one key. Every unexpected answer raises EmbeddedError with the answer in it."""

    def __init__(self, address: str, key: str) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        self._http = httpx2.Client(base_url=address, headers=headers, timeout=60, trust_env=False)

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def add(self, body: dict[str, Any]) -> dict[str, Any]:
        """POST and wait for the memories; where the wait was not long enough, poll."""
        answer = self._http.post("/v1/memories/", json=body)
        return self.event(_json(answer)["event_id"]) if answer.status_code == 202 else _json(answer)

    def add_async(self, body: dict[str, Any]) -> dict[str, Any]:
        """POST and get the event's id."""
        return _json(self._http.post("/v1/memories/", json=body, headers={"Prefer": "respond-async"}))

    def event(self, event_id: str) -> dict[str, Any]:
        """Poll until the event has ended; raises EmbeddedError when it failed."""
        while True:
            event = _json(self._http.get(f"/v1/event/{event_id}/", params={"wait": _WAIT}))
            if event["status"] == "FAILED":
                raise EmbeddedError(f"event {event_id} failed: {event.get('error')}")
            if event["status"] == "SUCCEEDED":
                return event

    def memory(self, memory_id: str, include: str = "") -> dict[str, Any]:
        """One memory; `include` = sources,history."""
        return _json(self._http.get(f"/v1/memories/{memory_id}", params={"include": include} if include else {}))

    def memories(self, **query: str | int) -> list[dict[str, Any]]:
        """The newest first, or the best first for a `query`."""
        found: list[dict[str, Any]] = _json(self._http.get("/v1/memories/", params=query))["results"]
        return found


def _json(answer: httpx2.Response) -> dict[str, Any]:
    if answer.status_code >= 400:
        raise EmbeddedError(
            f"{answer.request.method} {answer.request.url.path} answered {answer.status_code}: {answer.text}"
        )
    body: dict[str, Any] = answer.json()
    return body
