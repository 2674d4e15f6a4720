"""A process dies once at each edge between two steps: afterwards every fact stands exactly once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from uuid import uuid4

import httpx
import psycopg
import pytest

from cli.embedded.api import Api
from cli.embedded.worker import Worker
from tests.chaos.wired import LEASE, Wired
from tests.e2e.flumes import Caller
from tests.stack import crash, revive, wait_until

pytestmark = pytest.mark.chaos

WORKER_EDGES = (
    "claim.after", "extract.before", "extract.after", "commit.before", "commit.after", "index.written",
    "notify.before",
)  # fmt: skip
FACTS = ["I live in Rome", "My dog is called Rex", "I own book 7"]


def wait_dead(part: Api | Worker) -> None:
    """Until the process killed itself."""
    child = part.child
    assert child is not None
    wait_until(lambda: child.exit_code() is not None, f"{part.name} reaches its crash point", 30)
    assert child.exit_code() == -signal.SIGKILL


def settled(wired: Wired, caller: Caller, user: str) -> None:
    """Every fact is served once, was committed once and reached the index."""
    assert [text.rstrip(".") for text in caller.texts(user_id=user)] == sorted(FACTS)
    assert {memory["evidence_count"] for memory in caller.memories(user_id=user)} == {1}
    with psycopg.connect(wired.service.database_url, autocommit=True) as connection:
        ops = connection.execute(
            "SELECT v.op FROM memory_versions v JOIN memories m ON m.id = v.memory_id WHERE m.user_id = %s", [user]
        ).fetchall()
        assert [op for (op,) in ops] == ["ADD"] * len(FACTS)
        wait_until(
            lambda: connection.execute("SELECT count(*) FROM index_queue").fetchone() == (0,),
            "the index is written",
            30,
        )
    found = caller.memories(user_id=user, query="Where does the user live, in Rome?")
    assert FACTS[0] in [item["memory"].rstrip(".") for item in found]


@pytest.fixture(scope="module")
def caller(shared_wired: Wired) -> Caller:
    """Of an API that outlives the workers of this module."""
    return shared_wired.caller(shared_wired.start_api())


@pytest.fixture(autouse=True)
def no_worker_left(shared_wired: Wired) -> Iterator[None]:
    """Each test begins without a worker."""
    yield
    shared_wired.crash_workers()


@pytest.mark.parametrize("edge", WORKER_EDGES)
def test_a_worker_dies_at(shared_wired: Wired, caller: Caller, edge: str) -> None:
    """The next worker finishes what the dead one began; nothing is done twice."""
    dying = shared_wired.start_worker(**LEASE, crash_at=edge)
    event = caller.post(". ".join(FACTS), user_id=edge)
    wait_dead(dying)
    shared_wired.start_worker(**LEASE)

    ended = caller.ended(event)

    assert ended["status"] == "SUCCEEDED"
    assert sorted(result["memory"].rstrip(".") for result in ended["results"]) == sorted(FACTS)
    settled(shared_wired, caller, edge)


def test_a_worker_dies_while_it_gives_work_back(shared_wired: Wired, caller: Caller) -> None:
    """Killed in the middle of an orderly stop: the leases run out instead."""
    stopping = shared_wired.start_worker(**LEASE, crash_at="release", grace=0.5)
    shared_wired.llm.script({"match": "Rome", "action": "hang"})
    event = caller.post(". ".join(FACTS), user_id="release")
    shared_wired.llm.wait_hanging(1)
    assert stopping.child is not None
    stopping.child.signal(signal.SIGTERM)
    wait_dead(stopping)
    shared_wired.llm.release()
    shared_wired.start_worker(**LEASE)

    assert caller.ended(event)["status"] == "SUCCEEDED"
    settled(shared_wired, caller, "release")


def test_the_api_dies_between_commit_and_bell(shared_wired: Wired, caller: Caller) -> None:
    """The caller heard nothing and tries again with the same key: one event, found by the poll."""
    dying = shared_wired.start_api(crash_at="accept.after")
    shared_wired.start_worker(**LEASE)
    headers = {"Idempotency-Key": str(uuid4()), "Prefer": "wait=20"}
    body = {"messages": [{"role": "user", "content": ". ".join(FACTS)}], "user_id": "accept"}
    with pytest.raises(httpx.TransportError):
        shared_wired.caller(dying).http.post("/v1/memories/", json=body, headers=headers)
    wait_dead(dying)

    answer = caller.http.post("/v1/memories/", json=body, headers=headers)

    assert answer.status_code == 200
    assert len(answer.json()["results"]) == len(FACTS)
    assert caller.http.get("/v1/events/", params={"user_id": "accept"}).json()["count"] == 1
    settled(shared_wired, caller, "accept")


def test_a_message_that_kills_its_worker_fails_alone(shared_wired: Wired, caller: Caller) -> None:
    """Three lone crashes end it as `crashed`, two of a worker at most; what was posted around it succeeds."""
    poison = "The poison is here"
    events = {text: caller.post(text, user_id="poison") for text in (FACTS[0], poison, *FACTS[1:])}
    crashes = 0
    worker = shared_wired.start_worker(**LEASE, crash_at=f"extract.before:{poison}")

    def ended() -> bool:
        nonlocal crashes
        assert worker.child is not None
        if worker.child.exit_code() is not None:
            crashes += 1
            revive(worker)
        return all(caller.event(event)["status"] in ("SUCCEEDED", "FAILED") for event in events.values())

    wait_until(ended, "all events end", 90)
    found = {text: caller.event(event) for text, event in events.items()}

    assert (found[poison]["status"], found[poison]["code"]) == ("FAILED", "crashed")
    assert {event["status"] for text, event in found.items() if text != poison} == {"SUCCEEDED"}
    assert crashes <= 2  # once with others, once alone; then the processes that die are its own
    settled(shared_wired, caller, "poison")


def test_an_event_whose_worker_is_killed_again_and_again_is_innocent(shared_wired: Wired, caller: Caller) -> None:
    """Alone in work at each of five kills, in the end in a process of its own: it still succeeds, once."""
    kills = 5
    shared_wired.llm.script({"match": "Rome", "action": "hang", "times": kills})
    event = caller.post(". ".join(FACTS), user_id="innocent")
    for _ in range(kills):
        worker = shared_wired.start_worker(**LEASE | {"lease": 1})
        shared_wired.llm.wait_hanging(1, 60)
        crash(worker)
        wait_until(lambda: not shared_wired.llm.hanging(), "nobody hangs", 30)
    shared_wired.start_worker(**LEASE)

    assert caller.ended(event)["status"] == "SUCCEEDED"
    settled(shared_wired, caller, "innocent")
