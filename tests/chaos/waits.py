"""Callers that wait while a tenth of the wake-ups vanish between Redis and the API: each must get its own result."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from cli.embedded.api import Api
from tests.chaos.recovery import percentile
from tests.chaos.wired import LEASE, Wired

_DROPPED = 0.1


@dataclass(frozen=True, slots=True)
class Waited:
    """`wrong`: answers that were not 200 with exactly the caller's own fact. Seconds are those of one wait."""

    waits: int
    wrong: list[str]
    lost_wakeups: int
    p50: float
    p99: float


def run(wired: Wired, *, count: int, callers: int) -> Waited:
    """`count` waits shared by `callers`."""
    wired.api_redis.dropped = _DROPPED
    api = wired.start_api()
    for _ in range(2):
        wired.start_worker(**LEASE)
    with ThreadPoolExecutor(callers) as pool:
        parts = list(pool.map(lambda writer: _wait(wired, api, writer, count // callers), range(callers)))
    seconds = [value for _, times in parts for value in times]
    return Waited(
        len(seconds), [line for wrong, _ in parts for line in wrong], wired.api_redis.drops,
        percentile(seconds, 0.5), percentile(seconds, 0.99),
    )  # fmt: skip


def _wait(wired: Wired, api: Api, writer: int, count: int) -> tuple[list[str], list[float]]:
    caller = wired.caller(api)
    wrong, seconds = [], []
    for number in range(count):
        fact = f"I own book {number} of shelf {writer}"
        began = time.monotonic()
        answer = caller.add(fact, user_id=f"u{writer}-{number // 20}", wait=60)
        seconds.append(time.monotonic() - began)
        told = [result["memory"] for result in answer.json()["results"]]
        if (answer.status_code, told) != (200, [fact]):
            wrong.append(f"{fact}: {answer.status_code} {told}")
    return wrong, seconds
