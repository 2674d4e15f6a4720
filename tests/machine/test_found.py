"""What the machine found once, in the fewest steps."""

from __future__ import annotations

from shared.db import memory_edits
from tests.factories import change, rows
from tests.integration.db_fixtures import bench, db, make_bench, project_id  # noqa: F401 - fixtures
from tests.integration.pipeline_bench import Bench
from workers.pipeline.load import load
from workers.work import Done

_EVENT = "SELECT status, attempts, crash_count, lone_crashes FROM events"


def test_a_claim_that_was_taken_over_notes_nothing(bench: Bench) -> None:  # noqa: F811 - the fixture
    """A worker stood still between claim and load; the next one is at work: no crash of the event is counted twice."""
    bench.post("I live in Rome")
    slow = bench.claim(owner="slow")
    change(bench.db, "UPDATE scopes SET lease_until = clock_timestamp() - interval '1 s'")
    bench.claim(owner="next")
    before = rows(bench.db, _EVENT)

    assert load(bench.parts, slow) == Done((), ())
    assert rows(bench.db, _EVENT) == before


def test_a_deleted_message_does_not_come_back_as_a_memory(bench: Bench) -> None:  # noqa: F811 - the fixture
    """It was stored as it is; who said the same before does not bring it back, who says it later does."""
    bench.post("I own a piano", infer=False)
    bench.post("I own a piano.")
    stored = bench.memory("I own a piano").id
    bench.db.run(lambda session: memory_edits.delete(session, bench.project_id, stored))
    bench.drain()
    assert bench.texts() == []

    bench.post("I own a piano.")
    bench.drain()
    assert bench.texts() == ["I own a piano."]
