"""What a plan must not touch: newer knowledge, immutable and raw memories, what users changed or deleted meanwhile."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from shared.model.images import before_image, restored
from shared.model.plan import TargetChanged
from shared.model.record import RAW_KIND, Op
from shared.model.text import text_hash
from tests.unit.model.plan_samples import NOON, at, decision, memory, outcome, plan, shown, traits

CHANGES: list[Op] = ["REFINE", "SUPERSEDE"]


def test_a_late_supersede_adds_a_closed_memory() -> None:
    """What was said before the target was last observed is kept as past, and the target stays."""
    event = traits(9)
    milan = memory("Lives in Milan", valid_from=at(-1))

    made = plan([decision("SUPERSEDE", "Lives in Rome", [event], milan, said_at=at(-48))], [event], [milan])

    (past,) = made.inserted.values()
    assert (past.state, past.replaced_by, past.valid_from, past.valid_to) == ("replaced", milan.id, at(-48), at(-1))
    assert made.changed == {}
    assert made.to_index() == []
    assert outcome(made) == [("ADD", "Lives in Rome", None)]


def test_a_late_refine_adds_an_open_memory() -> None:
    """It contradicts nothing, so it stands beside the target."""
    event = traits(9)
    old = memory("Lives in Milan")

    made = plan([decision("REFINE", "Lives in Milan, near Brera", [event], old, said_at=at(-1))], [event], [old])

    (added,) = made.inserted.values()
    assert (added.state, added.valid_to) == ("current", None)
    assert made.changed == {}


def test_a_late_retract_is_dropped() -> None:
    """Said before the target was observed: it cannot have meant it."""
    event = traits(9)
    old = memory("Lives in Milan")

    made = plan([decision("RETRACT", "Lives in Milan", [event], old, said_at=at(-1))], [event], [old])

    assert (made.changed, made.results) == ({}, [])
    assert made.dropped == {event.event_id: {"late": 1}}


@pytest.mark.parametrize("op", CHANGES)
def test_a_change_said_at_the_same_moment_is_not_late(op: Op) -> None:
    """Two messages of one second: the later accepted one wins."""
    event = traits(9)
    old = memory("Lives in Milan")

    made = plan([decision(op, "Lives in Rome", [event], old, said_at=NOON)], [event], [old])

    assert made.changed[old.id].text == "Lives in Rome"


@pytest.mark.parametrize("op", CHANGES)
def test_immutable_memories_are_added_beside(op: Op) -> None:
    """Reconciliation never changes an immutable memory."""
    event = traits(9)
    old = memory("Lives in Milan", immutable=True)

    made = plan([decision(op, "Lives in Rome", [event], old)], [event], [old])

    assert (made.changed, outcome(made)) == ({}, [("ADD", "Lives in Rome", None)])


def test_immutable_memories_are_not_retracted() -> None:
    """A retraction of an immutable memory is counted and dropped."""
    event = traits(9)
    old = memory("Lives in Milan", immutable=True)

    made = plan([decision("RETRACT", "Lives in Milan", [event], old)], [event], [old])

    assert (made.changed, made.dropped) == ({}, {event.event_id: {"immutable": 1}})


@pytest.mark.parametrize("op", [*CHANGES, "SAME"])
def test_raw_memories_are_added_beside(op: Op) -> None:
    """Messages stored as they are stay as they are."""
    event = traits(9)
    raw = memory("I live in Milan", kind=RAW_KIND, hash=b"raw")

    made = plan([decision(op, "Lives in Rome", [event], raw)], [event], [raw])

    assert (made.changed, outcome(made)) == ({}, [("ADD", "Lives in Rome", None)])


def test_raw_memories_can_be_retracted() -> None:
    """The one op that may touch them."""
    event = traits(9)
    raw = memory("I live in Milan", kind=RAW_KIND, hash=b"raw")

    made = plan([decision("RETRACT", "I live in Milan", [event], raw)], [event], [raw])

    assert made.changed[raw.id].state == "retracted"


@pytest.mark.parametrize("op", [*CHANGES, "SAME", "RETRACT"])
def test_a_target_changed_meanwhile_stops_the_plan(op: Op) -> None:
    """A user's PATCH between recall and commit: the window must be run again."""
    event = traits(9)
    seen = memory("Lives in Rome")
    now = memory("Lives in Paris", id=seen.id, version=2)

    with pytest.raises(TargetChanged):
        plan([decision(op, "Lives in Milan", [event], seen)], [event], [now])


@pytest.mark.parametrize("op", [*CHANGES, "SAME"])
def test_on_the_last_run_a_changed_target_is_left_alone(op: Op) -> None:
    """Changes turn into ADDs; what the user wrote stands."""
    event = traits(9)
    seen = memory("Lives in Rome")
    now = memory("Lives in Paris", id=seen.id, version=2)

    made = plan([decision(op, "Lives in Milan", [event], seen)], [event], [now], insist=True)

    assert (made.changed, outcome(made)) == ({}, [("ADD", "Lives in Milan", None)])


def test_on_the_last_run_a_retraction_of_a_changed_target_is_dropped() -> None:
    """Nothing is ended that was not seen."""
    event = traits(9)
    seen = memory("Lives in Rome")
    now = memory("Lives in Paris", id=seen.id, version=2)

    made = plan([decision("RETRACT", "Lives in Rome", [event], seen)], [event], [now], insist=True)

    assert (made.changed, made.dropped) == ({}, {event.event_id: {"target_changed": 1}})


@pytest.mark.parametrize("op", [*CHANGES, "SAME", "RETRACT"])
def test_what_aimed_at_a_deleted_memory_is_dropped(op: Op) -> None:
    """The user deleted it while the extractor worked: nothing of it comes back, not even as an ADD."""
    event = traits(9)
    seen = memory("Lives in Rome")
    gone = memory("Lives in Rome", id=seen.id, version=2, state="deleted")

    made = plan([decision(op, "Lives in Rome, near the river", [event], seen)], [event], [gone])

    assert (made.inserted, made.changed) == ({}, {})
    assert made.dropped == {event.event_id: {"target_deleted": 1}}


@pytest.mark.parametrize("op", CHANGES)
def test_what_aimed_at_an_erased_memory_is_dropped(op: Op) -> None:
    """An erased row is not there any more; it is treated like a deleted one."""
    event = traits(9)

    made = plan([decision(op, "Lives in Milan", [event], shown(memory("Lives in Rome")))], [event])

    assert (made.inserted, made.dropped) == ({}, {event.event_id: {"target_deleted": 1}})


@pytest.mark.parametrize(("seqs", "kept"), [((5,), False), ((4, 5), False), ((11,), True), ((5, 11), True)])
def test_a_deleted_text_comes_back_only_when_said_again(*, seqs: tuple[int, ...], kept: bool) -> None:
    """Messages accepted before the deletion (seq 10) cannot restore it; one accepted later can."""
    events = [traits(seq) for seq in seqs]

    made = plan([decision("ADD", "lives in Rome.", events)], events, forgotten={text_hash("Lives in Rome"): 10})

    assert bool(made.inserted) is kept
    assert made.dropped == ({} if kept else {events[-1].event_id: {"deleted": 1}})


def test_a_change_cannot_bring_deleted_words_back_either() -> None:
    """REFINE or SUPERSEDE to a text that was deleted meanwhile is dropped; the target stays."""
    event = traits(5)
    old = memory("Lives in Milan")

    made = plan(
        [decision("SUPERSEDE", "Lives in Rome", [event], old)], [event], [old],
        forgotten={text_hash("Lives in Rome"): 10},
    )  # fmt: skip

    assert (made.changed, made.dropped) == ({}, {event.event_id: {"deleted": 1}})


def test_two_changes_of_one_memory_in_one_window_are_applied_in_order() -> None:
    """The second change meets what the first one wrote, not a stranger's change: two versions, no further run."""
    first, second = traits(1), traits(2)
    old = memory("Lives in Rome")
    facts = [
        decision("SUPERSEDE", "Lives in Milan", [first], old),
        decision("REFINE", "Lives in Milan, near Brera", [second], old),
    ]

    made = plan(facts, [first, second], [old])

    assert (made.changed[old.id].text, made.changed[old.id].version) == ("Lives in Milan, near Brera", 3)
    assert [(version.version, version.old_text) for version in made.versions] == [
        (2, "Lives in Rome"), (3, "Lives in Milan"),
    ]  # fmt: skip
    assert outcome(made) == [
        ("UPDATE", "Lives in Milan", "Lives in Rome"),
        ("UPDATE", "Lives in Milan, near Brera", "Lives in Milan"),
    ]


def test_a_change_of_what_this_window_retracted_is_an_add() -> None:
    """Retracted by one message, stated anew by the next: the closed one stays closed."""
    first, second = traits(1), traits(2)
    old = memory("Lives in Rome")
    facts = [
        decision("RETRACT", "Lives in Rome", [first], old),
        decision("SUPERSEDE", "Lives in Milan", [second], old),
    ]

    made = plan(facts, [first, second], [old])

    assert made.changed[old.id].state == "retracted"
    assert outcome(made) == [("DELETE", "Lives in Rome", None), ("ADD", "Lives in Milan", None)]


def test_a_memory_is_retracted_once() -> None:
    """Two messages that say "forget it" report one DELETE."""
    first, second = traits(1), traits(2)
    old = memory("Lives in Rome")
    facts = [decision("RETRACT", "Lives in Rome", [event], old) for event in (first, second)]

    made = plan(facts, [first, second], [old])

    assert outcome(made) == [("DELETE", "Lives in Rome", None)]
    assert made.dropped == {second.event_id: {"target_changed": 1}}


def test_same_does_not_count_as_a_change() -> None:
    """Evidence for a memory does not stand in the way of a change by the next message."""
    first, second = traits(1), traits(2)
    old = memory("Lives in Rome")
    facts = [decision("SAME", "Lives in Rome", [first], old), decision("SUPERSEDE", "Lives in Milan", [second], old)]

    made = plan(facts, [first, second], [old])

    assert (made.changed[old.id].text, made.changed[old.id].version) == ("Lives in Milan", 2)


def test_drops_are_counted_by_reason_on_the_owner() -> None:
    """Two drops of one reason on one event."""
    event = traits(1)
    made = plan([decision("RETRACT", "a", [event]), decision("RETRACT", "b", [event])], [event])

    assert made.dropped == {event.event_id: {"no_target": 2}}


def test_the_before_image_is_json_and_complete_enough_to_undo() -> None:
    """Dates become ISO texts, empty ones are left out."""
    image = before_image(memory("Lives in Rome", happens_at=at(1), categories=("home",), metadata={"a": 1}))

    assert image is not None
    assert (image["text"], image["metadata"], image["categories"]) == ("Lives in Rome", {"a": 1}, ["home"])
    assert image["happens_at"] == at(1).isoformat()
    assert "valid_to" not in image
    assert before_image(None) is None


def test_a_repeat_vouches_for_a_fact_without_stating_it() -> None:
    """Messages that repeat the shown one add evidence and are observed; metadata and validity are the shown one's."""
    first, again = traits(1, {"a": 1}), traits(2, {"b": 2}, immutable=True)
    fact = decision(
        "ADD", "Lives in Rome", [first, again], owner=first.event_id, stating=(first.event_id,), observed_at=at(5)
    )

    (added,) = plan([fact], [first, again]).inserted.values()

    assert (added.metadata, added.immutable, added.evidence_count) == ({"a": 1}, False, 2)
    assert (added.valid_from, added.observed_at) == (at(1), at(5))


def test_an_image_brings_back_what_was() -> None:
    """Every field that a change may replace, whatever replaced it."""
    old = memory("Lives in Rome", happens_at=at(1), categories=("home",), metadata={"a": 1}, expires_on=NOON.date())
    image = before_image(old)
    changed = replace(
        old, text="Lives in Milan", index_text="x", happens_at=None, valid_to=at(5), metadata=None, categories=(),
        state="retracted", evidence_count=9, weight=1, expires_on=None, speaker="Ann",
    )  # fmt: skip

    assert image is not None
    assert restored(changed, json.loads(json.dumps(image))) == old
