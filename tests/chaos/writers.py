"""Callers under attack: they post, change and delete, try again with the same key, and write down what was promised."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx

from tests.chaos.ledger import Ledger, Promise

_USERS = 4  # of one writer
_PATIENCE = 25.0  # seconds for one request


class Pace:
    """So many adds a second over all writers; nobody catches up on what was missed while the service was away."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second
        self._next = time.monotonic()
        self._lock = threading.Lock()

    def turn(self, stopping: threading.Event) -> None:
        """Wait for one's turn, or until told to stop."""
        with self._lock:
            at = max(self._next, time.monotonic())
            self._next = at + self._gap
        stopping.wait(at - time.monotonic())


class Writer(threading.Thread):
    """One caller with users of its own: facts are numbered, so that each must be served exactly once."""

    def __init__(self, number: int, urls: Sequence[str], key: str, ledger: Ledger, pace: Pace, seed: int) -> None:
        super().__init__(name=f"writer-{number}", daemon=True)
        self.number = number
        self.stopping = threading.Event()
        self.statuses: Counter[str] = Counter()
        self.unanswered = 0
        self._urls = list(urls)
        self._headers = {"Authorization": f"Bearer {key}"}
        self._ledger = ledger
        self._pace = pace
        self._rng = random.Random(f"{seed}/{number}")
        self._said = 0
        self._clients = {
            url: httpx.Client(base_url=url, headers=self._headers, timeout=_PATIENCE, trust_env=False) for url in urls
        }

    def run(self) -> None:
        while not self.stopping.is_set():
            self._pace.turn(self.stopping)
            if self.stopping.is_set():
                break
            self._post()
        for client in self._clients.values():
            client.close()

    def _post(self) -> None:
        raw = self._rng.random() < 0.15
        scope, facts = self._scope(), self._facts(1 if raw else self._rng.choice((1, 1, 2, 3)))
        body: dict[str, Any] = {"messages": self._messages(facts), **scope}
        if raw:
            body["infer"] = False
        wait = self._rng.choice(("respond-async", "wait=2", "wait=6"))
        key = f"{self.number}-{uuid.UUID(int=self._rng.getrandbits(128))}"
        headers = {"Idempotency-Key": key, "Prefer": wait}
        answer = self._until_answered("POST", "/v1/memories/", json=body, headers=headers)
        found = answer.json()
        self._ledger.write(
            Promise(
                "raw" if raw else "add", scope, facts, key=key, event_id=found.get("event_id") or "",
                status=answer.status_code, results=found.get("results") or [],
            )
        )  # fmt: skip
        if answer.status_code == 200 and self._rng.random() < 0.1:
            self._edit(scope, self._rng.choice(found["results"]), raw=raw)

    def _scope(self) -> dict[str, str]:
        user = f"w{self.number}-u{self._rng.randrange(_USERS)}"
        return {"user_id": user} if self._rng.random() < 0.8 else {"user_id": user, "agent_id": "alex"}

    def _facts(self, count: int) -> list[str]:
        first = self._said
        self._said += count
        return [f"I own book {number} of shelf {self.number}" for number in range(first, first + count)]

    def _messages(self, facts: Sequence[str]) -> list[dict[str, str]]:
        """All in one message, or one message each."""
        if self._rng.random() < 0.5:
            return [{"role": "user", "content": fact} for fact in facts]
        return [{"role": "user", "content": ". ".join(facts)}]

    def _edit(self, scope: dict[str, str], result: dict[str, Any], *, raw: bool) -> None:
        """Change a memory, or delete it. Trying again is safe: the same text again changes nothing."""
        memory_id, before = result["id"], result["memory"]
        path = f"/v1/memories/{memory_id}"
        if self._rng.random() < 0.5:
            self._until_answered("DELETE", path, gone=404)
            self._ledger.write(Promise("delete", scope, memory_id=memory_id, before=before))
            return
        self._said += 1
        text = f"I gave away book {self._said} of shelf {self.number}"
        self._until_answered("PATCH", path, json={"memory": text})
        kind = "patch-raw" if raw else "patch"
        self._ledger.write(Promise(kind, scope, [text], memory_id=memory_id, before=before))

    def _until_answered(self, method: str, path: str, gone: int = 0, **options: Any) -> httpx.Response:
        """The first answer that is a promise or an end. A lost connection, a refusal and 503 are neither: try again."""
        tries = 0
        while True:
            tries += 1
            answer = self._try(method, path, **options)
            if answer is None:
                self.unanswered += 1
            elif self._is_final(method, answer) or (gone and tries > 1 and answer.status_code == gone):
                return answer
            time.sleep(self._rng.uniform(0.1, 0.4))

    def _is_final(self, method: str, answer: httpx.Response) -> bool:
        """Raises RuntimeError on an answer nobody may get here."""
        self.statuses[f"{method} {answer.status_code}"] += 1
        if answer.status_code in (200, 202):
            return True
        if answer.json().get("event_id"):
            return True  # accepted before, and still at work or failed: the event tells
        if answer.status_code < 500 and answer.status_code != 429:
            raise RuntimeError(f"{method} was answered {answer.status_code}: {answer.text}")
        return False

    def _try(self, method: str, path: str, **options: Any) -> httpx.Response | None:
        client = self._clients[self._rng.choice(self._urls)]
        try:
            return client.request(method, path, **options)
        except httpx.TransportError:
            return None
