"""Rolling restarts under load: SIGTERM to one of two workers after the other while a caller posts."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass

import psycopg

from cli.embedded.part import wait_ready
from cli.embedded.worker import Worker
from tests.chaos.wired import LEASE, Wired

GRACE = 10.0  # seconds
_THINKING = 0.2  # seconds of the model: a stop nearly always meets work under way
_USERS = 7
_GAP = 0.1  # seconds between two posts
_READY = 90.0


@dataclass(frozen=True, slots=True)
class Rolled:
    """What restarts cost. `redone`: messages the model was shown more than once, with how often."""

    restarts: int
    posted: int
    lost: list[str]
    failed: list[str]
    redone: dict[str, int]
    counted_as_crash: int
    slowest_stop: float


def run(wired: Wired, count: int) -> Rolled:
    """`count` stops and starts, then everything posted must have ended."""
    caller = wired.caller(wired.start_api())
    workers = [wired.start_worker(**LEASE, grace=GRACE) for _ in range(2)]
    wired.llm.settings(chat_seconds=_THINKING)
    stopping, events = threading.Event(), dict[str, str]()

    def post() -> None:
        number = 0
        while not stopping.wait(_GAP):
            fact = f"I own book {number} of the series"
            events[fact] = caller.post(fact, user_id=f"u{number % _USERS}")
            number += 1

    writer = threading.Thread(target=post)
    writer.start()
    try:
        stops = [_restart(workers[turn % 2]) for turn in range(count)]
    finally:
        stopping.set()
        writer.join(30)
    ended = {fact: caller.ended(event) for fact, event in events.items()}
    told = {fact: [result["memory"] for result in event["results"]] for fact, event in ended.items()}
    shown = _shown(wired)
    return Rolled(
        count, len(events), [fact for fact in events if told[fact] != [fact] or not shown[fact]],
        [fact for fact, event in ended.items() if event["status"] != "SUCCEEDED"],
        {fact: times for fact, times in shown.items() if times > 1}, _crashes(wired), max(stops),
    )  # fmt: skip


def _restart(worker: Worker) -> float:
    """Seconds from SIGTERM to the end of the process, which must come by itself."""
    assert worker.child is not None
    began = time.monotonic()
    worker.child.signal(signal.SIGTERM)
    code = worker.child.result(GRACE + 5)
    assert code == 0, f"the worker ended with {code}"
    seconds = time.monotonic() - began
    worker.start()
    wait_ready(worker, _READY)
    return seconds


def _shown(wired: Wired) -> Counter[str]:
    """How often the model was shown each message as new."""
    calls = [json.loads(call["text"]) for call in wired.llm.log("chat")]
    return Counter(message["text"] for call in calls for message in call["messages"])


def _crashes(wired: Wired) -> int:
    with psycopg.connect(wired.service.database_url) as connection:
        row = connection.execute("SELECT count(*) FROM events WHERE crash_count > 0 OR lone_crashes > 0").fetchone()
    assert row is not None
    return int(row[0])
