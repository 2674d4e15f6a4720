"""From accepted messages to memories: the five ops, results, versions, history, sources and the index."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.db.events import Finished
from shared.model.record import Op
from shared.model.scope import ScopeIds
from tests.factories import column, rows, said
from tests.integration.pipeline_bench import Bench, Says


def test_a_message_becomes_a_memory(bench: Bench) -> None:
    """ADD end to end: the event's result, the row, its history, its source, its point."""
    event_id = bench.post("I live in Rome", metadata={"a": 1})

    done = bench.step()

    memory = bench.memory("I live in Rome")
    assert bench.event(event_id).results == [{"id": str(memory.id), "memory": "I live in Rome", "event": "ADD"}]
    assert (memory.version, memory.state, memory.metadata, memory.kind) == (1, "current", {"a": 1}, "knowledge")
    assert memory.extractor == {"name": "openai", "model": "scripted", "prompt_version": "1"}
    assert bench.history(memory) == [(1, "ADD", "I live in Rome")]
    assert bench.sources(memory) == ["I live in Rome"]
    assert rows(bench.db, 'SELECT start, "end", quote FROM memory_sources') == [
        {"start": 0, "end": 14, "quote": "I live in Rome"}
    ]
    assert done.finished == (Finished(event_id, None),)
    assert bench.indexed() == {memory.id: 1}
    assert bench.found("Where is Rome") == [memory.id]
    assert column(bench.db, "SELECT count(*) FROM index_queue") == [0]
    (scope,) = rows(bench.db, "SELECT pending_live, pending_bytes, lease_owner FROM scopes")
    assert scope == {"pending_live": 0, "pending_bytes": 0, "lease_owner": None}
    assert bench.event(event_id).usage == {"calls": 1, "prompt_tokens": 100}


def _after(bench: Bench, op: Op, words: str, text: str | None = None) -> tuple[Bench, object]:
    bench.script.rules = [Says("I live in Rome"), Says(words, op, text, target="I live in Rome")]
    bench.post("I live in Rome")
    bench.step()
    event_id = bench.post(words)
    bench.step()
    return bench, event_id


def test_supersede_updates_in_place(bench: Bench) -> None:
    """UPDATE with the previous text; same id, next version, the source of what it replaces stays, the index follows."""
    bench.post("I live in Rome")
    bench.step()
    old = bench.memory("I live in Rome")
    bench.script.rules = [Says("Milan", "SUPERSEDE", target="Rome")]
    event_id = bench.post("I live in Milan")
    bench.step()

    new = bench.memory("I live in Milan")
    assert (new.id, new.version, bench.texts()) == (old.id, 2, ["I live in Milan"])
    assert bench.event(event_id).results == [
        {"id": str(old.id), "memory": "I live in Milan", "event": "UPDATE", "previous_memory": "I live in Rome"}
    ]
    assert bench.history(new) == [(1, "ADD", "I live in Rome"), (2, "SUPERSEDE", "I live in Milan")]
    assert bench.sources(new) == ["I live in Rome", "I live in Milan"]
    assert bench.indexed() == {old.id: 2}
    assert (bench.found("Milan"), bench.found("Rome")) == ([old.id], [])
    first, second = rows(bench.db, "SELECT valid_from, valid_to FROM memory_versions ORDER BY version")
    assert first["valid_to"] == second["valid_from"]
    assert second["valid_to"] is None


def test_refine_keeps_the_sources_of_before(bench: Bench) -> None:
    """UPDATE that cites both messages; metadata of both events."""
    bench.post("I live in Rome", metadata={"a": 1, "b": 1})
    bench.step()
    bench.script.rules = [Says("Trastevere", "REFINE", target="Rome")]
    event_id = bench.post("I live in Rome near Trastevere", metadata={"b": 2})
    bench.step()

    memory = bench.memory("I live in Rome near Trastevere")
    assert bench.results(event_id) == [("UPDATE", "I live in Rome near Trastevere")]
    assert bench.sources(memory) == ["I live in Rome", "I live in Rome near Trastevere"]
    assert (memory.metadata, memory.evidence_count, memory.version) == ({"a": 1, "b": 2}, 2, 2)


def test_retract_ends_a_memory(bench: Bench) -> None:
    """DELETE reported, the row kept as retracted, the point gone."""
    bench.post("I live in Rome")
    bench.step()
    old = bench.memory("I live in Rome")
    bench.script.rules = [Says("Forget", "RETRACT", target="Rome")]
    event_id = bench.post("Forget that I live in Rome")
    bench.step()

    assert bench.texts() == []
    assert bench.event(event_id).results == [{"id": str(old.id), "memory": "I live in Rome", "event": "DELETE"}]
    assert rows(bench.db, "SELECT state, version, valid_to IS NOT NULL AS ended FROM memories") == [
        {"state": "retracted", "version": 2, "ended": True}
    ]
    assert bench.indexed() == {}


def test_same_reports_nothing_and_adds_a_source(bench: Bench) -> None:
    """No result, no version; one more message vouches for the fact."""
    bench.post("I live in Rome")
    bench.step()
    bench.script.rules = [Says("Rome", "SAME", "I live in Rome", target="Rome")]
    event_id = bench.post("Sure, I live in Rome")
    bench.step()

    memory = bench.memory("I live in Rome")
    assert bench.results(event_id) == []
    assert (memory.version, memory.evidence_count) == (1, 2)
    assert bench.sources(memory) == ["I live in Rome", "Sure, I live in Rome"]


def test_a_change_to_a_known_text_folds_two_memories(bench: Bench) -> None:
    """SUPERSEDE reaching another memory's text: DELETE of the target, replaced by the twin, no constraint broken."""
    bench.post("I live in Rome", "I live in Milan")
    bench.step()
    rome, milan = bench.memory("I live in Rome"), bench.memory("I live in Milan")
    bench.script.rules = [Says("Milan", "SUPERSEDE", "I live in Milan", target="Rome")]
    event_id = bench.post("In fact I live in Milan")
    bench.step()

    assert bench.results(event_id) == [("DELETE", "I live in Rome")]
    assert bench.texts() == ["I live in Milan"]
    assert rows(bench.db, "SELECT state, replaced_by FROM memories WHERE id = %s", rome.id) == [
        {"state": "replaced", "replaced_by": milan.id}
    ]
    assert bench.indexed() == {milan.id: 1}


def test_words_move_from_one_memory_to_another_in_one_window(bench: Bench) -> None:
    """A gives its text up, B takes it: the unique text of the scope stands in nobody's way."""
    bench.post("I study at Oslo", "I work at Bergen")
    bench.step()
    first, second = bench.memory("I study at Oslo"), bench.memory("I work at Bergen")
    bench.script.rules = [
        Says("Narvik", "SUPERSEDE", target="study"),
        Says("I study at Oslo", "SUPERSEDE", target="Bergen"),
    ]
    bench.post("I study at Narvik", "I study at Oslo but work")
    bench.script.rules[1] = Says("I study at Oslo but", "SUPERSEDE", "I study at Oslo", target="Bergen")
    bench.step()

    assert {memory.id: memory.text for memory in bench.memories()} == {
        first.id: "I study at Narvik", second.id: "I study at Oslo",
    }  # fmt: skip


def test_a_late_message_never_overwrites_newer_knowledge(bench: Bench) -> None:
    """Said a year ago, posted today: kept as past, the present stands."""
    bench.post("I live in Milan")
    bench.step()
    milan = bench.memory("I live in Milan")
    bench.script.rules = [Says("Rome", "SUPERSEDE", target="Milan")]
    event_id = bench.post(said("I live in Rome", at=datetime.now(UTC) - timedelta(days=365)))
    bench.step()

    assert bench.texts() == ["I live in Milan"]
    assert bench.results(event_id) == [("ADD", "I live in Rome")]
    (past,) = rows(bench.db, "SELECT state, replaced_by, valid_to, text FROM memories WHERE id <> %s", milan.id)
    assert (past["state"], past["replaced_by"], past["text"]) == ("replaced", milan.id, "I live in Rome")
    assert past["valid_to"] == milan.valid_from


def test_one_request_many_results(bench: Bench) -> None:
    """Several messages of one event: results in order of the messages, refused records counted by reason."""
    bench.script.rules = [Says("secret", text="The password is hunter2Horse9")]
    event_id = bench.post("I live in Rome", "My secret password is hunter2Horse9", "I work as a nurse")
    bench.step()

    assert bench.results(event_id) == [("ADD", "I live in Rome"), ("ADD", "I work as a nurse")]
    assert bench.event(event_id).rejections == {"secret": 1}


def test_scopes_do_not_see_each_other(bench: Bench) -> None:
    """The same words of two users are two memories, and neither is shown to the other's extractor."""
    other = ScopeIds(user_id="other")
    bench.post("I live in Rome")
    bench.post("I live in Rome", ids=other)
    assert bench.drain() == 2
    bench.post("I work in Turin", ids=other)
    bench.step()

    assert bench.texts() == ["I live in Rome"]
    assert bench.texts(other) == ["I live in Rome", "I work in Turin"]
    assert bench.script.shown == [[], [], ["I live in Rome"]]


def test_messages_nobody_may_learn_from_cost_no_call(bench: Bench) -> None:
    """System and tool messages alone: the event succeeds without asking the extractor."""
    event_id = bench.post(said("You are a helpful bot", "system"), said("42", "tool"))
    bench.step()

    assert bench.results(event_id) == []
    assert bench.script.windows == []


def test_the_extractor_sees_what_was_said_before(bench: Bench) -> None:
    """Earlier messages of the lane ride along for references and are not extracted again."""
    seen: list[list[str]] = []
    bench.script.before = lambda window: seen.append([message.text for message in window.earlier])
    for number in range(8):
        bench.post(f"I own house {number}")
        bench.step()

    assert seen[0] == []
    assert seen[-1] == [f"I own house {number}" for number in range(1, 7)]
    assert len(bench.memories()) == 8
