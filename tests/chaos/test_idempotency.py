"""A thousand posts of a hundred keys at once, at two API processes: a hundred writes."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.chaos.wired import LEASE, Wired

pytestmark = pytest.mark.chaos

KEYS, POSTS, CALLERS = 100, 1_000, 32


@pytest.mark.timeout(300)
def test_a_thousand_posts_of_a_hundred_keys_make_a_hundred_events(wired: Wired) -> None:
    """Every answer to a key names its one event; each fact stands once, and nothing else does."""
    callers = [wired.caller(wired.start_api()) for _ in range(2)]
    wired.start_worker(**LEASE)

    def post(number: int) -> tuple[int, httpx.Response]:
        key = number % KEYS
        body = {"messages": [{"role": "user", "content": f"I own book {key}"}], "user_id": f"u{key % 9}"}
        headers = {"Idempotency-Key": f"key-{key}", "Prefer": "respond-async"}
        return key, callers[(number // KEYS) % 2].http.post("/v1/memories/", json=body, headers=headers)

    with ThreadPoolExecutor(CALLERS) as pool:
        answers = list(pool.map(post, range(POSTS)))
    events: dict[int, set[str]] = defaultdict(set)
    for key, answer in answers:
        events[key].add(answer.json()["event_id"])
    ended = [callers[0].ended(event) for found in events.values() for event in found]

    assert {answer.status_code for _, answer in answers} <= {200, 202}
    assert [len(found) for found in events.values()] == [1] * KEYS
    assert callers[0].http.get("/v1/events/").json()["count"] == KEYS
    assert {event["status"] for event in ended} == {"SUCCEEDED"}
    served = [text.rstrip(".") for user in range(9) for text in callers[0].texts(user_id=f"u{user}")]
    assert sorted(served) == sorted(f"I own book {key}" for key in range(KEYS))
