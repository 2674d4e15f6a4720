"""An event's way from PENDING to its end: started, put back, advanced window by window, read by callers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from shared.db import attempts, events
from shared.db.engine import Database
from shared.db.events import Event, Finished, Progress
from shared.model.ids import uuid7
from shared.model.scope import ScopeIds
from tests import factories
from tests.factories import change, post, rows


def _get(db: Database, project_id: UUID, event_id: UUID) -> Event:
    event = db.run(lambda session: events.get(session, project_id, event_id))
    assert event is not None
    return event


def _counts(db: Database, event_id: UUID) -> tuple[str, int, int, int, int]:
    """(status, attempts, crash_count, lone_crashes, snoozes)."""
    (row,) = rows(db, "SELECT status, attempts, crash_count, lone_crashes, snoozes FROM events WHERE id = %s", event_id)
    return tuple(row.values())


def _start(db: Database, project_id: UUID, *ids: UUID) -> None:
    db.run(lambda session: events.start(session, project_id, ids))


def _put_back(db: Database, project_id: UUID, *ids: UUID, **how: Any) -> list[Finished]:
    options: dict[str, Any] = {"delay": 0, "consumed": False, "snoozed": False} | how
    return db.run(lambda session: events.put_back(session, project_id, ids, **options))


def _advance(db: Database, project_id: UUID, *steps: Progress) -> list[Finished]:
    return db.run(lambda session: events.advance(session, project_id, steps))


def test_a_fresh_event_waits(db: Database, project_id: UUID) -> None:
    """As a caller polls it right after the POST."""
    event_id = post(db, project_id, "x", metadata={"a": 1}).event_id

    event = _get(db, project_id, event_id)

    assert (event.status, event.ended, event.results, event.metadata) == ("PENDING", False, [], {"a": 1})
    assert (event.ids, event.started_at, event.completed_at, event.wait) == (factories.ALEX, None, None, 0.0)
    assert (event.error_code, event.failed, event.rejections, event.usage, event.erased) == (None, [], {}, {}, False)


def test_events_of_other_projects_are_unknown(db: Database, project_id: UUID) -> None:
    """A foreign id is no id."""
    event_id = post(db, project_id, "x").event_id

    assert db.run(lambda session: events.get(session, factories.project(db, "other").id, event_id)) is None
    assert db.run(lambda session: events.get(session, project_id, uuid7())) is None


def test_starting_raises_the_crash_count_before_any_work(db: Database, project_id: UUID) -> None:
    """A worker that dies leaves it raised, and nothing else is held against the event; the first start is kept."""
    first, second = (post(db, project_id, "x").event_id for _ in range(2))

    _start(db, project_id, first, second)
    assert _counts(db, first) == ("RUNNING", 0, 1, 0, 0)
    started = _get(db, project_id, first).started_at
    _start(db, project_id, first)
    assert _counts(db, first) == ("RUNNING", 0, 2, 0, 0)
    assert _get(db, project_id, first).started_at == started
    assert _counts(db, second) == ("RUNNING", 0, 1, 0, 0)


def test_a_lone_crash_and_an_overrun_leave_a_suspect(db: Database, project_id: UUID) -> None:
    """Each is counted by itself; the crash count stays, so that the event goes on being worked on apart."""
    event_id = post(db, project_id, "x").event_id
    _start(db, project_id, event_id)

    assert [db.run(lambda session: attempts.blame(session, project_id, event_id)) for _ in range(2)] == [1, 2]
    assert _counts(db, event_id) == ("PENDING", 0, 1, 2, 0)
    _start(db, project_id, event_id)
    db.run(lambda session: attempts.overran(session, project_id, event_id))
    assert _counts(db, event_id) == ("PENDING", 1, 2, 2, 0)


def test_only_failing_makes_an_event_overdue(db: Database, project_id: UUID) -> None:
    """From the first failure in a row to the next time it gets on; waiting and working are no failures."""

    def overdue(*ids: UUID) -> list[UUID]:
        return db.run(lambda session: attempts.overdue(session, project_id, ids, 3600))

    waiting, failing = post(db, project_id, "x").event_id, post(db, project_id, "x", "y").event_id
    change(db, "UPDATE events SET accepted_at = accepted_at - interval '9 days'")
    _start(db, project_id, failing)
    _put_back(db, project_id, failing, snoozed=True)
    assert overdue(waiting, failing) == []
    change(db, "UPDATE events SET failing_since = failing_since - interval '2 h'")
    _start(db, project_id, failing)
    _put_back(db, project_id, failing, consumed=True)
    assert overdue(waiting, failing) == [failing]

    _start(db, project_id, failing)
    _advance(db, project_id, Progress(failing, 1))
    _start(db, project_id, failing)
    _put_back(db, project_id, failing, snoozed=True)
    assert overdue(failing) == []


def test_put_back_in_order_costs_nothing(db: Database, project_id: UUID) -> None:
    """Not consumed: as if it had not been tried, and no suspect any more."""
    event_id = post(db, project_id, "x").event_id
    _start(db, project_id, event_id)

    assert _put_back(db, project_id, event_id) == []
    assert _counts(db, event_id) == ("PENDING", 0, 0, 0, 0)


def test_put_back_after_a_fault_consumes_the_attempt(db: Database, project_id: UUID) -> None:
    """The attempt stays counted, the crash does not: the worker lives."""
    event_id = post(db, project_id, "x").event_id
    _start(db, project_id, event_id)
    _put_back(db, project_id, event_id, consumed=True)

    assert _counts(db, event_id) == ("PENDING", 1, 0, 0, 0)


def test_a_snoozed_event_tells_its_waiters_when(db: Database, project_id: UUID) -> None:
    """It names who waits, shows the seconds left, and counts snoozes in a row."""
    event_id = post(db, project_id, "x", reply_to="api-1").event_id
    for snoozes in (1, 2):
        _start(db, project_id, event_id)
        told = _put_back(db, project_id, event_id, delay=20, snoozed=True)
        assert told == [Finished(event_id, "api-1")]
        assert _counts(db, event_id) == ("PENDING", 0, 0, 0, snoozes)

    assert 18 < _get(db, project_id, event_id).wait <= 20
    assert db.run(lambda session: events.snoozes(session, project_id, [event_id, uuid7()])) == 2
    _start(db, project_id, event_id)
    assert _get(db, project_id, event_id).wait == 0


def test_only_running_events_are_put_back(db: Database, project_id: UUID) -> None:
    """What ended meanwhile stays ended."""
    event_id = post(db, project_id, "x").event_id
    _start(db, project_id, event_id)
    _advance(db, project_id, Progress(event_id, 1))
    _put_back(db, project_id, event_id, delay=20, snoozed=True)

    assert _get(db, project_id, event_id).status == "SUCCEEDED"


def test_an_event_ends_with_its_last_message(db: Database, project_id: UUID) -> None:
    """Window by window: results in order, counts and usage added up, attempts forgotten with each success."""
    event_id = post(db, project_id, "a", "b", "c", reply_to="api-1").event_id
    _start(db, project_id, event_id)
    _start(db, project_id, event_id)

    told = _advance(
        db, project_id,
        Progress(event_id, 2, [{"id": "1", "event": "ADD"}], {"secret": 1}, {"calls": 1, "prompt_tokens": 10}),
    )  # fmt: skip
    assert told == []
    assert _counts(db, event_id) == ("PENDING", 0, 0, 0, 0)
    assert _get(db, project_id, event_id).completed_at is None
    _start(db, project_id, event_id)
    told = _advance(
        db, project_id,
        Progress(event_id, 1, [{"id": "2", "event": "UPDATE"}], {"secret": 1, "cap": 2}, {"calls": 1}),
    )  # fmt: skip

    assert told == [Finished(event_id, "api-1")]
    event = _get(db, project_id, event_id)
    assert (event.status, event.error_code) == ("SUCCEEDED", None)
    assert [result["id"] for result in event.results] == ["1", "2"]
    assert (event.rejections, event.usage) == ({"secret": 2, "cap": 2}, {"calls": 2, "prompt_tokens": 10})
    assert event.completed_at is not None


def test_several_events_advance_at_once(db: Database, project_id: UUID) -> None:
    """Each gets its own; those with messages left go on."""
    one, two = post(db, project_id, "a").event_id, post(db, project_id, "b", "c").event_id
    _start(db, project_id, one, two)

    told = _advance(db, project_id, Progress(one, 1, [{"id": "1"}]), Progress(two, 1, [{"id": "2"}]))

    assert told == [Finished(one, None)]
    assert _get(db, project_id, one).results == [{"id": "1"}]
    assert (_get(db, project_id, two).status, _get(db, project_id, two).results) == ("PENDING", [{"id": "2"}])


def test_all_messages_failed_is_failed_with_the_reason(db: Database, project_id: UUID) -> None:
    """The code of the last failure, the detail, the indexes."""
    event_id = post(db, project_id, "a", "b").event_id
    _start(db, project_id, event_id)
    _advance(db, project_id, Progress(event_id, 1, failed=[0], error_code="llm_refused", error_detail="no"))
    told = _advance(db, project_id, Progress(event_id, 1, failed=[1], error_code="content_filtered", error_detail="n"))

    assert told == [Finished(event_id, None)]
    event = _get(db, project_id, event_id)
    assert (event.status, event.error_code, event.error_detail) == ("FAILED", "content_filtered", "n")
    assert event.failed == [0, 1]


@pytest.mark.parametrize("poison", [0, 1, 2])
def test_a_failure_among_others_is_partial(db: Database, project_id: UUID, poison: int) -> None:
    """First, middle or last: FAILED `partial`, results kept, the failed index named."""
    event_id = post(db, project_id, "a", "b", "c").event_id
    for index in range(3):
        _start(db, project_id, event_id)
        step = (
            Progress(event_id, 1, failed=[index], error_code="llm_refused", error_detail="no")
            if index == poison
            else Progress(event_id, 1, [{"id": str(index)}])
        )
        told = _advance(db, project_id, step)

    assert told == [Finished(event_id, None)]
    event = _get(db, project_id, event_id)
    assert (event.status, event.error_code, event.failed) == ("FAILED", "partial", [poison])
    assert [result["id"] for result in event.results] == [str(index) for index in range(3) if index != poison]


def test_a_pending_event_shows_no_error_before_its_end(db: Database, project_id: UUID) -> None:
    """While messages are left, what failed is listed but the event has no error."""
    event_id = post(db, project_id, "a", "b").event_id
    _start(db, project_id, event_id)
    _advance(db, project_id, Progress(event_id, 1, failed=[0], error_code="llm_refused", error_detail="no"))

    event = _get(db, project_id, event_id)
    assert (event.status, event.error_code, event.failed) == ("PENDING", None, [0])


def test_an_ended_event_does_not_end_again(db: Database, project_id: UUID) -> None:
    """A second advance tells nobody and changes neither status nor time."""
    event_id = post(db, project_id, "a").event_id
    _start(db, project_id, event_id)
    _advance(db, project_id, Progress(event_id, 1))
    ended = _get(db, project_id, event_id).completed_at

    assert _advance(db, project_id, Progress(event_id, 1)) == []
    assert _get(db, project_id, event_id).completed_at == ended


def test_the_feed_is_newest_first_and_filtered(db: Database, project_id: UUID) -> None:
    """By status and given ids, page by page, with the total."""
    made = [
        post(db, project_id, "x", ids=ScopeIds(user_id="alex", run_id=run), infer=infer).event_id
        for run, infer in (("a", True), ("b", False), ("a", True))
    ]
    post(db, factories.project(db, "other").id, "x")

    def feed(**options: Any) -> tuple[list[UUID], int]:
        found, total = db.run(lambda session: events.feed(session, project_id, **options))
        return [event.id for event in found], total

    assert feed() == (made[::-1], 3)
    assert feed(limit=1, offset=1) == ([made[1]], 3)
    assert feed(chosen=events.Chosen("SUCCEEDED")) == ([made[1]], 1)
    assert feed(ids=ScopeIds(run_id="a")) == ([made[2], made[0]], 2)
    assert feed(ids=ScopeIds(user_id="nobody")) == ([], 0)


def test_waiters_hear_of_ended_and_snoozed_events_only(db: Database, project_id: UUID) -> None:
    """What runs or is due stays silent."""
    waiting, running, ended, snoozed = (post(db, project_id, "x").event_id for _ in range(4))
    _start(db, project_id, running, ended, snoozed)
    _advance(db, project_id, Progress(ended, 1))
    _put_back(db, project_id, snoozed, delay=20, snoozed=True)
    pairs = [(project_id, event_id) for event_id in (waiting, running, ended, snoozed)]

    found = {row[0]: row[1:] for row in db.run(lambda session: events.outstanding(session, pairs))}

    assert found[ended] == ("SUCCEEDED", 0.0)
    assert found[snoozed][0] == "PENDING"
    assert 18 < found[snoozed][1] <= 20
    assert set(found) == {ended, snoozed}
    change(db, "UPDATE events SET available_at = clock_timestamp() WHERE id = %s", snoozed)
    assert len(db.run(lambda session: events.outstanding(session, pairs))) == 1


def test_a_stopped_worker_gives_everything_back(db: Database, project_id: UUID) -> None:
    """Only the running events of that scope, without a mark."""
    accepted = post(db, project_id, "x")
    other = post(db, project_id, "x", ids=ScopeIds(user_id="other")).event_id
    _start(db, project_id, accepted.event_id, other)
    scope = db.run(lambda session: events.scope_of(session, project_id, accepted.event_id))
    assert scope is not None
    db.run(lambda session: events.put_back_scope(session, scope))

    assert _counts(db, accepted.event_id) == ("PENDING", 0, 0, 0, 0)
    assert _counts(db, other)[0] == "RUNNING"
