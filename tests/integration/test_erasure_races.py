"""An erasure at every point of a window's way, and whatever is delivered again afterwards: nothing comes back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from shared.db import erasure, index_queue, retry
from shared.errors import Conflict, NotFound
from shared.model.scope import ScopeRef
from tests.factories import ALEX, change, claim, column, rows
from tests.integration.pipeline_bench import Bench
from workers.pipeline import commit, extract, index
from workers.pipeline.run import run

POINTS = ("extract.before", "extract.after", "commit.before", "commit.after", "index.written")
STAGES = (extract, commit, index)


def _erase(bench: Bench) -> None:
    bench.db.run(lambda session: erasure.delete_all(session, bench.project_id, ALEX))


def _nothing_left(bench: Bench) -> None:
    """No row about the user but events without content, no point in the index."""
    bench.parts.ensure_collection(bench.collection, None)
    assert bench.indexed() == {}
    for table in ("memories", "memory_versions", "memory_sources", "memory_vectors", "messages", "scopes"):
        assert rows(bench.db, f"SELECT 1 FROM {table}") == [], table
    assert rows(bench.db, "SELECT 1 FROM event_payloads p WHERE p::text LIKE '%%Rome%%'") == []
    assert set(column(bench.db, "SELECT status FROM events")) == {"SUCCEEDED"}


@pytest.mark.parametrize("point", POINTS)
def test_an_erasure_in_the_middle_of_a_window(bench: Bench, point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker goes on as if nothing had happened; what it does is discarded, or erased with the rest."""
    threads: list[threading.Thread] = []

    def reach(name: str, texts: Any = ()) -> None:
        if name == point and not threads:
            threads.append(threading.Thread(target=_erase, args=(bench,)))
            threads[0].start()
            if name != "commit.before":  # there the erasure waits for the commit's lock
                threads[0].join(20)

    for stage in STAGES:
        monkeypatch.setattr(stage, "reach", reach)
    bench.post("I live in Rome")
    bench.drain()
    bench.wait_indexed()
    threads[0].join(20)

    _nothing_left(bench)


def test_bells_claims_retries_and_index_writes_that_come_late(bench: Bench) -> None:
    """Each is tried with what was known before the erasure."""
    event_id = bench.post("I live in Rome")
    held = bench.claim()
    failed = bench.post("I like tea")
    change(bench.db, "UPDATE messages SET failed_code = 'llm_refused' WHERE event_id = %s", failed)
    change(bench.db, "UPDATE events SET status = 'FAILED' WHERE id = %s", failed)
    run(bench.parts, held)
    late = bench.db.run(lambda session: index_queue.take(session, limit=10))
    _erase(bench)

    assert claim(bench.db, hint=ScopeRef(bench.project_id, held.scope.scope_id)) is None
    run(bench.parts, held)  # a worker that wakes up with the claim of before
    bench.db.run(lambda session: index_queue.done(session, late))
    for known in (event_id, failed):
        with pytest.raises((Conflict, NotFound)):
            bench.db.run(lambda session, known=known: retry.reopen(session, bench.project_id, known))  # type: ignore[misc]

    change(bench.db, "UPDATE events SET status = 'SUCCEEDED' WHERE id = %s", failed)
    _nothing_left(bench)


def _one_memory(bench: Bench) -> None:
    (memory,) = bench.memories()
    bench.db.run(lambda session: erasure.erase_memory(session, bench.project_id, memory.id))


def _one_event(bench: Bench) -> None:
    (event_id,) = column(bench.db, "SELECT id FROM events ORDER BY seq LIMIT 1")
    bench.db.run(lambda session: erasure.erase_event(session, bench.project_id, event_id))


@pytest.mark.parametrize("erase", [_one_memory, _one_event])
def test_a_window_that_was_shown_what_is_erased(bench: Bench, erase: Callable[[Bench], None]) -> None:
    """The answer that repeats it, accepted before, is dropped; what else it says is kept."""
    bench.post("I live in Rome")
    bench.drain()
    bench.script.before = lambda _: erase(bench) if len(bench.script.windows) == 2 else None
    bench.post("I live in Rome", "I like tea")
    bench.drain_all()

    assert bench.texts() == ["I like tea"]
    assert column(bench.db, "SELECT count(*) FROM erased_texts") == [0]
