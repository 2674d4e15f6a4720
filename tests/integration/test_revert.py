"""Undoing one event: what it added goes, what it changed comes back, what others did since stays and is named."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.db import memory_edits, revert
from shared.db.revert import Kept, Reverted
from shared.errors import Conflict, NotFound
from tests.factories import column, rows
from tests.integration.pipeline_bench import Bench, Says


def undo(bench: Bench, event_id: UUID) -> Reverted:
    done = bench.db.run(lambda session: revert.revert(session, bench.project_id, event_id))
    bench.dispatcher.drain()
    return done


def tell(bench: Bench, *texts: str, **options: Any) -> UUID:
    event_id = bench.post(*texts, **options)
    bench.drain()
    return event_id


def shown(done: Reverted) -> list[tuple[str, str, str | None]]:
    return [(result.event, result.memory, result.previous_memory) for result in done.results]


def test_what_an_event_added_is_withdrawn(bench: Bench) -> None:
    """Retracted, out of lists, in history, and never true in hindsight; said again, it is a new memory."""
    event_id = tell(bench, "I live in Rome", "I own a piano")
    kept = tell(bench, "I own a canoe")
    rome = bench.memory("I live in Rome")

    done = undo(bench, event_id)

    assert shown(done) == [("DELETE", "I live in Rome", None), ("DELETE", "I own a piano", None)]
    assert bench.texts() == ["I own a canoe"]
    assert bench.history(rome) == [(1, "ADD", "I live in Rome"), (2, "REVERT", None)]
    assert column(bench.db, "SELECT count(*) FROM memory_versions WHERE valid_to > valid_from") == [0]
    assert bench.results(kept) == [("ADD", "I own a canoe")]
    tell(bench, "I live in Rome")
    assert bench.memory("I live in Rome").id != rome.id


@pytest.mark.parametrize("op", ["REFINE", "SUPERSEDE"])
def test_what_an_event_changed_is_as_it_was(bench: Bench, op: str) -> None:
    """Text, metadata, dates, evidence and sources of before, under the same id, as one more version."""
    tell(bench, "I live in Rome", metadata={"a": 1})
    before = bench.memory("I live in Rome")
    bench.script.rules = [Says("Monti", op, target="Rome")]  # type: ignore[arg-type]
    event_id = tell(bench, "I live in Rome near Monti", metadata={"a": 2, "b": 2}, immutable=True)

    done = undo(bench, event_id)

    after = bench.memory("I live in Rome")
    assert shown(done) == [("UPDATE", "I live in Rome", "I live in Rome near Monti")]
    assert (after.id, after.version, after.metadata, after.immutable) == (before.id, 3, {"a": 1}, False)
    assert (after.valid_from, after.observed_at, after.evidence_count, after.hash) == (
        before.valid_from, before.observed_at, 1, before.hash,
    )  # fmt: skip
    assert bench.sources(after) == ["I live in Rome"]
    assert bench.indexed() == {after.id: 3}
    assert (bench.found("Rome"), bench.found("Monti")) == ([after.id], [])


def test_what_an_event_ended_is_back(bench: Bench) -> None:
    """A retraction is undone: current again, found again."""
    tell(bench, "I live in Rome")
    rome = bench.memory("I live in Rome")
    bench.script.rules = [Says("Forget", "RETRACT", target="Rome")]
    event_id = tell(bench, "Forget that I live in Rome")

    done = undo(bench, event_id)

    assert shown(done) == [("ADD", "I live in Rome", None)]
    assert bench.memory("I live in Rome").id == rome.id
    assert bench.found("Rome") == [rome.id]


def test_an_events_evidence_is_withdrawn(bench: Bench) -> None:
    """It only said again what was known: the source goes, the memory stays."""
    tell(bench, "I live in Rome")
    before = bench.memory("I live in Rome")
    event_id = tell(bench, "I live in Rome")
    assert bench.memory("I live in Rome").evidence_count == 2

    done = undo(bench, event_id)

    after = bench.memory("I live in Rome")
    assert (done.results, done.evidence) == ((), 1)
    assert (after.evidence_count, after.observed_at, after.version) == (1, before.observed_at, 1)
    assert bench.sources(after) == ["I live in Rome"]


def test_what_was_changed_later_is_left_and_named(bench: Bench) -> None:
    """By another event, by a user, by deletion."""
    bench.script.rules = [Says("Milan", "SUPERSEDE", target="Rome")]
    event_id = tell(bench, "I live in Rome", "I own a piano", "I own a canoe")
    piano, canoe = bench.memory("I own a piano"), bench.memory("I own a canoe")
    later = tell(bench, "I live in Milan")
    milan = bench.memory("I live in Milan")
    bench.db.run(lambda s: memory_edits.delete(s, bench.project_id, piano.id))
    bench.db.run(lambda s: memory_edits.patch(s, bench.project_id, canoe.id, memory_edits.Patch("I own a red canoe")))

    done = undo(bench, event_id)

    assert done.results == ()
    assert set(done.kept) == {
        Kept(milan.id, "changed_later", later), Kept(piano.id, "deleted"), Kept(canoe.id, "changed_later"),
    }  # fmt: skip
    assert bench.texts() == ["I live in Milan", "I own a red canoe"]


def test_a_text_taken_meanwhile_comes_back_as_that_memory(bench: Bench) -> None:
    """One current row per text, also after undoing."""
    bench.script.rules = [Says("Milan", "SUPERSEDE", target="Rome")]
    tell(bench, "I live in Rome")
    rome = bench.memory("I live in Rome")
    event_id = tell(bench, "I live in Milan")
    bench.script.rules = []
    tell(bench, "I live in Rome")
    twin = bench.memory("I live in Rome")

    done = undo(bench, event_id)

    assert (bench.texts(), shown(done)) == (["I live in Rome"], [("DELETE", "I live in Milan", None)])
    assert rows(bench.db, "SELECT state, replaced_by FROM memories WHERE id = %s", rome.id) == [
        {"state": "replaced", "replaced_by": twin.id}
    ]


def test_undoing_twice_changes_nothing_more(bench: Bench) -> None:
    """The second time names what was undone already; the undoing is an event of its own."""
    event_id = tell(bench, "I live in Rome")
    first = undo(bench, event_id)
    second = undo(bench, event_id)

    assert [kept.why for kept in second.kept] == ["reverted"]
    assert second.results == ()
    event = bench.event(first.event_id)
    assert (event.kind, event.status, [result["event"] for result in event.results]) == (
        "revert", "SUCCEEDED", ["DELETE"],
    )  # fmt: skip
    seqs = column(bench.db, "SELECT seq FROM memory_versions ORDER BY commit_order")
    assert seqs == sorted(seqs)


def test_only_an_ended_add_can_be_undone(bench: Bench) -> None:
    """Unknown, pending and undoing events are refused by name."""
    with pytest.raises(NotFound):
        undo(bench, uuid4())
    pending = bench.post("I live in Rome")
    with pytest.raises(Conflict) as waiting:
        bench.db.run(lambda session: revert.revert(session, bench.project_id, pending))
    assert waiting.value.code == "event_not_ended"
    bench.drain()
    done = undo(bench, pending)
    with pytest.raises(Conflict) as undoing:
        undo(bench, done.event_id)
    assert undoing.value.code == "not_revertible"


def test_raw_messages_are_withdrawn_too(bench: Bench) -> None:
    """`infer=false` is undone like any add."""
    event_id = bench.post("as it is", infer=False)

    assert shown(undo(bench, event_id)) == [("DELETE", "as it is", None)]
    assert bench.texts() == []
