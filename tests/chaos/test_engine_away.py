"""The vector index can be thrown away: without it writes and reads by id work, and nothing is added blindly."""

from __future__ import annotations

import random
import shutil
from typing import Any

import httpx
import psycopg
import pytest

from shared.settings import Settings
from shared.vectors.layout import VERSION
from tests.chaos.wired import LEASE, Wired
from tests.stack import QDRANT_KEY, crash, revive, wait_until
from workers import maintenance

pytestmark = pytest.mark.chaos

LARGE = 45  # memories: more than the extractor is shown without a search


def settings_of(wired: Wired) -> Settings:
    """For `verify`, past the links."""
    return Settings(
        database_url=wired.service.database_url, redis_url=wired.service.stack.valkey.url,
        qdrant_url=wired.service.stack.engine.url, qdrant_api_key=QDRANT_KEY, embeddings="none",
    )  # fmt: skip


def fill(wired: Wired, user: str, count: int) -> None:
    """So many memories of a user, in the index."""
    caller = wired.callers[0]
    facts = [{"role": "user", "content": f"I own book {number} of {user}"} for number in range(count)]
    assert caller.ended(caller.add(facts, wait=0, user_id=user).json()["event_id"])["status"] == "SUCCEEDED"
    wait_until(lambda: queued(wired) == 0, "the index is written", 30)


def queued(wired: Wired) -> int:
    """Changes the index has not confirmed."""
    with psycopg.connect(wired.service.database_url) as connection:
        row = connection.execute("SELECT count(*) FROM index_queue").fetchone()
        assert row is not None
        return int(row[0])


@pytest.mark.parametrize("how", ["dead", "half-open"])
def test_without_the_engine(wired: Wired, how: str) -> None:
    """POST and GET by id work; a window that must search first waits and asks nobody; afterwards all ends well."""
    caller = wired.caller(wired.start_api())
    wired.start_worker(**LEASE)
    fill(wired, "large", LARGE)
    known = caller.memories(user_id="large")[0]["id"]
    engine = wired.service.stack.engine
    if how == "dead":
        crash(engine)
    else:
        wired.silence(wired.engine)

    calls = len(wired.llm.log("chat"))
    waiting = caller.add("I own a boat", user_id="large", wait=30)
    small = caller.add("I like tea", user_id="small", wait=30)
    raw = caller.add("Kept word for word", user_id="small", infer=False)

    assert waiting.status_code == 202
    assert (small.status_code, raw.status_code) == (200, 200)
    assert caller.get(known)["id"] == known
    assert len(caller.memories(user_id="large")) == LARGE
    assert len(wired.llm.log("chat")) == calls + 1  # the small scope's: nothing is extracted without its candidates
    assert caller.event(waiting.json()["event_id"])["status"] in ("PENDING", "RUNNING")
    if how == "dead":
        revive(engine)
    else:
        wired.speak(wired.engine)

    ended = caller.ended(waiting.json()["event_id"])
    assert (ended["status"], [result["event"] for result in ended["results"]]) == ("SUCCEEDED", ["ADD"])
    wait_until(lambda: queued(wired) == 0, "the index is written", 90)
    report = maintenance.verify(settings_of(wired))
    assert (report.clean, report.waiting, report.points) == (True, 0, report.memories)


def test_lost_and_wrong_points_are_found_and_repaired(wired: Wired) -> None:
    """A hundredth of the points deleted, as many of a wrong version: `verify` names exactly these and mends them."""
    caller = wired.caller(wired.start_api())
    wired.start_worker(**LEASE)
    for user in range(5):
        fill(wired, f"user-{user}", 40)
    settings = settings_of(wired)
    ids = sorted(memory["id"] for user in range(5) for memory in caller.memories(user_id=f"user-{user}"))
    rng = random.Random(4)
    chosen = rng.sample(ids, 4)
    collection = maintenance.verify(settings).collection
    lose(settings, collection, chosen[:2])
    corrupt(settings, collection, chosen[2:])

    found = maintenance.verify(settings)
    mended = maintenance.verify(settings, repair=True)

    assert {str(memory_id) for memory_id in found.missing} == set(chosen[:2])
    assert {str(memory_id) for memory_id in found.stale} == set(chosen[2:])
    assert found.extra == ()
    assert mended.clean
    assert maintenance.verify(settings).clean


def test_an_engine_that_lost_its_data_is_filled_again_by_itself(wired: Wired) -> None:
    """Its folder is gone: without a command and without a write every point comes back, and a search finds it."""
    caller = wired.caller(wired.start_api())
    wired.start_worker(**LEASE)
    fill(wired, "large", LARGE)
    settings = settings_of(wired)
    before = maintenance.verify(settings)
    engine_part = wired.service.stack.engine
    crash(engine_part)
    for entry in wired.service.stack.home.layout.vectors.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    revive(engine_part)

    wait_until(lambda: points(settings, before.collection) == before.points, "all points are back", 90)
    wait_until(lambda: queued(wired) == 0, "the index is written", 30)
    after = maintenance.verify(settings)
    assert (after.clean, after.points) == (True, before.points)
    assert caller.memories(user_id="large", query="book 7")
    assert caller.add("I own a boat", user_id="large", wait=30).status_code == 200


def points(settings: Settings, collection: str) -> int:
    """How many the engine has, asked past the service."""
    with httpx.Client(base_url=settings.qdrant_url, headers={"api-key": QDRANT_KEY}, trust_env=False) as client:
        answer = client.post(f"/collections/{collection}/points/count", json={"exact": True})
    return int(answer.json()["result"]["count"]) if answer.status_code == 200 else 0


def lose(settings: Settings, collection: str, ids: list[str]) -> None:
    """Points vanish behind the service's back."""
    engine(settings, "POST", f"/collections/{collection}/points/delete?wait=true", {"points": ids})


def corrupt(settings: Settings, collection: str, ids: list[str]) -> None:
    """Points claim a version that their memories never had."""
    wanted = {"filter": {"must": [{"has_id": ids}]}, "limit": len(ids), "with_payload": True, "with_vector": True}
    found = engine(settings, "POST", f"/collections/{collection}/points/scroll", wanted)["points"]
    points = [{**point, "payload": {**point["payload"], VERSION: 99}} for point in found]
    engine(settings, "PUT", f"/collections/{collection}/points?wait=true", {"points": points})


def engine(settings: Settings, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """One call to the engine, past the service."""
    headers = {"api-key": QDRANT_KEY}
    with httpx.Client(base_url=settings.qdrant_url, headers=headers, trust_env=False) as client:
        answer = client.request(method, path, json=body)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()["result"]
    return result
