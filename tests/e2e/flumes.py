"""A caller of a running service, as a test sees it: keys made in the database, everything else over HTTP."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import httpx

from shared.db import keys, projects
from shared.db.engine import Database
from tests.stack import PEPPER, wait_until


def make_key(database_url: str, project: str = "default", **traits: Any) -> str:
    """An API key of a project (made when it is not there)."""
    database = Database(database_url, pool_size=2, name="flumes-test")
    try:
        with database.transaction() as session:
            found = projects.ensure(session, project)
            return keys.create(session, found.id, PEPPER, **traits)
    finally:
        database.close()


class Caller:
    """One caller with one key. Every method fails on an answer that is not the expected status."""

    def __init__(self, url: str, key: str, *, timeout: float = 90) -> None:
        self.http = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=timeout, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()

    def add(self, text: str | list[dict[str, Any]], *, wait: float | None = None, **body: Any) -> httpx.Response:
        """POST one message (or several). `wait`: `Prefer: wait=N`; 0 = `respond-async`."""
        messages = [{"role": "user", "content": text}] if isinstance(text, str) else text
        headers = {} if wait is None else {"Prefer": f"wait={wait:g}" if wait else "respond-async"}
        return self.http.post("/v1/memories/", json={"messages": messages, **body}, headers=headers)

    def post(self, text: str, **body: Any) -> str:
        """Enqueue without waiting; the event's id."""
        answer = self.add(text, wait=0, **body)
        assert answer.status_code == 202, answer.text
        event_id: str = answer.json()["event_id"]
        return event_id

    def event(self, event_id: str) -> dict[str, Any]:
        answer = self.http.get(f"/v1/event/{event_id}/")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ended(self, event_id: str, timeout: float = 60) -> dict[str, Any]:
        """The event once it SUCCEEDED or FAILED."""

        def look() -> dict[str, Any] | None:
            found = self.event(event_id)
            return found if found["status"] in ("SUCCEEDED", "FAILED") else None

        found = wait_until(look, f"event {event_id} to end", timeout)
        assert found is not None
        return found

    def memories(self, **query: Any) -> list[dict[str, Any]]:
        answer = self.http.get("/v1/memories/", params={"limit": 200, **query})
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json()["results"]
        return results

    def texts(self, **query: Any) -> list[str]:
        return sorted(item["memory"] for item in self.memories(**query))

    def get(self, memory_id: str, **query: Any) -> dict[str, Any]:
        answer = self.http.get(f"/v1/memories/{memory_id}", params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found
