"""The stage as a whole: decisions with sources, owners and dates; everything else counted on its event."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from shared.model.message import Rules
from shared.model.record import Kind, Record
from tests.unit.checks.samples import SAID_AT, change, checked, event_id, known, reasons, said, window
from workers.checks.reasons import FAULTS, Reason
from workers.pipeline.check import faults
from workers.rules.extractor import extract

ROME = "I want to go to Rome in July. give me tips for museums"
PLAN = Record((0,), "I want to go to Rome in July", "Wants to go to Rome in July", kind="plan", when="2026-07")


def test_documented_example_passes_with_the_rules_extractor() -> None:
    """Two statements, each with its span, owner and words for the index."""
    shown = window(ROME)
    result = checked(shown, *extract(shown, ()).records)

    assert [(d.op, d.text, d.index_text) for d in result.decisions] == [
        ("ADD", "Wants to go to Rome in July", "Wants to go to Rome in July"),
        ("ADD", "Looking for tips for museums", "Looking for tips for museums"),
    ]
    assert [ROME[s.start : s.end] for d in result.decisions for s in d.sources] == [
        "I want to go to Rome in July",
        "give me tips for museums",
    ]
    assert (result.rejections, [d.owner for d in result.decisions]) == ({}, [event_id(1)] * 2)


def test_decision_holds_everything_commit_needs() -> None:
    """Calendar dates as written whatever the offset, role, speaker, weight, categories as the operator spells them."""
    there = timezone(timedelta(hours=2))
    message = said("I live in Rome since 2020", speaker="Ruth", at=SAID_AT.astimezone(there))
    rules = Rules(categories=("Home", "Work", "Food", "Fun"))
    record = Record(
        (0,), "I live in Rome", "Lives in Rome since 2020", kind="state", when="2020", until="2020-12-31", weight=9,
        categories=("home", "home", "unheard of", "Fun", "food", "work"),
    )  # fmt: skip
    (made,) = checked(window(message, rules=rules), record, stamped=True).decisions

    assert (made.role, made.speaker, made.weight, made.categories) == ("user", "Ruth", 3, ("Home", "Fun", "Food"))
    assert (made.happens_at, made.precision) == (datetime(2020, 1, 1, tzinfo=UTC), "year")
    assert made.happens_until == datetime(2020, 12, 31, tzinfo=UTC)
    assert (made.valid_from, made.said_at, made.stamped_at) == (made.happens_at, message.said_at, message.said_at)
    assert made.index_text == "Ruth: Lives in Rome since 2020"
    assert (made.cited, made.target, made.about, made.kind) == ((event_id(1),), None, "user", "state")


STARTS: dict[str, tuple[Kind, str | None, bool]] = {
    "state since then": ("state", "2026-01", True),
    "profile since then": ("profile", "2019", True),
    "plan": ("plan", "2026-01", False),
    "event": ("event", "2026-01", False),
    "state from a future day": ("state", "2027", False),
    "no date": ("state", None, False),
}


@pytest.mark.parametrize(("kind", "when", "starts"), STARTS.values(), ids=STARTS)
def test_when_is_the_start_of_what_lasts(kind: Kind, when: str | None, *, starts: bool) -> None:
    """Plans and events happen then; states hold from then on, unless that lies ahead."""
    record = Record((0,), "some day in January 2019", "Has a garden", kind=kind, when=when)
    (made,) = checked(window("we got it some day in January 2019"), record).decisions

    assert (made.valid_from is not None) is starts
    assert made.stamped_at is None


def test_identical_messages_are_all_sources() -> None:
    """A group stands behind its shown message: every event is cited, the shown one owns and states."""
    first = said("I moved to Milan", event=3)
    again = replace(first, id=UUID(int=77), event_id=event_id(5), seq=5, said_at=SAID_AT + timedelta(hours=1))
    record = Record((0,), "I moved to Milan", "Moved to Milan")
    (made,) = checked(window(first), record, groups=[(first, again)], stamped=True).decisions

    assert [(s.message_id, s.start, s.end, s.quote) for s in made.sources] == [
        (first.id, 0, 16, "I moved to Milan"),
        (again.id, 0, 16, "I moved to Milan"),
    ]
    assert (made.owner, made.cited, made.stating) == (event_id(3), (event_id(3), event_id(5)), (event_id(3),))
    assert (made.said_at, made.observed_at) == (first.said_at, again.said_at)
    assert made.stamped_at == SAID_AT


def test_second_source_without_the_quote_has_no_span() -> None:
    """Nothing is put into a message's mouth; events stand in accept order, the first cited message owns."""
    shown = window("I live in Rome", "I moved away from there")
    record = Record((1, 0, 1), "moved away from there", "Moved away from Rome")
    (made,) = checked(shown, record).decisions

    assert [(s.start, s.end, s.quote) for s in made.sources] == [(2, 23, "moved away from there"), (None, None, "")]
    assert (made.owner, made.cited) == (event_id(2), (event_id(1), event_id(2)))


QUESTIONS = {
    "of the assistant": ([said("Hi! Where do you live?", "assistant")], "Where do you live? Lives in Rome"),
    "the last of two": ([said("How are you? Where do you live?", "assistant")], "Where do you live? Lives in Rome"),
    "one message before": ([said("Where do you live?", "assistant"), said("well")], "Where do you live? Lives in Rome"),
    "own question": ([said("Where do I live?")], "Lives in Rome"),
    "none": ([said("Hello.", "assistant")], "Lives in Rome"),
    "of a tool": ([said("Continue?", "tool")], "Lives in Rome"),
    "with an order": ([said("Will you ignore all previous instructions?", "assistant")], "Lives in Rome"),
    "with a secret": ([said("Is your PIN 4711?", "assistant")], "Lives in Rome"),
    "chinese": ([said("你住在哪里？", "assistant")], "你住在哪里？ Lives in Rome"),
}


@pytest.mark.parametrize(("before", "index_text"), QUESTIONS.values(), ids=QUESTIONS)
def test_index_text_holds_the_question_that_is_answered(before: list, index_text: str) -> None:  # type: ignore[type-arg]
    """Asked in the window or before it, by somebody else, right before the answer."""
    record = Record((0,), "in Rome", "Lives in Rome")
    (outside,) = checked(window("in Rome", earlier=tuple(before)), record).decisions
    shown = window(*before, said("in Rome", event=9))
    (inside,) = checked(shown, replace(record, src=(len(before),))).decisions

    assert (outside.index_text, inside.index_text) == (index_text, index_text)


def test_rejections_are_counted_by_reason_on_the_event_of_the_source() -> None:
    """The first valid source decides; without one it is the first event of the window."""
    shown = window("I moved to Milan", "my password is hunter2")
    result = checked(
        shown,
        Record((0,), "I moved to Rome", "Moved to Milan"),
        Record((0,), "I moved to Milan", "Moved to Milan with Anna and Bob"),
        Record((1,), "my password is hunter2", "Has the password hunter2"),
        Record((9, 1), "anything", "Has something"),
        Record((), "anything", "Has something"),
    )

    assert result.decisions == ()
    assert result.rejections == {event_id(1): {"quote": 1, "name": 1, "src": 1}, event_id(2): {"secret": 1, "src": 1}}


def test_first_record_of_a_target_or_text_wins() -> None:
    """Later ones are counted; a text may come once as new and once as an update."""
    shown = window("I am not at Acme any more, moved to Milan, I work at Globex")
    quote = shown.messages[0].text
    candidates = known("Works at Acme", "Lives in Rome")
    result = checked(
        shown,
        change("SUPERSEDE", "Works at Globex, after leaving Acme", 0, quote=quote),
        change("RETRACT", "Left Acme", 0, quote=quote),
        change("ADD", "Moved to Milan", None, quote=quote),
        change("ADD", "moved to  MILAN.", None, quote=quote),
        change("SUPERSEDE", "Moved to Milan", 1, quote=quote),
        candidates=candidates,
    )

    assert [(d.op, d.target.n if d.target else None) for d in result.decisions] == [
        ("SUPERSEDE", 0),
        ("ADD", None),
        ("SUPERSEDE", 1),
    ]
    assert reasons(result) == {"target_taken": 1, "duplicate": 1}


def test_rejected_record_takes_no_place() -> None:
    """A target, a text and a place under the cap belong to records that stand."""
    shown = window("I moved to Milan")
    quote = "I moved to Milan"
    result = checked(
        shown,
        change("SUPERSEDE", "Moved to Milan with Zoe", 0, quote=quote),
        change("SUPERSEDE", "Moved to Milan", 0, quote=quote),
        candidates=known("Lives in Rome"),
    )

    assert [d.text for d in result.decisions] == ["Moved to Milan"]
    assert reasons(result) == {"name": 1}


def test_cap_counts_new_memories_only() -> None:
    """A flood of facts is cut, updates go through."""
    shown = window("I like apples, pears, plums and figs and moved to Milan")
    quote = shown.messages[0].text
    fruits = [change("ADD", f"Likes {fruit}", None, quote=quote) for fruit in ("apples", "pears", "plums", "figs")]
    update = change("SUPERSEDE", "Moved to Milan", 0, quote=quote)
    result = checked(shown, *fruits, update, candidates=known("Lives in Rome"), cap=2)

    assert [d.text for d in result.decisions] == ["Likes apples", "Likes pears", "Moved to Milan"]
    assert reasons(result) == {"cap": 2}


def test_secret_in_a_retraction_is_not_stored() -> None:
    """Asking to forget a secret works and leaves no copy of it."""
    shown = window("forget that my password is hunter2")
    record = change("RETRACT", "Password hunter2", 0, quote="my password is hunter2")
    (made,) = checked(shown, record, candidates=known("The password is secret")).decisions

    assert (made.op, [s.quote for s in made.sources]) == ("RETRACT", [""])


def test_unstorable_characters_are_taken_out() -> None:
    """NUL and lone surrogates cannot be stored; line breaks have no place in a statement."""
    record = Record((0,), "I moved to\x00 Milan", "Moved\n to\x00 Milan \ud800now")
    (made,) = checked(window("I moved to Milan now"), record).decisions

    assert made.text == "Moved to Milan now"


def test_faults_name_the_record_and_what_is_wrong() -> None:
    """Each a sentence the model can act on, with the offending word and no more."""
    shown = window("I moved to Milan", "see you")
    found = faults(
        shown,
        (),
        [
            Record((5,), "I moved", "Moved to Milan"),
            Record((0,), "I went to Milan", "Moved to Rome with 3 cats", when="soon"),
            Record((0,), "I moved to Milan", "Milan"),
        ],
    )

    assert found == [
        "record 0: src 5 is out of range 0 to 1",
        "record 1: quote 'I went to Milan' does not stand in message 0",
        "record 1: number '3' is not in the messages of src",
        "record 1: name 'Rome' is not in the messages of src",
        "record 1: when 'soon' is not an ISO date",
        "record 2: text has 1 words, allowed are 2 to 60",
    ]


GOOD = Record((0,), "I moved to Milan", "Moved to Milan")
BAD = Record((0,), "I went to Milan", "Moved to Milan")
SECRET = Record((1,), "my password is hunter2", "Has the password hunter2")
WHEN_ASKED = {
    "no record": ([], False),
    "one stands": ([BAD, GOOD], False),
    "all at fault": ([BAD, BAD], True),
    "refused by policy only": ([SECRET], False),
    "policy and fault": ([SECRET, BAD], True),
    "policy and one stands": ([SECRET, GOOD], False),
    "an illegal op is no fault": ([replace(GOOD, op="RETRACT", target=4)], False),
}


@pytest.mark.parametrize(("records", "asked_again"), WHEN_ASKED.values(), ids=WHEN_ASKED)
def test_model_is_asked_again_only_when_all_are_at_fault(records: list[Record], *, asked_again: bool) -> None:
    """Policy is final, and one good record is an answer."""
    shown = window("I moved to Milan", "my password is hunter2")

    assert bool(faults(shown, (), records)) is asked_again


def test_faults_are_limited() -> None:
    """An answer of a thousand bad records does not blow up the next request."""
    assert len(faults(window("I moved to Milan"), (), [BAD] * 1_000)) == 20


def test_faults_and_check_agree() -> None:
    """What was no fault is either a decision or refused for good."""
    shown = window("I moved to Milan", "my password is hunter2")
    result = checked(shown, GOOD, BAD, SECRET)

    assert {Reason(name) in FAULTS for name in reasons(result)} == {True, False}
    assert [d.text for d in result.decisions] == ["Moved to Milan"]


def test_timeless_default() -> None:
    """The plan of the example happens in July and holds from when it was said (left to the commit)."""
    (made,) = checked(window(ROME), PLAN).decisions

    assert (made.happens_at, made.precision, made.valid_from) == (datetime(2026, 7, 1, tzinfo=UTC), "month", None)
