"""What users and other workers do while the extractor works: the user's change stands, stale work is thrown away."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import pytest

from api.stamps import moment_of
from shared import clock
from shared.db import memory_edits, scopes
from shared.db.accept import NewMessage
from shared.db.memory_edits import Patch
from shared.errors import Snooze
from shared.model.message import Window
from shared.model.record import Op
from tests.factories import ALEX, change, claim, column, rows
from tests.integration.pipeline_bench import Bench, Gate, Says
from workers.outcomes import attempt
from workers.pipeline.load import load
from workers.pipeline.run import remember, run
from workers.work import Done, Work


class OnCall:
    """Does something while the extractor works: on the first call only, so that a further run goes through."""

    def __init__(self, action: Callable[[], object]) -> None:
        self._action: Callable[[], object] | None = action

    def __call__(self, window: Window) -> None:
        action, self._action = self._action, None
        if action is not None:
            action()


def _patch(bench: Bench, memory_id: UUID, text: str) -> Callable[[], object]:
    return lambda: bench.db.run(
        lambda session: memory_edits.patch(session, bench.project_id, memory_id, Patch(text=text))
    )


def _delete(bench: Bench, memory_id: UUID) -> Callable[[], object]:
    return lambda: bench.db.run(lambda session: memory_edits.delete(session, bench.project_id, memory_id))


def _erase(bench: Bench) -> Callable[[], object]:
    return lambda: bench.db.run(lambda session: memory_edits.delete_all(session, bench.project_id, ALEX))


def _rome(bench: Bench) -> UUID:
    bench.post("I live in Rome")
    bench.step()
    return bench.memory("I live in Rome").id


def test_a_fast_clock_does_not_outdo_a_patch(bench: Bench) -> None:
    """A message stamped hours ahead was said when it was accepted: what a user writes after that is newer."""
    rome = _rome(bench)
    bench.script.rules = [Says("Milan", "SUPERSEDE", "I live in Milan now", "Rome")]
    now = clock.now()
    ahead = moment_of((now + timedelta(hours=20)).isoformat(), "timestamp", None, now)
    bench.post(NewMessage("user", "I live in Milan now", ahead))
    _patch(bench, rome, "Lives in Rome for good")()

    bench.drain()

    assert bench.texts() == ["Lives in Rome for good"]
    bench.post("I live in Milan now")
    bench.drain()
    assert bench.texts() == ["I live in Milan now"]


@pytest.mark.parametrize("op", ["SUPERSEDE", "REFINE"])
def test_a_patch_meanwhile_stands(bench: Bench, op: Op) -> None:
    """The window runs again on what the user wrote; older messages never overwrite it."""
    rome = _rome(bench)
    bench.script.rules = [Says("Milan", op, "I live in Milan", target="live")]
    bench.script.before = OnCall(_patch(bench, rome, "I live in Paris"))
    event_id = bench.post("Now I live in Milan")
    bench.step()

    assert bench.memory("I live in Paris").id == rome
    assert [row[1] for row in bench.history(bench.memory("I live in Paris"))] == ["ADD", "PATCH"]
    assert bench.script.shown[1:] == [["I live in Rome"], ["I live in Paris"]]
    assert bench.results(event_id) == [("ADD", "I live in Milan")]


def test_a_patch_before_every_run_still_ends(bench: Bench) -> None:
    """Three runs at most; then what was meant as a change stands beside the user's text."""
    rome = _rome(bench)
    texts = iter(f"I live in Paris {number}" for number in range(9))
    bench.script.rules = [Says("Milan", "SUPERSEDE", "I live in Milan", target="live")]
    bench.script.before = lambda _: _patch(bench, rome, next(texts))()
    event_id = bench.post("Now I live in Milan")
    bench.step()

    assert len(bench.script.windows) == 4
    assert bench.results(event_id) == [("ADD", "I live in Milan")]
    assert bench.memory("I live in Paris 2").id == rome
    assert bench.event(event_id).usage["prompt_tokens"] == 300


def test_a_patch_to_what_is_being_extracted_is_one_memory(bench: Bench) -> None:
    """The user writes the very text that the window adds: no second row, no error."""
    rome = _rome(bench)
    bench.script.before = OnCall(_patch(bench, rome, "I live in Milan"))
    event_id = bench.post("I live in Milan")
    bench.step()

    assert bench.texts() == ["I live in Milan"]
    assert bench.memory("I live in Milan").id == rome
    assert bench.results(event_id) == []


@pytest.mark.parametrize("op", ["SUPERSEDE", "REFINE", "SAME", "RETRACT"])
def test_a_delete_meanwhile_stands(bench: Bench, op: Op) -> None:
    """Whatever aimed at the memory is dropped and counted; nothing comes back."""
    rome = _rome(bench)
    text = "I live in Rome" if op in ("SAME", "RETRACT") else "I live in Rome near Milan"
    bench.script.rules = [Says("Forget", op, text, target="Rome")]
    bench.script.before = OnCall(_delete(bench, rome))
    event_id = bench.post("Forget that I live in Rome near Milan")
    bench.step()

    assert bench.texts() == []
    assert bench.results(event_id) == []
    assert sum(bench.event(event_id).rejections.values()) == 1
    assert column(bench.db, "SELECT count(*) FROM memories") == [1]
    assert bench.indexed() == {}


def test_a_deleted_text_is_not_added_back(bench: Bench) -> None:
    """The window said it too, before the deletion: dropped; said again afterwards: a new memory."""
    rome = _rome(bench)
    bench.script.before = OnCall(_delete(bench, rome))
    dropped = bench.post("I live in Rome")
    bench.step()
    assert (bench.texts(), bench.results(dropped)) == ([], [])
    assert bench.event(dropped).rejections == {"deleted": 1}

    again = bench.post("I live in Rome")
    bench.step()
    assert bench.results(again) == [("ADD", "I live in Rome")]
    assert bench.memory("I live in Rome").id != rome


def test_a_delete_all_meanwhile_stands(bench: Bench) -> None:
    """The work in flight is discarded, its event ends erased, and what is said afterwards is kept."""
    _rome(bench)
    bench.script.before = OnCall(_erase(bench))
    event_id = bench.post("I work in Turin")
    done = bench.step()

    assert done == Done((), ())
    assert (bench.texts(), bench.event(event_id).erased, bench.results(event_id)) == ([], True, [])
    assert bench.indexed() == {}
    after = bench.post("I study in Pisa")
    bench.drain()
    assert bench.results(after) == [("ADD", "I study in Pisa")]
    assert bench.texts() == ["I study in Pisa"]


@contextmanager
def _working(bench: Bench) -> Iterator[Gate]:
    """One worker stands at the extractor while the block runs, and is let go at its end."""
    gate = Gate()
    bench.script.before = gate
    worker = threading.Thread(target=bench.step)
    worker.start()
    gate.wait_entered()
    bench.script.before = bool
    yield gate
    gate.open()
    worker.join(timeout=20)
    assert not worker.is_alive()


def test_a_worker_that_lost_its_lease_changes_nothing(bench: Bench) -> None:
    """Its lease ran out at the extractor, another worker did the work: each fact once, the event ends once."""
    event_id = bench.post("I live in Rome")
    with _working(bench):
        change(bench.db, "UPDATE scopes SET lease_until = clock_timestamp() - interval '1 s'")
        bench.step()
        assert bench.results(event_id) == [("ADD", "I live in Rome")]
        before = rows(bench.db, "SELECT * FROM events, event_payloads, memories, memory_versions")

    assert rows(bench.db, "SELECT * FROM events, event_payloads, memories, memory_versions") == before
    assert column(bench.db, "SELECT pending_live FROM scopes") == [0]


def test_a_stale_worker_does_not_free_the_new_ones_lease(bench: Bench) -> None:
    """The first one comes back while the second is still at work: the second's claim holds."""
    bench.post("I live in Rome")
    first = load(bench.parts, bench.claim(owner="old"))
    assert isinstance(first, Work)
    change(bench.db, "UPDATE scopes SET lease_until = clock_timestamp() - interval '1 s'")
    second = bench.claim(owner="new")

    for ending in (remember, _snoozing, _failing):
        assert attempt(bench.parts, first, ending) == Done((), ())
    assert bench.texts() == []
    assert bench.db.run(lambda session: scopes.hold(session, second))
    done = run(bench.parts, second)
    assert len(done.finished) == 1
    assert bench.texts() == ["I live in Rome"]


def _snoozing(parts: object, work: Work) -> Done:
    raise Snooze("away", provider="llm")


def _failing(parts: object, work: Work) -> Done:
    raise RuntimeError("a bug")


def test_many_users_are_worked_on_at_once(bench: Bench) -> None:
    """Scopes run in parallel: four workers stand at the extractor at the same time, none twice for one user."""
    from shared.model.scope import ScopeIds

    gate = Gate()
    bench.script.before = gate
    for number in range(4):
        for word in ("house", "boat"):
            bench.post(f"I own {word} {number}", ids=ScopeIds(user_id=str(number)))
    workers = [threading.Thread(target=bench.drain) for _ in range(6)]
    for worker in workers:
        worker.start()
    for _ in range(4):
        gate.wait_entered()
    assert claim(bench.db) is None
    gate.open()
    for worker in workers:
        worker.join(timeout=20)

    assert sorted(bench.script.windows) == [[f"I own house {n}", f"I own boat {n}"] for n in range(4)]
    assert bench.dispatcher.free == 8


def test_slots_and_the_bulk_share_bound_a_worker(make_bench: Callable[..., Bench]) -> None:
    """Four slots: three bulk windows at most, the last slot is for live work only; a fifth drain returns at once."""
    from shared.model.scope import ScopeIds

    bench = make_bench(slots=4)
    gate = Gate()
    bench.script.before = gate
    for number in range(5):
        bench.post(f"I own house {number}", ids=ScopeIds(user_id=str(number)), lane="bulk")
    workers = [threading.Thread(target=bench.drain) for _ in range(3)]
    for worker in workers:
        worker.start()
        gate.wait_entered()
    assert bench.drain() == 0
    bench.post("I live in Rome", ids=ScopeIds(user_id="live"))
    workers.append(threading.Thread(target=bench.drain))
    workers[-1].start()
    gate.wait_entered()
    assert (bench.dispatcher.free, bench.drain()) == (0, 0)
    assert column(bench.db, "SELECT count(*) FROM scopes WHERE lease_owner IS NOT NULL") == [4]
    gate.open()
    for worker in workers:
        worker.join(timeout=20)
    bench.drain_all()

    assert column(bench.db, "SELECT DISTINCT status FROM events") == ["SUCCEEDED"]
