"""`flumes up` under load: each part is killed, then all at once, and nothing acknowledged is missing afterwards."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.embedded.temporary import TemporaryDataDir
from tests.stack import wait_until
from tests.up import PARTS, Up, wait_gone

CALLERS = 4


@dataclass(slots=True)
class Load:
    """Callers that post without pause; what was acknowledged, by memory text."""

    address: str
    key: str
    ids: dict[str, str] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)
    refused: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Every second post is stored as it stands, the others go through the extractor."""
        self.threads = [threading.Thread(target=self._call, args=(number,)) for number in range(CALLERS)]
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        """Until every caller has had its last answer."""
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)

    def acknowledged(self) -> int:
        """Answers so far."""
        return len(self.ids) + len(self.events)

    def _call(self, number: int) -> None:
        headers = {"Authorization": f"Bearer {self.key}"}
        with httpx.Client(base_url=self.address, headers=headers, trust_env=False, timeout=20) as client:
            for turn in count():
                if self.stopping.is_set():
                    return
                self._post(client, number, turn)

    def _post(self, client: httpx.Client, number: int, turn: int) -> None:
        text = f"My favorite number is {turn} since {number}"
        body = {"messages": [{"role": "user", "content": text}], "user_id": f"caller-{number}-{turn % 7}"}
        try:
            answer = client.post("/v1/memories/", json={**body, "infer": turn % 2 == 0})
        except httpx.TransportError:
            self.refused += 1
            return
        if answer.status_code == 200:
            self.ids.update({result["id"]: result["memory"] for result in answer.json()["results"]})
        elif answer.status_code == 202:
            self.events.append(answer.json()["event_id"])
        else:
            self.refused += 1


@pytest.fixture
def up() -> Iterator[Up]:
    """A service of its own."""
    with TemporaryDataDir("load") as home:
        running = Up(Path(home.layout.data_dir / "data"), FLUMES_WAIT_BUDGET="2", FLUMES_LEASE="3")
        try:
            running.start()
            yield running
        finally:
            running.close()


@pytest.mark.timeout(240)
def test_nothing_acknowledged_is_lost(up: Up) -> None:
    """Kill -9 each part in turn, then everything; after the restart every acknowledged id is served."""
    load = Load(up.address, up.key)
    load.start()
    try:
        for part in PARTS:
            up.kill(part)
            so_far = load.acknowledged()
            wait_until(lambda n=so_far: load.acknowledged() > n + 20, f"callers are served after {part}", 60)  # type: ignore[misc]
        family = up.kill_everything()
    finally:
        load.stop()
    wait_gone(family)
    up.start()
    assert load.ids
    for event_id in load.events:
        load.ids.update({result["id"]: result["memory"] for result in finished(up, event_id)["results"]})
    served = {memory_id for memory_id in load.ids if up.call("GET", f"/v1/memories/{memory_id}").status_code == 200}
    assert load.ids.keys() - served == set()


def finished(up: Up, event_id: str) -> dict[str, Any]:
    """The event once it has ended."""

    def ended() -> dict[str, Any] | None:
        event: dict[str, Any] = up.call("GET", f"/v1/event/{event_id}/", params={"wait": 5}).json()
        return event if event["status"] in ("SUCCEEDED", "FAILED") else None

    event = wait_until(ended, f"event {event_id} ends", 60)
    assert event is not None
    assert event["status"] == "SUCCEEDED", event
    return event
