"""Redis black-holed for minutes: connections of API and worker stay open and swallow everything."""

from __future__ import annotations

import time
from dataclasses import dataclass

import psycopg

from tests.chaos.recovery import percentile
from tests.chaos.wired import LEASE, Wired
from tests.e2e.flumes import Caller
from tests.stack import wait_until

_GAP = 0.25  # seconds between two posts
_USERS = 11
_WARM = 40  # posts before, for comparison
_EVERY = 20  # posts between two callers that wait for their result


@dataclass(frozen=True, slots=True)
class Holed:
    """What the spell cost. Seconds: of posts that do not wait, before and in it. `slow`: posts over a second."""

    seconds: float
    posted: int
    before_p50: float
    p50: float
    p99: float
    worst: float
    slow: int
    waits: int
    wrong: list[str]
    not_succeeded: list[str]
    stuck: int
    back: float  # seconds until a bell was heard again


def run(wired: Wired, seconds: float) -> Holed:
    """Post through the whole spell; then everything must end, and bells must ring again."""
    caller = wired.caller(wired.start_api())
    wired.start_worker(**LEASE)
    before, ended_before = _post_for(caller, _GAP * _WARM, "before")
    wired.silence(wired.api_redis, wired.worker_redis)
    waits: list[str] = []
    times, events = _post_for(caller, seconds, "in", waits)
    wired.speak(wired.api_redis, wired.worker_redis)
    spoke = time.monotonic()
    wait_until(lambda: caller.http.get("/readyz").json()["checks"]["redis"]["status"] == "ok", "Redis is seen", 60)
    back = time.monotonic() - spoke
    ended = [(event, caller.ended(event, timeout=60)["status"]) for event in (*ended_before, *events)]
    return Holed(
        seconds, len(events), percentile(before, 0.5), percentile(times, 0.5), percentile(times, 0.99), max(times),
        sum(1 for value in times if value > 1), len(events) // _EVERY, waits,
        [event for event, status in ended if status != "SUCCEEDED"], _stuck(wired), back,
    )  # fmt: skip


def _post_for(
    caller: Caller, seconds: float, name: str, wrong: list[str] | None = None
) -> tuple[list[float], list[str]]:
    """Seconds of each post and its event; every so often a caller waits, and what it was told wrongly is kept."""
    times: list[float] = []
    events: list[str] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        number = len(events)
        began = time.monotonic()
        events.append(caller.post(f"I own book {number} of {name}", user_id=f"{name}-{number % _USERS}"))
        times.append(time.monotonic() - began)
        if wrong is not None and number % _EVERY == _EVERY - 1:
            fact = f"I own lamp {number}"
            answer = caller.add(fact, user_id=f"{name}-wait-{number % _USERS}", wait=30)
            if answer.status_code != 200 or [result["memory"] for result in answer.json()["results"]] != [fact]:
                wrong.append(f"{fact}: {answer.status_code}")
        time.sleep(max(0.0, began + _GAP - time.monotonic()))
    return times, events


def _stuck(wired: Wired) -> int:
    """Scopes that still count work."""
    with psycopg.connect(wired.service.database_url) as connection:
        row = connection.execute("SELECT count(*) FROM scopes WHERE pending_live + pending_bulk <> 0").fetchone()
    assert row is not None
    return int(row[0])
