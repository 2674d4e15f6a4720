"""Callers that wait while a tenth of the wake-ups vanish between Redis and the API: each must get its own result."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from cli.embedded.api import Api
from tests.chaos.recovery import percentile
from tests.chaos.wired import LEASE, Wired
from tests.e2e.flumes import Caller

_DROPPED = 0.1
_PATIENCE = 60  # seconds a caller asks the service to keep it


@dataclass(slots=True)
class Waited:
    """`wrong`: answers that were not exactly the caller's own fact. Seconds are those of one wait.

    `later`: told 202, and the event showed the fact; `refused`: told 503 and tried again; neither is wrong.
    """

    wrong: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    later: int = 0
    refused: int = 0
    lost_wakeups: int = 0

    @property
    def p50(self) -> float:
        return percentile(self.seconds, 0.5)

    @property
    def p99(self) -> float:
        return percentile(self.seconds, 0.99)


def run(wired: Wired, *, count: int, callers: int) -> Waited:
    """`count` waits shared by `callers`."""
    wired.api_redis.dropped = _DROPPED
    api = wired.start_api()
    for _ in range(2):
        wired.start_worker(**LEASE)
    found = Waited()
    with ThreadPoolExecutor(callers) as pool:
        parts = list(pool.map(lambda writer: _wait_often(wired, api, writer, count // callers), range(callers)))
    for part in parts:
        found.wrong += part.wrong
        found.seconds += part.seconds
        found.later += part.later
        found.refused += part.refused
    found.lost_wakeups = wired.api_redis.drops
    return found


def _wait_often(wired: Wired, api: Api, writer: int, count: int) -> Waited:
    caller, found = wired.caller(api), Waited()
    for number in range(count):
        _wait(caller, f"I own book {number} of shelf {writer}", f"u{writer}-{number // 20}", found)
    return found


def _wait(caller: Caller, fact: str, user: str, found: Waited) -> None:
    began = time.monotonic()
    while (answer := caller.add(fact, user_id=user, wait=_PATIENCE)).status_code == 503:
        found.refused += 1
        time.sleep(1)
    found.seconds.append(time.monotonic() - began)
    body = answer.json()
    if answer.status_code == 202:
        found.later += 1
        body = caller.ended(body["event_id"], timeout=300)
    if [result["memory"] for result in body.get("results", ())] != [fact]:
        found.wrong.append(f"{fact}: {answer.status_code} {body}")
