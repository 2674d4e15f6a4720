"""A worker that dies in the middle: its lease runs out, its events run alone, a killer is put away, others succeed."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.factories import change, column, rows
from tests.integration.pipeline_bench import Bench, Says
from workers.pipeline.load import load
from workers.pipeline.run import run
from workers.work import Done, Work


def _expire(bench: Bench) -> None:
    change(bench.db, "UPDATE scopes SET lease_until = clock_timestamp() - interval '1 s'")


def _die(bench: Bench) -> list[str]:
    """A worker claims, loads and is gone, its lease with it; what it had in work."""
    work = load(bench.parts, bench.claim(owner="dying"))
    assert isinstance(work, Work)
    _expire(bench)
    return [message.text for message in work.messages]


def test_the_next_worker_does_the_work_once(bench: Bench) -> None:
    """Loaded and lost: everything is still there; afterwards each fact once."""
    event_id = bench.post("I live in Rome", "I work in Turin")
    _die(bench)
    assert bench.event(event_id).status == "RUNNING"

    bench.drain()

    assert bench.results(event_id) == [("ADD", "I live in Rome"), ("ADD", "I work in Turin")]
    assert bench.texts() == ["I live in Rome", "I work in Turin"]
    assert rows(bench.db, "SELECT crash_count, lone_crashes FROM events") == [{"crash_count": 0, "lone_crashes": 0}]


def test_nothing_is_taken_over_before_the_lease_runs_out(bench: Bench) -> None:
    """A live worker's scope is left alone."""
    bench.post("I live in Rome")
    assert isinstance(load(bench.parts, bench.claim(owner="slow")), Work)

    assert bench.drain() == 0


def test_after_a_crash_events_run_alone(bench: Bench) -> None:
    """Each suspect by itself, later ones that were not in the crash together again."""
    made = [bench.post(f"I own house {number}") for number in range(3)]
    assert len(_die(bench)) == 3
    made += [bench.post(f"I own boat {number}") for number in range(3)]
    bench.drain()

    assert [len(window) for window in bench.script.windows] == [1, 1, 1, 3]
    assert all(len(bench.results(event_id)) == 1 for event_id in made)


def test_a_killer_is_put_away_and_the_others_succeed(bench: Bench) -> None:
    """One event kills every worker that touches it: after three deaths alone it is FAILED `crashed`, alone."""
    made = {text: bench.post(text) for text in ("I own house 1", "I own a bomb", "I own house 2")}
    deaths = _work_with_a_killer(bench, "bomb")

    event = bench.event(made["I own a bomb"])
    assert (event.status, event.error_code, event.failed) == ("FAILED", "crashed", [0])
    assert deaths == 4  # once with the others, three times alone
    for text in ("I own house 1", "I own house 2"):
        assert bench.results(made[text]) == [("ADD", text)]
    assert column(bench.db, "SELECT pending_live FROM scopes") == [0]


def _work_with_a_killer(bench: Bench, words: str) -> int:
    deaths = 0
    while column(bench.db, "SELECT sum(pending_live) FROM scopes") != [0]:
        held = bench.claim()
        (first,) = rows(bench.db, _NEXT)
        if not deaths or (words in first["text"] and first["lone_crashes"] < 3):
            assert isinstance(load(bench.parts, held), Work)
            _expire(bench)
            deaths += 1
        else:
            run(bench.parts, held)
        assert deaths < 9
    return deaths


_NEXT = """
    SELECT m.text, e.lone_crashes FROM messages m JOIN events e ON e.id = m.event_id
    WHERE m.applied_by IS NULL AND m.failed_code IS NULL ORDER BY m.seq, m.idx LIMIT 1
"""


def test_a_crash_forgotten_after_success_does_not_add_up(bench: Bench) -> None:
    """Only crashes in a row count: a window that went well clears them."""
    event_id = bench.post(*(f"I own house {number}" for number in range(50)))
    for _ in range(2):
        _die(bench)
    bench.step()
    for _ in range(2):
        _die(bench)
    bench.drain()

    assert len(bench.results(event_id)) == 50


@pytest.mark.parametrize("stage", ["before", "after"])
def test_dying_around_the_commit_loses_and_doubles_nothing(bench: Bench, stage: str) -> None:
    """Before it: nothing happened yet. After it, before anybody was told: all of it stands."""
    import workers.pipeline.run as story

    event_id = bench.post("I live in Rome")

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    name = "commit" if stage == "before" else "index_soon"
    real = getattr(story, name)
    setattr(story, name, killed)
    try:
        with pytest.raises(KeyboardInterrupt):
            bench.step()
    finally:
        setattr(story, name, real)
    _expire(bench)
    bench.drain()

    assert bench.results(event_id) == [("ADD", "I live in Rome")]
    memory = bench.memory("I live in Rome")
    assert bench.history(memory) == [(1, "ADD", "I live in Rome")]
    from workers.pipeline.index import index

    index(bench.parts)
    assert bench.indexed() == {memory.id: 1}


def test_a_lane_whose_count_went_wrong_heals(bench: Bench) -> None:
    """Pending work that is not there does not keep a scope busy for ever."""
    event_id = bench.post("I live in Rome")
    bench.drain()
    change(bench.db, "UPDATE scopes SET pending_live = 3")

    assert bench.step() == Done((), ())
    assert column(bench.db, "SELECT pending_live FROM scopes") == [0]
    assert len(bench.results(event_id)) == 1


def test_a_stopping_worker_gives_its_work_back_at_once(bench: Bench) -> None:
    """Nothing is counted against the events, the next worker need not wait for the lease."""
    from workers.lifecycle import Worker

    bench.script.rules = [Says("Rome")]
    event_id = bench.post("I live in Rome")
    worker = Worker(bench.parts.settings, bench.parts)
    held = bench.claim()
    work = load(bench.parts, held)
    assert isinstance(work, Work)
    with worker.leases.holding(held):
        worker.stop_claiming()
        assert not worker.wait_idle(0.01)
        worker.release()
    assert worker.dispatcher.drain() == 0

    assert rows(bench.db, "SELECT status, attempts, crash_count FROM events") == [
        {"status": "PENDING", "attempts": 0, "crash_count": 0}
    ]
    bench.drain()
    assert _one(bench, event_id)


def _one(bench: Bench, event_id: UUID) -> bool:
    return bench.results(event_id) == [("ADD", "I live in Rome")]
