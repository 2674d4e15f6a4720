"""Ceilings on tokens: how far a project gets, that nothing fails on them, that every paid answer is written down."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from shared.db import breakers, spend, usage
from shared.db.engine import Database
from shared.db.spend import Ceilings
from shared.errors import Narrow, Snooze
from shared.model.message import Window
from shared.model.record import Usage
from shared.model.scope import ScopeIds
from tests import factories
from tests.factories import change, claim, column, post
from tests.integration.pipeline_bench import Bench
from workers.dispatch import Dispatcher
from workers.pipeline.run import run

DAY = Ceilings(day=1_000)
MOST = 90  # tokens of the dearest window


def _reserve(db: Database, project_id: UUID, own: UUID, tokens: int = 100, ceilings: Ceilings = DAY) -> float:
    return db.run(lambda s: spend.reserve(s, project_id, own, tokens, ceilings, lapse=60))


def _spent(db: Database, project_id: UUID) -> int:
    return db.run(lambda s: spend.spent(s, project_id, lapse=60)).day


def test_eight_at_once_end_at_the_ceiling_and_one_window(db: Database, project_id: UUID) -> None:
    """Whoever is let through while there is room may pass the ceiling, and nobody after it."""

    def work(seed: int) -> None:
        dice = random.Random(seed)
        while True:
            own = uuid4()
            wait = _reserve(db, project_id, own)
            if wait > 1:
                return
            if not wait:
                cost = Usage(calls=1, prompt_tokens=dice.randint(1, MOST))
                db.run(lambda s, cost=cost: usage.add(s, project_id, cost))  # type: ignore[misc]
                db.run(lambda s, own=own: spend.settle(s, project_id, own, Usage()))  # type: ignore[misc]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))

    assert 1_000 <= _spent(db, project_id) < 1_000 + MOST
    assert column(db, "SELECT count(*) FROM spend_reservations") == [0]


def test_reservations_count_until_they_are_settled(db: Database, project_id: UUID) -> None:
    """Of windows in work, and of a dead worker's to the end of the period; one's own never stands in one's way."""
    ours, theirs = uuid4(), uuid4()
    assert _reserve(db, project_id, theirs, 1_000) == 0
    assert _reserve(db, project_id, ours) == 1
    assert _reserve(db, project_id, theirs, 1_000) == 0
    change(db, "UPDATE spend_reservations SET at = at - interval '2 minutes'")
    if column(db, "SELECT date_trunc('day', clock_timestamp(), 'UTC') < clock_timestamp() - interval '3 minutes'")[0]:
        assert _spent(db, project_id) == 1_000
        assert _reserve(db, project_id, ours) > 1
    change(db, "UPDATE spend_reservations SET at = at - interval '40 days'")
    assert _reserve(db, project_id, ours) == 0


def test_a_project_at_its_ceiling_is_passed_over(db: Database, project_id: UUID) -> None:
    """Its scopes are not claimed, others' are; raising the ceiling brings it back at once."""
    other = factories.project(db, "other").id
    db.run(lambda s: spend.set_ceilings(s, project_id, 10, None))
    db.run(lambda s: usage.add(s, project_id, Usage(completion_tokens=10)))
    post(db, project_id, "I live in Rome")
    post(db, other, "I live in Milan")
    assert _reserve(db, project_id, uuid4(), ceilings=Ceilings()) > 1

    claimed = claim(db)
    assert claimed is not None
    assert claimed.scope.project_id == other
    assert claim(db) is None
    assert set(db.run(spend.paused)) == {project_id}

    db.run(lambda s: spend.set_ceilings(s, project_id, 0, None))
    claimed = claim(db)
    assert claimed is not None
    assert claimed.scope.project_id == project_id
    assert db.run(spend.paused) == {}


def test_last_months_tokens_do_not_count(db: Database, project_id: UUID) -> None:
    """The period rolls by itself: what was spent before it is history."""
    db.run(lambda s: usage.add(s, project_id, Usage(prompt_tokens=5_000)))
    assert _reserve(db, project_id, uuid4()) > 1
    change(db, "UPDATE project_usage SET day = day - 32")
    change(db, "UPDATE breakers SET open_until = clock_timestamp()")  # midnight

    assert _reserve(db, project_id, uuid4()) == 0


def _spending(bench: Bench, **settings: int) -> Bench:
    """A bench whose extractor counts as a provider."""
    changed = bench.parts.settings.model_copy(update=settings)
    bench.parts = replace(bench.parts, provider="llm:test", settings=changed)
    bench.dispatcher = Dispatcher(bench.parts, bench.leases, run)
    return bench


def test_events_wait_at_the_ceiling_and_go_on_when_it_is_raised(bench: Bench) -> None:
    """PENDING, no attempt consumed, nothing asked of the model; later done as if nothing had been."""
    _spending(bench, tokens_per_day=150)
    ids = [bench.post(f"I own book {number}", ids=ScopeIds(user_id=f"u{number}")) for number in range(4)]

    bench.drain()
    assert len(bench.script.windows) == 2  # 100 tokens each: one below the ceiling, one across it
    bench.drain()
    statuses = [bench.event(event_id).status for event_id in ids]
    assert sorted(statuses) == ["PENDING", "PENDING", "SUCCEEDED", "SUCCEEDED"]
    assert column(bench.db, "SELECT max(attempts) FROM events WHERE status = 'PENDING'") == [0]
    assert [one.code for one in bench.db.run(breakers.listing)] == ["spend_ceiling"]

    bench.db.run(lambda s: spend.set_ceilings(s, bench.project_id, 1_000, None))
    bench.drain()
    assert [bench.event(event_id).status for event_id in ids] == ["SUCCEEDED"] * 4
    assert _spent(bench.db, bench.project_id) == 400


def test_an_answer_of_no_use_was_paid_for(bench: Bench) -> None:
    """A refused window that was cut, and calls before a provider went away, are paid for like the two that follow."""
    _spending(bench)
    paid = {"usage": Usage(calls=1, prompt_tokens=7).as_dict()}
    narrow, snooze = Narrow("no", code="llm_refused"), Snooze("away", provider="embeddings", retry_after=1)
    narrow.extra, snooze.extra = dict(paid), dict(paid)
    errors: list[Exception] = [narrow, snooze]

    def fail(_: Window) -> None:
        if errors:
            raise errors.pop(0)

    bench.script.before = fail
    bench.post("I live in Rome", "I like tea")
    bench.drain_all()

    assert _spent(bench.db, bench.project_id) == 7 + 7 + 2 * 100
    assert column(bench.db, "SELECT count(*) FROM spend_reservations") == [0]


def test_work_that_a_deletion_overtook_was_paid_for(bench: Bench) -> None:
    """The window is discarded, its cost is not."""
    from shared.db import erasure

    _spending(bench)
    bench.script.before = lambda _: bench.db.run(
        lambda s: erasure.delete_all(s, bench.project_id, factories.ALEX)
    )  # fmt: skip
    bench.post("I live in Rome")
    bench.step()

    assert bench.memories() == []
    assert _spent(bench.db, bench.project_id) == 100


@pytest.mark.parametrize("month", [0, 1])
def test_without_a_ceiling_nothing_is_reserved(db: Database, project_id: UUID, month: int) -> None:
    """No row is written; a ceiling of the month alone is one."""
    assert _reserve(db, project_id, uuid4(), ceilings=Ceilings(month=month)) == 0
    assert column(db, "SELECT count(*) FROM spend_reservations") == [month]
