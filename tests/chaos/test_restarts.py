"""Orderly stops under load cost nothing: no message is lost, and none is shown to the model twice."""

from __future__ import annotations

import json
import signal
import threading
from collections import Counter

import psycopg
import pytest

from tests.chaos.conftest import LEASE, Wired
from tests.stack import wait_until

pytestmark = pytest.mark.chaos

RESTARTS = 25


def test_rolling_restarts_lose_and_repeat_nothing(wired: Wired) -> None:
    """25 times SIGTERM to one of two workers while callers post: every message reaches the model exactly once."""
    caller = wired.caller(wired.start_api())
    workers = [wired.start_worker(**LEASE, grace=10) for _ in range(2)]
    wired.llm.settings(chat_seconds=0.2)
    stopping, events = threading.Event(), dict[str, str]()

    def post() -> None:
        number = 0
        while not stopping.wait(0.05):
            fact = f"I own book {number} of the series"
            events[fact] = caller.post(fact, user_id=f"u{number % 7}")
            number += 1

    writer = threading.Thread(target=post)
    writer.start()
    try:
        for turn in range(RESTARTS):
            child = workers[turn % 2].child
            assert child is not None
            child.signal(signal.SIGTERM)
            assert child.result(15) == 0
            workers[turn % 2].start()
            wait_until(workers[turn % 2].ready, "the worker is back", 60)
    finally:
        stopping.set()
        writer.join(30)

    ended = {fact: caller.ended(event) for fact, event in events.items()}
    assert {event["status"] for event in ended.values()} == {"SUCCEEDED"}
    assert {fact: [r["memory"] for r in event["results"]] for fact, event in ended.items()} == {f: [f] for f in events}
    asked = Counter(
        message["text"]
        for call in wired.llm.log("chat")
        for message in json.loads(call["text"])["messages"]
        if message["text"] in events
    )
    assert {fact: count for fact, count in asked.items() if count > 1} == {}
    assert len(asked) == len(events)
    with psycopg.connect(wired.service.database_url) as connection:
        tried = connection.execute("SELECT count(*) FROM events WHERE crash_count > 0 OR lone_crashes > 0").fetchone()
    assert tried == (0,)
