"""Many callers on one user: no fact twice, nothing out of order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg

from tests.e2e.flumes import Caller, make_key
from tests.fakes.openai_control import FakeOpenAI
from tests.stack import Service

ADD = "I live in Rome. My dog is called Rex."


def test_the_same_add_from_sixteen_callers_is_one_row_a_fact(
    service: Service, llm: FakeOpenAI, model: dict[str, str]
) -> None:
    """16 callers post the same two facts 48 times each to one user."""
    api = service.start_api(**model)
    service.start_worker(**model)
    service.start_worker(**model)
    key = make_key(service.database_url)

    def post_all(_: int) -> set[int]:
        with Caller(api.url, key) as caller:
            return {caller.add(ADD, user_id="ana").status_code for _ in range(48)}

    with ThreadPoolExecutor(16) as pool:
        statuses = set().union(*pool.map(post_all, range(16)))

    assert statuses <= {200, 202}
    with Caller(api.url, key) as caller:
        events = caller.http.get("/v1/events/", params={"status": "FAILED"}).json()
        assert events["count"] == 0
        last = caller.add(ADD, user_id="ana", wait=60)
        assert last.status_code == 200
        assert len(caller.memories(user_id="ana")) == 2


def test_writers_on_one_scope_stay_in_order(service: Service, llm: FakeOpenAI, model: dict[str, str]) -> None:
    """8 writers x 25 numbered adds, two workers, a model of random speed: history and endings follow accept order."""
    slow = [{"match": f"{digit} of", "action": "default", "times": None, "delay": digit / 40} for digit in range(10)]
    llm.script(*slow)
    api = service.start_api(**model)
    service.start_worker(**model)
    service.start_worker(**model)
    key = make_key(service.database_url)

    def post_all(writer: int) -> list[str]:
        with Caller(api.url, key) as caller:
            return [caller.post(f"I own book {number} of writer {writer}", user_id="ana") for number in range(25)]

    with ThreadPoolExecutor(8) as pool:
        posted = [event for events in pool.map(post_all, range(8)) for event in events]
    with Caller(api.url, key) as caller:
        ended = [caller.ended(event, timeout=90) for event in posted]

    assert {event["status"] for event in ended} == {"SUCCEEDED"}
    with psycopg.connect(service.database_url) as connection:
        seqs = [row[0] for row in connection.execute("SELECT seq FROM memory_versions ORDER BY commit_order")]
        ends = connection.execute("SELECT id, seq, completed_at FROM events ORDER BY seq").fetchall()
    assert len(seqs) == 200
    assert seqs == sorted(seqs)
    assert [row[2] for row in ends] == sorted(row[2] for row in ends)
    assert {row[0] for row in ends} == {UUID(event) for event in posted}
