"""What each of the five ops does to a memory, its history, its sources and its event's results."""

from __future__ import annotations

from datetime import date

import pytest

from shared.model.memory import Memory
from tests.unit.model.plan_samples import EXTRACTOR, IDS, NOON, at, decision, memory, outcome, plan, source, traits


def test_add_makes_a_memory_with_history_sources_and_a_result() -> None:
    """ADD writes version 1, cites its messages, reports to the owner and asks for an index write."""
    event = traits(7, {"app": "chat"}, expires_on=date(2027, 1, 1), immutable=True)
    fact = decision("ADD", "Lives in Rome", [event], embedding="vector", categories=("home",), speaker="Alex")

    made = plan([fact], [event])

    (added,) = made.inserted.values()
    assert (added.text, added.version, added.state, added.evidence_count) == ("Lives in Rome", 1, "current", 1)
    assert (added.ids, added.metadata, added.expires_on, added.immutable) == (
        IDS, {"app": "chat"}, date(2027, 1, 1), True,
    )  # fmt: skip
    assert (added.valid_from, added.observed_at, added.extractor) == (at(1), at(1), EXTRACTOR)
    assert (added.categories, added.speaker) == (("home",), "Alex")
    (version,) = made.versions
    assert (version.memory_id, version.version, version.op, version.old_text, version.new_text) == (
        added.id, 1, "ADD", None, "Lives in Rome",
    )  # fmt: skip
    assert (version.event_id, version.seq, version.before) == (event.event_id, 7, None)
    assert made.sources == [(added.id, 1, fact.sources[0])]
    assert made.embeddings == {added.id: (1, "vector")}
    assert made.to_index() == [added]
    assert [result.as_dict() for result in made.results] == [
        {"id": str(added.id), "memory": "Lives in Rome", "event": "ADD"}
    ]


def test_a_callers_own_timestamp_dates_the_memory() -> None:
    """`created_at` is the message's own time when the caller gave one, else now."""
    event = traits(1)
    stamped = decision("ADD", "Lives in Rome", [event], stamped_at=at(-50), valid_from=at(-100))
    made = plan([stamped, decision("ADD", "Likes tea", [event])], [event])

    rome, tea = made.inserted.values()
    assert (rome.created_at, rome.valid_from) == (at(-50), at(-100))
    assert (tea.created_at, tea.valid_from) == (at(2), at(1))


def test_refine_keeps_id_sources_and_named_dates() -> None:
    """REFINE is the next version of the same truth: sources carried over, evidence added, dates kept unless named."""
    event = traits(3, {"b": 2})
    old = memory(
        "Lives in Rome", metadata={"a": 1, "b": 1}, evidence_count=2, happens_at=at(30), precision="day", weight=3,
        categories=("home",), speaker="Alex", expires_on=date(2027, 1, 1),
    )  # fmt: skip

    made = plan([decision("REFINE", "Lives in Rome, in Trastevere", [event], old)], [event], [old])

    (new,) = made.changed.values()
    assert (new.id, new.version, new.text) == (old.id, 2, "Lives in Rome, in Trastevere")
    assert (new.metadata, new.evidence_count, new.valid_from) == ({"a": 1, "b": 2}, 3, at(1))
    assert (new.happens_at, new.precision) == (at(30), "day")
    assert (new.categories, new.weight) == (("home",), 2)
    assert (new.speaker, new.expires_on, new.immutable) == (None, None, False)
    assert new.observed_at == at(1)
    assert made.carried == [(old.id, 1, 2)]
    assert outcome(made) == [("UPDATE", "Lives in Rome, in Trastevere", "Lives in Rome")]
    (version,) = made.versions
    assert (version.op, version.version, version.old_text) == ("REFINE", 2, "Lives in Rome")
    assert version.before is not None
    assert version.before["text"] == "Lives in Rome"
    assert made.to_index() == [new]


def test_supersede_starts_a_new_truth_under_the_same_id() -> None:
    """SUPERSEDE: new validity, the evidence of what it replaced stays behind it, dates of the old statement gone."""
    event = traits(3)
    old = memory("Lives in Rome", evidence_count=4, happens_at=at(30), precision="day", metadata={"a": 1})

    made = plan([decision("SUPERSEDE", "Lives in Milan", [event], old)], [event], [old])

    (new,) = made.changed.values()
    assert (new.id, new.version, new.state, new.evidence_count) == (old.id, 2, "current", 5)
    assert (new.valid_from, new.happens_at, new.precision, new.metadata) == (at(1), None, None, {"a": 1})
    assert made.carried == [(old.id, 1, 2)]
    assert [(memory_id, version) for memory_id, version, _ in made.sources] == [(old.id, 2)]
    assert outcome(made) == [("UPDATE", "Lives in Milan", "Lives in Rome")]


def test_retract_ends_a_memory_and_keeps_it() -> None:
    """RETRACT: state retracted from the moment it was said, history goes on, index drops it, DELETE reported."""
    event = traits(3)
    old = memory("Lives in Rome")

    made = plan([decision("RETRACT", "Lives in Rome", [event], old)], [event], [old])

    (closed,) = made.changed.values()
    assert (closed.state, closed.version, closed.valid_to, closed.text) == ("retracted", 2, at(1), "Lives in Rome")
    (version,) = made.versions
    assert (version.op, version.old_text, version.new_text) == ("RETRACT", "Lives in Rome", None)
    assert outcome(made) == [("DELETE", "Lives in Rome", None)]
    assert made.to_index() == [closed]
    assert made.embeddings == {}


def test_same_adds_evidence_and_nothing_else() -> None:
    """SAME: no result, no version, no index write, no metadata; evidence, source and observed_at grow."""
    event = traits(3, {"new": True})
    old = memory("Lives in Rome", evidence_count=2)
    fact = decision("SAME", "Lives in Rome", [event], old)

    made = plan([fact], [event], [old])

    (kept,) = made.changed.values()
    assert (kept.version, kept.evidence_count, kept.observed_at, kept.metadata) == (1, 3, at(1), None)
    assert kept.updated_at == old.updated_at
    assert made.sources == [(old.id, 1, fact.sources[0])]
    assert (made.results, made.versions, made.to_index()) == ([], [], [])


def test_same_from_an_old_message_does_not_turn_time_back() -> None:
    """A late SAME is evidence, but what was observed later stays observed later."""
    event = traits(3)
    old = memory("Lives in Rome")

    made = plan([decision("SAME", "Lives in Rome", [event], old, said_at=at(-5))], [event], [old])

    assert made.changed[old.id].observed_at == NOON


@pytest.mark.parametrize("words", ["lives in  ROME", "Lives in Rome.", "Ｌives in Rome"])
def test_add_of_a_known_text_is_same(words: str) -> None:
    """One row per fact: equal but for case, space, width or a final stop means SAME."""
    event = traits(3)
    old = memory("Lives in Rome")

    made = plan([decision("ADD", words, [event])], [event], [old])

    assert (made.inserted, made.results) == ({}, [])
    assert made.changed[old.id].evidence_count == 2


def test_equal_adds_of_many_events_make_one_row() -> None:
    """The first event owns the ADD; the others add sources and report nothing."""
    events = [traits(seq) for seq in range(1, 6)]
    facts = [decision("ADD", "Likes tea", [event]) for event in events]

    made = plan(facts, events)

    (added,) = made.inserted.values()
    assert added.evidence_count == 5
    assert [result.event_id for result in made.results] == [events[0].event_id]
    assert {item for _, _, item in made.sources} == {fact.sources[0] for fact in facts}
    assert len(made.versions) == 1


@pytest.mark.parametrize("op", ["REFINE", "SUPERSEDE"])
def test_reaching_another_memorys_text_folds_the_target_into_it(op: str) -> None:
    """The target is closed as replaced by the twin, the twin gains evidence, the event reports DELETE."""
    event = traits(3)
    rome, milan = memory("Lives in Rome"), memory("Lives in Milan")
    fact = decision(op, "lives in Milan.", [event], rome)  # type: ignore[arg-type]

    made = plan([fact], [event], [rome, milan])

    closed, twin = made.changed[rome.id], made.changed[milan.id]
    assert (closed.state, closed.replaced_by, closed.version, closed.valid_to) == ("replaced", milan.id, 2, at(1))
    assert (twin.text, twin.version, twin.evidence_count) == ("Lives in Milan", 1, 2)
    assert outcome(made) == [("DELETE", "Lives in Rome", None)]
    assert made.to_index() == [closed]
    assert (milan.id, 1, fact.sources[0]) in made.sources


@pytest.mark.parametrize("op", ["REFINE", "SUPERSEDE"])
def test_a_change_to_the_same_words_is_same(op: str) -> None:
    """Only case or a full stop differs: no new version."""
    event = traits(3)
    old = memory("Lives in Rome")

    made = plan([decision(op, "lives in rome", [event], old)], [event], [old])  # type: ignore[arg-type]

    assert (made.versions, made.results) == ([], [])
    assert made.changed[old.id].evidence_count == 2


def test_metadata_of_all_cited_events_merge_in_accept_order() -> None:
    """Later keys win; immutable and expiry come from the last cited event."""
    first = traits(1, {"a": 1, "b": 1}, expires_on=date(2026, 5, 1), immutable=True)
    last = traits(2, {"b": 2, "c": 3})

    made = plan([decision("ADD", "Lives in Rome", [first, last])], [first, last])

    (added,) = made.inserted.values()
    assert added.metadata == {"a": 1, "b": 2, "c": 3}
    assert (added.expires_on, added.immutable, added.evidence_count) == (None, False, 2)


def test_history_follows_accept_order_whatever_the_extractors_order() -> None:
    """Decisions are applied by the seq of their event, so that version seqs never fall."""
    events = [traits(seq) for seq in (1, 2, 3)]
    facts = [decision("ADD", f"Fact {event.seq}", [event]) for event in reversed(events)]

    made = plan(facts, events)

    assert [version.seq for version in made.versions] == [1, 2, 3]


def test_a_target_of_nobody_is_an_add() -> None:
    """An op without a target adds, except RETRACT, which has nothing to end."""
    event = traits(1)
    made = plan(
        [decision("SUPERSEDE", "Lives in Milan", [event]), decision("RETRACT", "Lives in Rome", [event])], [event]
    )

    assert outcome(made) == [("ADD", "Lives in Milan", None)]
    assert made.dropped == {event.event_id: {"no_target": 1}}


def _texts(made_from: list[Memory]) -> set[str]:
    return {item.text for item in made_from if item.state == "current"}


def test_texts_may_travel_between_memories() -> None:
    """A gives up its words and B takes them in the same window: both stay, each with its own id."""
    first, second = traits(1), traits(2)
    a, b = memory("Lives in Rome"), memory("Lives in Milan")
    facts = [
        decision("SUPERSEDE", "Lives in Oslo", [first], a),
        decision("SUPERSEDE", "Lives in Rome", [second], b),
    ]

    made = plan(facts, [first, second], [a, b])

    assert (made.changed[a.id].text, made.changed[b.id].text) == ("Lives in Oslo", "Lives in Rome")
    assert _texts(list(made.changed.values())) == {"Lives in Oslo", "Lives in Rome"}


def test_swapped_texts_end_as_they_would_one_by_one() -> None:
    """A takes B's words (A folds into B), then B takes A's old ones: one memory is left, nothing collides."""
    first, second = traits(1), traits(2)
    a, b = memory("Lives in Rome"), memory("Lives in Milan")
    facts = [
        decision("SUPERSEDE", "Lives in Milan", [first], a),
        decision("SUPERSEDE", "Lives in Rome", [second], b),
    ]

    made = plan(facts, [first, second], [a, b])

    assert (made.changed[a.id].state, made.changed[a.id].replaced_by) == ("replaced", b.id)
    assert (made.changed[b.id].state, made.changed[b.id].text, made.changed[b.id].version) == (
        "current", "Lives in Rome", 2,
    )  # fmt: skip


def test_a_freed_text_can_be_added_again() -> None:
    """After a SUPERSEDE in the same window the old words are free for another memory."""
    first, second = traits(1), traits(2)
    old = memory("Likes tea")
    facts = [decision("SUPERSEDE", "Likes coffee", [first], old), decision("ADD", "Likes tea", [second])]

    made = plan(facts, [first, second], [old])

    (added,) = made.inserted.values()
    assert (added.text, made.changed[old.id].text) == ("Likes tea", "Likes coffee")


def test_quotes_stay_with_their_sources() -> None:
    """What commit writes for a source is what check found."""
    event = traits(1)
    cited = source("live in Rome")

    made = plan([decision("ADD", "Lives in Rome", [event], sources=(cited,))], [event])

    assert [item for _, _, item in made.sources] == [cited]
