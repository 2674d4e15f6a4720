"""The rules behind equal cuts, one by one: restored states, repeats of the last words, and what is told apart."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from shared.model.message import Message
from shared.model.plan import TellApart
from shared.model.record import Op
from tests.unit.model.equality import Fair
from tests.unit.model.equality_store import Post, Store
from tests.unit.model.plan_samples import NOON, at, decision, memory, outcome, plan, traits

APART, BESIDE = UUID(int=71), UUID(int=72)


def test_a_restored_state_starts_a_new_version() -> None:
    """Left and come back to in one window: the same words, valid anew, metadata of both messages."""
    first, second = traits(3, {"a": 1}), traits(4, {"b": 2})
    rome = memory("Lives in Rome")
    back = decision("SUPERSEDE", "Lives in Rome", [first, second], rome, stated_at=at(2), apart=APART)

    made = plan([back], [first, second], [rome])

    (new,) = made.changed.values()
    assert (new.version, new.text, new.valid_from, new.metadata) == (2, "Lives in Rome", at(2), {"a": 1, "b": 2})
    assert new.evidence_count == 3
    assert outcome(made) == [("UPDATE", "Lives in Rome", "Lives in Rome")]


def test_the_last_words_behind_the_target_state_nothing_new() -> None:
    """Said again, then changed: metadata and expiry of the change alone, both messages as sources."""
    again, change = traits(3, {"a": 1}, immutable=True), traits(4, {"b": 2}, expires_on=date(2027, 1, 1))
    rome = memory("Lives in Rome")
    opening = Message(UUID(int=1), again.event_id, 3, 0, "user", "I live in Rome", NOON)
    moved = decision(
        "SUPERSEDE", "Lives in Milan", [again, change], rome, opening=opening, following=(change.event_id,), apart=APART
    )

    heard = plan([moved], [again, change], [rome], last_words={rome.id: ("user", None, "I live in Rome")})
    other = plan([moved], [again, change], [rome], last_words={rome.id: ("user", "Ann", "I live in Rome")})

    assert (heard.changed[rome.id].metadata, heard.changed[rome.id].evidence_count) == ({"b": 2}, 3)
    assert heard.changed[rome.id].expires_on == date(2027, 1, 1)
    assert other.changed[rome.id].metadata == {"a": 1, "b": 2}


@pytest.mark.parametrize("op", ["REFINE", "SUPERSEDE", "RETRACT"])
def test_a_late_change_is_weighed_alone(op: Op) -> None:
    """Several statements are told apart first; then what stands beside it in the window."""
    event = traits(3)
    rome = memory("Lives in Rome")
    late = decision(op, "Lives in Milan", [event], rome, said_at=at(-1), beside=BESIDE)

    with pytest.raises(TellApart) as beside:
        plan([late], [event], [rome])
    assert beside.value.message_id == BESIDE


@pytest.mark.parametrize(
    ("op", "changes"),
    [("SUPERSEDE", {"said_at": at(-1)}), ("ADD", {}), ("SUPERSEDE", {"barred": True}), ("ADD", {"barred": True})],
    ids=["late", "known under another id", "immutable neighbour", "new beside an immutable one"],
)
def test_several_statements_that_change_nothing_are_told_apart(op: Op, changes: dict[str, object]) -> None:
    """Which of them vouches for what is there cannot be seen."""
    event = traits(3)
    rome = memory("Lives in Rome")
    several = decision(op, "Lives in Rome", [event], rome if op != "ADD" else None, apart=APART, **changes)

    with pytest.raises(TellApart) as apart:
        plan([several], [event], [rome])
    assert apart.value.message_id == APART


def test_several_statements_of_a_known_fact_may_be_one_same() -> None:
    """SAME says that all of them say so: nothing to tell apart, each is a source."""
    events = [traits(3), traits(4)]
    rome = memory("Lives in Rome")

    made = plan([decision("SAME", "Lives in Rome", events, rome, apart=APART)], events, [rome])

    assert made.changed[rome.id].evidence_count == 3


def test_a_window_is_one_call_where_nothing_must_be_told_apart() -> None:
    """Ten changes of one fact posted together cost one call, and are not worked on in parts."""
    store = Store(Fair())
    for seq in range(1, 11):
        store.post(Post((f"I live in {('Rome', 'Milan', 'Oslo')[seq % 3]}",), seq), seq)
    store.drain()

    assert store.calls == 1
    assert [one.text for one in store.current()] == ["Lives in Milan, before that Rome"]
