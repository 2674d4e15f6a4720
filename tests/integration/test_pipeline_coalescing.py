"""Many events, few calls: what shares a window, who owns which result, and that cuts change nothing."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from shared.model.message import Rules
from shared.model.scope import ScopeIds
from tests.factories import column, rows, said
from tests.integration.pipeline_bench import Bench, Gate, Says


def test_twenty_events_behind_one_call_are_the_next_call(bench: Bench) -> None:
    """While one window is with the extractor, 20 more events pile up; each gets its own result of one more call."""
    gate = Gate()
    bench.script.before = gate
    bench.post("I own house 0")
    worker = threading.Thread(target=bench.drain)
    worker.start()
    gate.wait_entered()
    made = [bench.post(f"I own house {number}") for number in range(1, 21)]
    gate.open()
    worker.join(timeout=20)

    assert [len(window) for window in bench.script.windows] == [1, 20]
    assert [bench.results(event_id) for event_id in made] == [
        [("ADD", f"I own house {number}")] for number in range(1, 21)
    ]
    assert sum(bench.event(event_id).usage["prompt_tokens"] for event_id in made) == 100


def test_equal_adds_of_many_events_make_one_memory(bench: Bench) -> None:
    """Shown once, one row, one ADD for the first event, a source for every message."""
    made = [bench.post("I live in Rome") for _ in range(12)]
    bench.step()

    assert bench.script.windows == [["I live in Rome"]]
    memory = bench.memory("I live in Rome")
    assert memory.evidence_count == 12
    assert len(bench.sources(memory)) == 12
    assert [bench.results(event_id) for event_id in made] == [[("ADD", "I live in Rome")], *([[]] * 11)]
    assert bench.event(made[0]).results[0]["id"] == str(memory.id)


def test_equal_facts_of_different_messages_make_one_memory(bench: Bench) -> None:
    """Said in other words but extracted alike: one row that cites both messages, nothing refused."""
    bench.script.rules = [Says("Rome", text="I live in Rome")]
    first, second = bench.post("Well I live in Rome"), bench.post("Yes I live in Rome now")
    bench.step()

    memory = bench.memory("I live in Rome")
    assert bench.sources(memory) == ["Well I live in Rome", "Yes I live in Rome now"]
    assert (bench.results(first), bench.results(second)) == ([("ADD", "I live in Rome")], [])
    assert bench.event(second).rejections == {}


def test_two_changes_of_one_memory_in_one_window_both_count(bench: Bench) -> None:
    """Posted together or one by one, the last statement stands; no message's change is lost."""
    bench.post("I live in Rome")
    bench.step()
    rome = bench.memory("I live in Rome")
    bench.script.rules = [Says("Milan", "SUPERSEDE", target="I live"), Says("Oslo", "SUPERSEDE", target="I live")]
    bench.post("I live in Milan")
    bench.post("I live in Oslo")
    bench.step()

    (memory,) = bench.memories()
    assert (memory.id, memory.text) == (rome.id, "I live in Oslo")


def test_evidence_for_a_memory_does_not_hinder_its_change(bench: Bench) -> None:
    """One message of the window confirms, the next one changes."""
    bench.post("I live in Rome")
    bench.step()
    bench.script.rules = [
        Says("Still", "SAME", "I live in Rome", target="Rome"), Says("Milan", "SUPERSEDE", target="Rome"),
    ]  # fmt: skip
    bench.post("Still I live in Rome")
    event_id = bench.post("I live in Milan")
    bench.step()

    assert bench.texts() == ["I live in Milan"]
    assert bench.results(event_id) == [("UPDATE", "I live in Milan")]


def test_what_reaches_the_prompt_must_be_equal(bench: Bench) -> None:
    """Other instructions, another time zone: windows of their own, in accept order."""
    bench.post("I own house 1")
    bench.post("I own house 2", rules=Rules("be brief"))
    bench.post("I own house 3", rules=Rules("be brief"))
    bench.post("I own house 4", timezone="Asia/Tokyo")
    bench.drain()

    assert bench.script.windows == [
        ["I own house 1"], ["I own house 2", "I own house 3"], ["I own house 4"],
    ]  # fmt: skip


def test_metadata_and_expiry_do_not_split_a_window(bench: Bench) -> None:
    """They reach memories, not the prompt; each memory gets those of its own event."""
    bench.post("I own house 1", metadata={"n": 1})
    bench.post("I own house 2", metadata={"n": 2}, immutable=True)
    bench.step()

    assert [(memory.metadata, memory.immutable) for memory in bench.memories()] == [({"n": 1}, False), ({"n": 2}, True)]


def test_windows_grow_under_backlog_only(bench: Bench) -> None:
    """16 messages a window; with more than that pending, 40."""
    bench.post(*(f"I own house {number}" for number in range(16)))
    bench.drain()
    bench.post(*(f"I own boat {number}" for number in range(17)))
    bench.drain()
    bench.post(*(f"I own plane {number}" for number in range(90)))
    bench.drain()

    assert [len(window) for window in bench.script.windows] == [16, 17, 40, 40, 10]


def test_an_event_over_several_windows_ends_once_with_all_results(bench: Bench) -> None:
    """Results in order of the messages, usage of all its windows."""
    event_id = bench.post(*(f"I own house {number}" for number in range(50)))
    assert bench.step().finished == ()
    assert (bench.event(event_id).status, len(bench.event(event_id).results)) == ("PENDING", 40)
    (finished,) = bench.step().finished

    assert finished.event_id == event_id
    assert bench.results(event_id) == [("ADD", f"I own house {number}") for number in range(50)]
    assert bench.event(event_id).usage == {"calls": 2, "prompt_tokens": 200}


def test_lanes_are_windows_of_their_own(bench: Bench) -> None:
    """A live event does not wait behind bulk ones, and they share no call."""
    bench.post("I own house 1", lane="bulk")
    live = bench.post("I own house 2")
    bench.step()

    assert bench.event(live).ended
    assert bench.script.windows == [["I own house 2"]]
    bench.step()
    assert len(bench.memories()) == 2


PLACES = ("Rome", "Milan", "Oslo", "Bergen")
VERBS = ("live", "work", "study")
MORNING = datetime(2026, 5, 6, 8, tzinfo=UTC)


@pytest.mark.parametrize("seed", range(4))
def test_any_cut_of_the_same_messages_gives_the_same_memories(bench: Bench, seed: int) -> None:
    """One by one, or in random windows: texts, metadata, dates and sources of what is current are equal."""
    chance = random.Random(seed)
    texts = [f"I {verb} in {chance.choice(PLACES)}" for verb in chance.choices(VERBS, k=14)]
    cuts = [chance.randint(1, 6) for _ in range(14)]
    bench.script.rules = [Says(f"{verb} in", "SUPERSEDE", target=f"{verb} in") for verb in VERBS]

    one_by_one = _told(bench, ScopeIds(user_id="single"), texts, [1] * 14)
    in_windows = _told(bench, ScopeIds(user_id="cut"), texts, cuts)

    assert in_windows == one_by_one
    assert {str(memory[0]).split()[1] for memory in one_by_one} == set(VERBS)


def _told(bench: Bench, ids: ScopeIds, texts: list[str], cuts: list[int]) -> list[tuple[object, ...]]:
    """What is current after these messages, each a minute after the one before, in windows of these sizes."""
    for verb in VERBS:
        bench.post(said(f"I {verb} in Paris", at=MORNING), ids=ids)
        bench.step()
    left = [(number, said(text, at=MORNING + timedelta(minutes=number))) for number, text in enumerate(texts, 1)]
    for size in cuts:
        for number, text in left[:size]:
            bench.post(text, ids=ids, metadata={str(number): number})
        left = left[size:]
        bench.drain()
    return sorted(
        (one.text, str(one.metadata), bench.sources(one), one.valid_from, one.observed_at, one.created_at)
        for one in bench.memories(ids)
    )


def test_history_never_runs_backwards(bench: Bench) -> None:
    """Versions in commit order have non-decreasing seqs, and events end in accept order."""
    bench.script.rules = [Says("live in", "SUPERSEDE", target="live in")]
    for number in range(30):
        bench.post(f"I live in {PLACES[number % 4]}", f"I own house {number}")
        if number % 7 == 0:
            bench.step()
    bench.drain()

    seqs = column(bench.db, "SELECT seq FROM memory_versions ORDER BY commit_order")
    assert seqs == sorted(seqs)
    ends = rows(bench.db, "SELECT seq, completed_at FROM events ORDER BY seq")
    assert all(one["completed_at"] <= two["completed_at"] for one, two in pairwise(ends))
