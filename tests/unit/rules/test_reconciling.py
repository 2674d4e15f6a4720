"""New statements against what is known: every op, its text, its target, and what must never be taken for the same."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.model.message import Message
from shared.model.record import Record
from tests.unit.rules.conversation import SAID_AT, known, said, window
from workers.rules.extractor import extract


def decide(text: str, *candidates: str, kind: str = "profile") -> list[tuple[str, int | None, str]]:
    """Op, target and text of every record that `text` leads to."""
    records = extract(window(text), known(*candidates, kind=kind)).records
    return [(record.op, record.target, record.text) for record in records]


SUPERSEDED = [
    ("I moved to Milan", "Lives in Rome", "Moved from Rome to Milan"),
    ("I live in Paris now", "Moved from Rome to Milan", "Lives in Paris now, previously in Milan"),
    ("I moved to Paris", "Lives in Milan, previously in Rome", "Moved from Milan to Paris"),
    ("I moved from Rome to Milan", "Lives in Rome", "Moved from Rome to Milan"),
    ("I work at Globex now", "Works at Acme as an engineer", "Works at Globex now, previously at Acme"),
    ("I work as a teacher", "Works as a nurse", "Works as a teacher, previously as nurse"),
    ("My name is Anna", "Name is Ana", "Name is Anna, previously Ana"),
    ("My name is Anna, not Ana", "Name is Ana", "Name is Anna, not Ana"),
    ("I'm 31", "Is 30 years old", "Is 31, previously 30"),
    ("My favourite color is green", "Favourite color is blue", "Favourite color is green, previously blue"),
    ("I'm vegan now", "Is vegetarian", "Is vegan now, previously vegetarian"),
    ("I got divorced", "Is married", "Got divorced, previously married"),
    ("My wife works at Globex", "Wife works at Acme", "Wife works at Globex, previously at Acme"),
    ("My budget is 3000 euros", "Budget is 2000 euros", "Budget is 3000 euros, previously 2000 euros"),
    ("I don't like olives", "Likes olives", "Doesn't like olives"),
    ("I hate olives", "Loves olives", "Hates olives"),
    ("I can eat peanuts", "Can't eat peanuts", "Can eat peanuts"),
    ("I don't eat meat", "Eats meat", "Doesn't eat meat"),
]


@pytest.mark.parametrize(("text", "before", "after"), SUPERSEDED, ids=[case[0] for case in SUPERSEDED])
def test_a_new_state_supersedes(text: str, before: str, after: str) -> None:
    """The new state with what it replaces, against the one candidate it is about."""
    assert decide(text, "Has a sister called Eva", before) == [("SUPERSEDE", 1, after)]


SAME = [
    ("I live in Rome", "Lives in Rome"),
    ("I live in Rome!", "lives in  Rome."),
    ("I live in Milan", "Moved from Rome to Milan"),
    ("I work at Acme", "Works at Acme as an engineer"),
    ("I love sushi", "Likes sushi"),
    ("I have a dog", "Has a dog named Rex"),
    ("I want to go to Rome", "Wants to go to Rome in July"),
    ("Ich wohne in Bonn", "Ich wohne in Bonn."),
    ("我住在北京。", "我住在北京"),
]


@pytest.mark.parametrize(("text", "before"), SAME, ids=[f"{case[0]} / {case[1]}" for case in SAME])
def test_what_is_known_is_the_same(text: str, before: str) -> None:
    """The candidate says it already, perhaps with more detail; its text stands."""
    assert decide(text, before) == [("SAME", 0, before)]


REFINED = [
    ("I have a dog named Rex", "Has a dog", "Has a dog named Rex"),
    ("I want to go to Rome in July", "Wants to go to Rome", "Wants to go to Rome in July"),
    ("I work at Acme as an engineer", "Works at Acme", "Works at Acme as an engineer"),
    ("I play the old piano every Sunday", "Plays the piano", "Plays the old piano every Sunday"),
]


@pytest.mark.parametrize(("text", "before", "after"), REFINED, ids=[case[0] for case in REFINED])
def test_more_detail_refines(text: str, before: str, after: str) -> None:
    """The richer statement holds all of the poorer one."""
    assert decide(text, before) == [("REFINE", 0, after)]


ADDED = [
    ("I have 3 dogs", "Has a dog"),
    ("I run 5 km every day", "Runs 10 km every day"),
    ("I like Tom Hanks", "Likes Tom"),
    ("I like pizza without cheese", "Likes pizza with cheese"),
    ("I take the pill twice a day", "Takes the pill once a day"),
    ("I want to go to Rome in August", "Wants to go to Rome in July"),
    ("I used to play the piano", "Plays the piano"),
    ("My brother lives in Milan", "Lives in Rome"),
    ("My brother lives in Milan", "Brother lives in Rome"),
    ("I went to Rome yesterday", "Went to Rome on 2025-01-01"),
    ("I work at Globex", "Lives in Rome"),
    ("I moved to Milan", "Lives in Rome and works at Acme"),
    ("I also work as a teacher", "Works as a nurse"),
    ("I'm also studying French", "Is studying Spanish"),
]


@pytest.mark.parametrize(("text", "before"), ADDED, ids=[f"{case[0]} / {case[1]}" for case in ADDED])
def test_different_things_stay_apart(text: str, before: str) -> None:
    """Other numbers, names, dates, people, negations, or a text that says more than the one attribute."""
    assert [(op, target) for op, target, _ in decide(text, before)] == [("ADD", None)]


RETRACTED = [
    ("Forget that I like olives", "Likes olives"),
    ("Please forget about my job at Acme", "Works at Acme"),
    ("I don't eat meat any more", "Eats meat"),
    ("I no longer live in Rome", "Lives in Rome"),
    ("I'm not vegetarian anymore", "Is vegetarian"),
    ("I stopped working at Acme", "Works at Acme as an engineer"),
    ("It's not true that I live in Rome", "Lives in Rome"),
    ("I never said that I like olives", "Likes olives"),
]


@pytest.mark.parametrize(("text", "before"), RETRACTED, ids=[case[0] for case in RETRACTED])
def test_what_is_taken_back_is_retracted(text: str, before: str) -> None:
    """Only the memory it is about; its own text names what ends."""
    assert decide(text, "Eats chicken", before) == [("RETRACT", 1, before)]


def test_an_end_without_a_memory_is_a_fact() -> None:
    """There is nothing to end, but it is worth knowing."""
    assert decide("I don't eat meat any more", "Eats chicken") == [("ADD", None, "Doesn't eat meat any more")]


def test_forgetting_what_is_not_known_leaves_nothing() -> None:
    """The request itself is no memory."""
    assert decide("Forget that I like olives", "Eats chicken") == []
    assert decide("Forget it", "Eats chicken") == []


def test_that_is_not_true_takes_back_the_statement_before() -> None:
    """In the same message, in the window, and before it."""
    assert decide("I live in Rome. That's not true any more.") == []
    assert extract(window("I live in Rome", "That was never true"), ()).records == ()
    later = window("That's not true any more")
    later = type(later)(messages=later.messages, earlier=(said("I live in Rome"),))
    records = extract(later, known("Lives in Rome")).records
    assert [(record.op, record.target) for record in records] == [("RETRACT", 0)]


def test_an_end_and_its_replacement_are_one_change() -> None:
    """No retraction beside the new state."""
    assert decide("I don't live in Rome any more, I moved to Milan", "Lives in Rome") == [
        ("SUPERSEDE", 0, "Moved from Rome to Milan")
    ]


def test_only_the_last_state_of_a_window_counts() -> None:
    """Two changes of one target become one record that cites both."""
    records = extract(window("I moved to Milan", "I moved to Paris"), known("Lives in Rome")).records
    assert [(r.op, r.target, r.text, r.src) for r in records] == [("SUPERSEDE", 0, "Moved from Milan to Paris", (1, 0))]
    assert records[0].quote == "I moved to Paris"


def test_a_change_inside_the_window_is_one_new_memory() -> None:
    """Only the final state, citing both, first the message that states it."""
    records = extract(window("I live in Rome", "I have a dog", "I moved to Milan"), ()).records
    assert [(r.op, r.text, r.src) for r in records] == [
        ("ADD", "Moved from Rome to Milan", (2, 0)),
        ("ADD", "Has a dog", (1,)),
    ]


def test_a_repeat_is_one_record_with_both_sources() -> None:
    """The second time is evidence, not news."""
    (new,) = extract(window("I have a dog", "I have a dog."), ()).records
    assert (new.op, new.src) == ("ADD", (0, 1))
    (same,) = extract(window("I have a dog", "I have a dog."), known("Has a dog")).records
    assert (same.op, same.target, same.src) == ("SAME", 0, (0, 1))


def test_an_exact_match_beats_a_change() -> None:
    """Where the store already holds both, nothing is overwritten."""
    assert decide("I live in Milan", "Lives in Milan", "Lives in Rome") == [("SAME", 0, "Lives in Milan")]


def test_people_are_kept_apart() -> None:
    """What Maria says changes nothing of Tom's or of the unnamed user's."""
    candidates = known("Tom lives in Rome", "Lives in Oslo", "Maria lives in Bonn")
    records = extract(window(said("I moved to Milan", speaker="Maria"), said("hm", speaker="Tom")), candidates).records
    assert [(r.op, r.target, r.text) for r in records] == [("SUPERSEDE", 2, "Maria moved from Bonn to Milan")]


def test_an_immutable_memory_is_never_changed() -> None:
    """A contradiction is added beside it; a repeat still counts."""
    candidates = known("Lives in Rome", immutable=True)
    assert [r.op for r in extract(window("I moved to Milan"), candidates).records] == ["ADD"]
    assert [r.op for r in extract(window("Forget that I live in Rome"), candidates).records] == []
    assert [r.op for r in extract(window("I live in Rome"), candidates).records] == ["SAME"]


def test_a_raw_message_is_only_retracted() -> None:
    """Messages stored as they are keep their bytes."""
    candidates = known("Lives in Rome", kind="raw")
    assert [r.op for r in extract(window("I moved to Milan"), candidates).records] == ["ADD"]
    assert [r.op for r in extract(window("Forget that I live in Rome"), candidates).records] == ["RETRACT"]


def test_a_late_message_changes_nothing_newer() -> None:
    """What was said before the memory's newest source names it; commit then adds it closed, in favour of the newer."""
    candidates = known("Lives in Milan", observed_at=SAID_AT)
    late = said("I live in Rome", at=SAID_AT - timedelta(days=30))
    (record,) = extract(window(late), candidates).records
    assert (record.op, record.target, record.text) == ("SUPERSEDE", 0, "Lives in Rome")
    assert record.until == "2026-05-07"


def _one_by_one(*texts: str) -> list[str]:
    """The current texts after each message came in a window of its own."""
    current: list[str] = []
    earlier: tuple[Message, ...] = ()
    for text in texts:
        shown = replace(window(text), earlier=earlier)
        earlier = (*earlier, *shown.messages)
        records: tuple[Record, ...] = extract(shown, known(*current)).records
        for record in sorted(records, key=lambda record: record.op != "RETRACT"):
            if record.op == "ADD":
                current.append(record.text)
            elif record.op == "RETRACT" and record.target is not None:
                current[record.target] = ""
            elif record.target is not None:
                current[record.target] = record.text
        current = [text for text in current if text]
    return sorted(current)


POOL = """I live in Rome.|I moved to Milan.|I don't live in Milan any more.|I like sushi.|I don't like sushi anymore.
I hate sushi.|I have a dog.|I don't have a dog.|My dog is called Rex.|My dog is called Max.|I work at Acme.
I no longer work at Acme.
I am vegetarian.|I'm vegan now.|My favorite color is blue.|My favorite color is green.|I can't swim.|I can swim.|I'm 31.
Forget that my favorite color is green.|That's not true any more.|On Mondays I play chess.|I play chess on Mondays.
just kidding|thank you for your suggestion|No, I live in Rome.|I live in Rome with my wife."""


def test_random_conversations_end_alike_however_they_are_cut() -> None:
    """Contradictions, takebacks, repeats and courtesy in any order: one window, or one message at a time."""
    dice = random.Random(5)
    pool = [text for line in POOL.splitlines() for text in line.split("|")]
    for _ in range(100):
        texts = dice.choices(pool, k=dice.randint(2, 5))
        at_once = sorted(record.text for record in extract(window(*texts), ()).records)
        assert at_once == _one_by_one(*texts), texts


CONVERSATIONS = [
    ("I live in Rome", "I moved to Milan", "I moved to Paris", "I have a dog", "I have a dog named Rex"),
    ("I like olives", "I hate olives", "I like olives"),
    ("I work at Acme", "I'm 30", "I work at Globex", "I'm 31", "I love tea"),
    ("I live in Rome", "I don't live in Rome any more", "I live in Rome"),
    ("My name is Ana", "forget that my name is Ana", "My name is Eva"),
    ("I have a dog named Rex", "I have a dog", "My dog is called Max", "My dog is called Rex"),
]


@pytest.mark.parametrize("texts", CONVERSATIONS, ids=[" / ".join(texts) for texts in CONVERSATIONS])
def test_posted_at_once_or_one_by_one_is_equal(texts: tuple[str, ...]) -> None:
    """The cut into windows does not show in what is remembered."""
    at_once = sorted(record.text for record in extract(window(*texts), ()).records)
    assert at_once == _one_by_one(*texts)
