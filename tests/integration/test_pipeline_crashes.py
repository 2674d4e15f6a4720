"""A worker that dies in the middle: its lease runs out, its events run alone, then apart; nobody is blamed for it."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from shared.db import attempts, scopes
from shared.db.engine import Database
from shared.db.scopes import Claim
from shared.errors import Unavailable
from tests.factories import change, column, rows
from tests.integration.pipeline_bench import Bench, Says
from tests.stack import wait_until
from workers.dispatch import Dispatcher
from workers.leases import Leases
from workers.pipeline.load import load
from workers.pipeline.run import run
from workers.work import Done, Suspect, Work


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


def test_no_number_of_kills_fails_an_event(bench: Bench) -> None:
    """Whoever kills workers does not say why: the events in work then are innocent, and succeed in the end."""
    event_id = bench.post("I live in Rome")
    for _ in range(20):
        _die(bench)
    bench.drain()

    assert bench.results(event_id) == [("ADD", "I live in Rome")]


def test_a_killer_is_found_apart_and_the_others_succeed(bench: Bench) -> None:
    """In work at a second crash, events are worked on apart; who ends that process three times is `crashed`."""
    made = {text: bench.post(text) for text in ("I own house 1", "I own a bomb", "I own house 2")}
    apart = Apart(bench, "bomb")
    bench.parts = replace(bench.parts, apart=apart)
    _die(bench)
    while _next(bench) != "I own a bomb":
        bench.step()
    _die(bench)
    bench.dispatcher = Dispatcher(bench.parts, bench.leases, run)
    bench.drain()

    event = bench.event(made["I own a bomb"])
    assert (event.status, event.error_code, event.failed) == ("FAILED", "crashed", [0])
    assert apart.worked_on == ["I own a bomb"] * 3
    for text in ("I own house 1", "I own house 2"):
        assert bench.results(made[text]) == [("ADD", text)]
    assert column(bench.db, "SELECT pending_live FROM scopes") == [0]


class Apart:
    """A process of its own for suspects, in which some words are fatal."""

    def __init__(self, bench: Bench, fatal: str) -> None:
        self.worked_on: list[str] = []
        self._bench = bench
        self._fatal = fatal

    def __call__(self, claim: Claim, suspect: Suspect) -> Done:
        self.worked_on.append(_next(self._bench))
        if self._fatal not in self.worked_on[-1]:
            return run(replace(self._bench.parts, apart=None), claim)
        with self._bench.db.transaction() as session:
            attempts.blame(session, claim.scope.project_id, suspect.event_id)
            scopes.settle(session, claim, done=0, done_bytes=0)
        return Done((), ())


def _next(bench: Bench) -> str:
    """The first message that waits."""
    query = "SELECT text FROM messages WHERE applied_by IS NULL AND failed_code IS NULL ORDER BY seq, idx LIMIT 1"
    (text,) = column(bench.db, query)
    return str(text)


def test_postgres_away_costs_no_crash_and_no_attempt(bench: Bench) -> None:
    """Work that broke off with the database is given back as soon as it answers: not a suspect, not a try."""

    def away(window: object) -> None:
        raise Unavailable("gone", code="database_unavailable")

    event_id = bench.post("I live in Rome", "I work in Turin")
    bench.script.before = away
    assert bench.drain() == 1

    assert rows(bench.db, "SELECT status, attempts, crash_count, snoozes FROM events") == [
        {"status": "PENDING", "attempts": 0, "crash_count": 0, "snoozes": 0}
    ]
    assert column(bench.db, "SELECT lease_owner FROM scopes") == [None]
    bench.script.before = bool
    bench.drain_all()
    assert len(bench.results(event_id)) == 2


def test_a_claim_is_given_back_when_postgres_returns(bench: Bench) -> None:
    """As long as it is away the claim is kept, and its lease renewed first when it is back."""
    event_id = bench.post("I live in Rome")
    held = bench.claim()
    assert isinstance(load(bench.parts, held), Work)
    gone = Database("postgresql://nobody@127.0.0.1:1/none", pool_size=1)
    leases = Leases(gone, lease=0.3, deadline=75)
    leases.start()
    try:
        leases.surrender(held, 0.0)
        assert leases.broken() == [held]
        assert column(bench.db, "SELECT crash_count FROM events") == [1]
        leases._db = bench.db  # noqa: SLF001 - it is back
        wait_until(lambda: not leases.broken(), "the claim to be given back")
    finally:
        leases.stop()
        gone.close()

    assert column(bench.db, "SELECT crash_count FROM events") == [0]
    bench.drain()
    assert bench.results(event_id) == [("ADD", "I live in Rome")]


def test_a_lost_claim_starts_nothing(bench: Bench) -> None:
    """Whoever slept between claim and load finds that others went on, and leaves their events alone."""
    bench.post("I live in Rome")
    slept = bench.claim(owner="slept")
    _expire(bench)
    assert isinstance(load(bench.parts, bench.claim(owner="other")), Work)

    assert load(bench.parts, slept) == Done((), ())
    assert column(bench.db, "SELECT crash_count FROM events") == [1]


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
