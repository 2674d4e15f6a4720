"""When a window cannot be worked on: snooze, narrow, fail with a code, retry; never an empty success, nothing lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.db import breakers
from shared.errors import Narrow, PermanentFailure, Snooze
from shared.model.message import Window
from tests.factories import change, column, rows
from tests.integration.pipeline_bench import Bench
from workers.dispatch import Dispatcher
from workers.pipeline.run import run


class Fails:
    """Raises these errors, one a call, then lets everything through."""

    def __init__(self, *errors: Exception) -> None:
        self.left = list(errors)

    def __call__(self, window: Window) -> None:
        if self.left:
            raise self.left.pop(0)


def _poisoned(words: str, error: Exception) -> Callable[[Window], None]:
    """Fails for every window that holds a message with these words."""

    def before(window: Window) -> None:
        if any(words in message.text for message in window.messages):
            raise error

    return before


def _attempts(bench: Bench) -> list[tuple[str, int, int, int]]:
    found = rows(bench.db, "SELECT status, attempts, crash_count, snoozes FROM events ORDER BY seq")
    return [(row["status"], row["attempts"], row["crash_count"], row["snoozes"]) for row in found]


def _wait(bench: Bench) -> float:
    """Seconds until the live lane is due."""
    (wait,) = column(bench.db, "SELECT available_live - clock_timestamp() FROM scopes")
    return float(wait.total_seconds())


def _due_now(bench: Bench) -> None:
    change(bench.db, "UPDATE scopes SET available_live = clock_timestamp()")


def test_a_snooze_costs_no_attempt_and_delays_the_lane(bench: Bench) -> None:
    """As long as the provider asked; waiters are told; the work is done afterwards."""
    bench.script.before = Fails(Snooze("busy", code="rate_limited", provider="llm", retry_after=20))
    event_id = bench.post("I live in Rome", reply_to="api-1")

    done = bench.step()

    assert (done.snoozed, [event.reply_to for event in done.finished]) == (20, ["api-1"])
    assert _attempts(bench) == [("PENDING", 0, 0, 1)]
    assert 18 < _wait(bench) <= 20
    assert 18 < bench.event(event_id).wait <= 20
    assert bench.drain() == 0
    assert column(bench.db, "SELECT lease_owner FROM scopes") == [None]
    _due_now(bench)
    bench.drain()
    assert bench.results(event_id) == [("ADD", "I live in Rome")]
    assert _attempts(bench)[0][3] == 0


def test_snoozes_without_a_wish_wait_longer_each_time(bench: Bench) -> None:
    """1, 2, 4 .. 60 seconds; no number of them ends an event."""
    bench.script.before = Fails(*(Snooze("away", provider="llm") for _ in range(9)))
    event_id = bench.post("I live in Rome")
    pauses = []
    for _ in range(9):
        pauses.append(bench.step().snoozed)
        _due_now(bench)

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    bench.step()
    assert bench.results(event_id) == [("ADD", "I live in Rome")]


@pytest.mark.parametrize("poison", [0, 7, 15])
def test_a_poison_message_fails_alone(bench: Bench, poison: int) -> None:
    """16 events in a window, one cannot be worked on: it is FAILED with the code, 15 succeed, in accept order."""
    made = [bench.post(f"I own house {number}") for number in range(16)]
    bench.script.before = _poisoned(f"house {poison}", Narrow("no", code="llm_refused"))
    bench.drain()

    event = bench.event(made[poison])
    assert (event.status, event.error_code, event.error_detail) == ("FAILED", "llm_refused", "no")
    assert event.failed == [0]
    others = [event_id for number, event_id in enumerate(made) if number != poison]
    assert [len(bench.results(event_id)) for event_id in others] == [1] * 15
    assert {row[1:] for row in _attempts(bench)} <= {(1, 0, 0), (0, 0, 0)}
    ends = column(bench.db, "SELECT completed_at FROM events ORDER BY seq")
    assert ends == sorted(ends)
    assert rows(bench.db, "SELECT pending_live, pending_bytes, lease_owner FROM scopes") == [
        {"pending_live": 0, "pending_bytes": 0, "lease_owner": None}
    ]


def test_a_poison_message_among_an_events_own_is_partial(bench: Bench) -> None:
    """Its other messages count; the failed index is named."""
    bench.script.before = _poisoned("boat", PermanentFailure("bad answer", code="llm_invalid_output"))
    event_id = bench.post("I own house 1", "I own boat 2", "I own house 3")
    bench.drain()

    event = bench.event(event_id)
    assert (event.status, event.error_code, event.failed) == ("FAILED", "partial", [1])
    assert [result["memory"] for result in event.results] == ["I own house 1", "I own house 3"]


def test_narrowing_reaches_the_poison_in_few_calls(bench: Bench) -> None:
    """Halving, not one message at a time."""
    for number in range(16):
        bench.post(f"I own house {number}")
    bench.script.before = _poisoned("house 9", Narrow("no", code="content_filtered"))
    bench.drain()

    assert len(bench.script.windows) <= 14


def test_repeats_of_a_poison_message_fail_with_it(bench: Bench) -> None:
    """Shown once, failed for all who said it."""
    made = [bench.post("I own a boat") for _ in range(3)]
    bench.script.before = _poisoned("boat", Narrow("no", code="llm_refused"))
    bench.drain()

    assert {(bench.event(event_id).status, bench.event(event_id).error_code) for event_id in made} == {
        ("FAILED", "llm_refused")
    }


def test_an_unexpected_error_is_tried_again_alone(bench: Bench) -> None:
    """The attempt counts, the lane waits a second, each event of the window is a suspect; then all is well."""
    bench.script.before = Fails(RuntimeError("a bug"))
    made = [bench.post(f"I own house {number}") for number in range(3)]
    bench.step()

    assert _attempts(bench) == [("PENDING", 1, 0, 0)] * 3
    assert 0 < _wait(bench) <= 1
    _due_now(bench)
    bench.drain()
    assert [len(window) for window in bench.script.windows] == [3, 1, 1, 1]
    assert [bench.results(event_id) for event_id in made] == [[("ADD", f"I own house {number}")] for number in range(3)]


def test_an_error_that_stays_ends_as_internal(bench: Bench) -> None:
    """After `max_attempts`, with a growing pause; the events behind it succeed."""
    bench.script.before = _poisoned("boat", RuntimeError("a bug"))
    bad, good = bench.post("I own a boat"), bench.post("I own house 2")
    pauses = []
    for _ in range(5):
        bench.step()
        pauses.append(_wait(bench))
        _due_now(bench)
    bench.drain_all()

    assert [round(pause) for pause in pauses] == [1, 2, 4, 8, 16]
    event = bench.event(bad)
    assert (event.status, event.error_code, event.failed) == ("FAILED", "internal", [0])
    assert bench.results(good) == [("ADD", "I own house 2")]
    assert sum("I own a boat" in window for window in bench.script.windows) == 5


def test_what_failed_for_too_long_expires_with_its_next_failure(make_bench: Callable[..., Bench]) -> None:
    """Tried for `max_age` in vain: FAILED `expired`, saying why; the event behind it, never tried, has all its time."""
    bench = make_bench(max_age=3600, window_messages=2, backlog_window_messages=2)
    bench.script.before = Fails(*(Snooze("away", provider="llm") for _ in range(2)))
    old, young = bench.post("I live in Rome", "I work in Turin"), bench.post("I own house 1")
    bench.step()
    change(bench.db, "UPDATE events SET failing_since = failing_since - interval '2 h'")
    _due_now(bench)
    bench.step()
    _due_now(bench)
    bench.drain()

    event = bench.event(old)
    assert (event.status, event.error_code, event.failed) == ("FAILED", "expired", [0, 1])
    assert "provider_unavailable" in (event.error_detail or "")
    assert bench.results(young) == [("ADD", "I own house 1")]
    assert column(bench.db, "SELECT pending_live FROM scopes") == [0]


def test_a_backlog_of_any_age_is_worked_on(make_bench: Callable[..., Bench]) -> None:
    """Waiting in a queue is no failure, and after a long outage the next try counts, not the time before it."""
    bench = make_bench(max_age=3600)
    bench.script.before = Fails(Snooze("away", provider="llm"))
    tried = bench.post("I live in Rome")
    bench.step()
    change(bench.db, "UPDATE events SET failing_since = failing_since - interval '9 days'")
    waited = bench.post("I own house 1", lane="bulk")
    change(bench.db, "UPDATE events SET accepted_at = accepted_at - interval '9 days'")
    bench.drain_all()

    assert bench.results(tried) == [("ADD", "I live in Rome")]
    assert bench.results(waited) == [("ADD", "I own house 1")]


def test_a_window_at_fault_is_tried_smaller_under_a_claim_of_its_own(bench: Bench) -> None:
    """One round of calls a claim: what was spent is told, others may work between, and the next cut is kept."""
    for number in range(16):
        bench.post(f"I own house {number}")
    error = Narrow("no", code="content_filtered")
    error.extra["usage"] = {"calls": 1}
    bench.script.before = Fails(error, error)

    for shown in (16, 8, 4):
        bench.step()
        assert len(bench.script.windows[-1]) == shown
        assert column(bench.db, "SELECT lease_owner FROM scopes") == [None]
    assert rows(bench.db, "SELECT usage FROM event_payloads ORDER BY event_id LIMIT 1")[0]["usage"]["calls"] >= 2
    bench.drain()

    assert [len(window) for window in bench.script.windows] == [16, 8, 4, 12]
    assert column(bench.db, "SELECT count(*) FROM events WHERE status = 'SUCCEEDED'") == [16]


def test_a_pause_keeps_the_cut(bench: Bench) -> None:
    """A provider that goes away between two halves does not bring the whole window back."""
    for number in range(4):
        bench.post(f"I own house {number}")
    bench.script.before = Fails(Narrow("no", code="content_filtered"), Snooze("away", provider="llm"))
    for _ in range(3):
        bench.step()
        _due_now(bench)

    assert [len(window) for window in bench.script.windows] == [4, 2, 2]


def test_an_open_breaker_stops_claims(make_bench: Callable[..., Bench]) -> None:
    """The provider asked to be left alone: no call meanwhile, nothing consumed; a success forgets it."""
    from dataclasses import replace

    bench = make_bench()
    bench.parts = replace(bench.parts, provider="llm:test")
    bench.dispatcher = Dispatcher(bench.parts, bench.leases, run)
    bench.script.before = Fails(Snooze("busy", code="rate_limited", provider="llm", retry_after=20))
    event_id = bench.post("I live in Rome")
    bench.drain()
    (breaker,) = bench.db.run(breakers.listing)
    assert (breaker.provider, breaker.code) == ("llm:test", "rate_limited")
    _due_now(bench)

    fresh = Dispatcher(bench.parts, bench.leases, run)
    assert fresh.breaker_open()
    assert fresh.drain() == 0
    assert len(bench.script.windows) == 1
    change(bench.db, "UPDATE breakers SET open_until = clock_timestamp()")
    again = Dispatcher(bench.parts, bench.leases, run)
    assert again.drain() == 1
    assert bench.results(event_id) == [("ADD", "I live in Rome")]
    assert bench.db.run(lambda session: breakers.listing(session, only_open=False)) == []


def test_a_window_of_an_empty_answer_succeeds_empty(bench: Bench) -> None:
    """Nothing worth keeping is a valid answer."""
    from tests.integration.pipeline_bench import Says

    bench.script.rules = [Says("hello", text="")]
    event_id = bench.post("hello there")
    bench.step()

    assert bench.results(event_id) == []
