"""Accepting a write: everything of it in one transaction, a place in its scope, times that never run back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

import pytest

from shared.db import events
from shared.db.accept import accept
from shared.db.engine import Database
from shared.model.message import Rules
from shared.model.scope import ID_FIELDS, ScopeIds
from shared.model.windows import window_key
from tests import factories
from tests.factories import column, new_event, post, rows, said

EVENING = datetime(2026, 5, 6, 23, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))


def test_a_write_is_kept_whole(db: Database, project_id: UUID) -> None:
    """Event, payload, messages and the scope's pending work stand after one transaction."""
    accepted = post(
        db, project_id, said("I live in Rome", at=EVENING, name="Ann", stamp="2026-05-06"), said("Noted", "assistant"),
        ids=ScopeIds(user_id="alex", run_id="r"), metadata={"a": 1}, rules=Rules("be brief", categories=("home",)),
        timezone="Europe/Rome", expires_on=date(2027, 1, 1), immutable=True, origin={"key": "k"}, reply_to="api-1",
    )  # fmt: skip

    (event,) = rows(db, "SELECT * FROM events")
    assert (event["id"], event["scope_id"], event["seq"]) == (accepted.event_id, accepted.scope_id, 1)
    assert (event["kind"], event["lane"], event["status"], event["pending"]) == ("add", "live", "PENDING", 2)
    assert (event["user_id"], event["run_id"], event["agent_id"], event["reply_to"]) == ("alex", "r", None, "api-1")
    assert bytes(event["window_key"]) == window_key(Rules("be brief", categories=("home",)), "Europe/Rome")
    (payload,) = rows(db, "SELECT * FROM event_payloads")
    assert (payload["metadata"], payload["origin"], payload["results"]) == ({"a": 1}, {"key": "k"}, [])
    first, second = rows(db, "SELECT * FROM messages ORDER BY idx")
    assert (first["role"], first["speaker"], first["text"], first["stamped"]) == (
        "user", "Ann", "I live in Rome", True,
    )  # fmt: skip
    assert (first["said_at"], first["said_offset"]) == (EVENING, 330)
    assert (second["role"], second["seq"], second["idx"], second["stamped"]) == ("assistant", 1, 1, False)
    assert second["said_offset"] in (60, 120)  # the accept time, on Rome's clocks
    (scope,) = rows(db, "SELECT * FROM scopes")
    assert (scope["pending_live"], scope["pending_bulk"], scope["next_seq"]) == (2, 0, 2)
    assert scope["pending_bytes"] == len("I live in Rome") + len("Noted")


def test_what_an_event_hands_to_its_memories_comes_back(db: Database, project_id: UUID) -> None:
    """Traits, rules and time zone, as load reads them."""
    rules = Rules("be brief", "food", "money", ("home", "work"))
    event_id = post(
        db, project_id, "hi", metadata={"a": 1}, rules=rules, timezone="Asia/Tokyo", expires_on=date(2027, 1, 1),
        immutable=True,
    ).event_id  # fmt: skip
    plain = post(db, project_id, "hi").event_id

    found = db.run(lambda session: events.traits(session, project_id, [event_id, plain]))

    trait, kept, zone = found[event_id]
    assert (trait.seq, trait.ids, trait.metadata) == (1, factories.ALEX, {"a": 1})
    assert (trait.expires_on, trait.immutable, kept, zone) == (date(2027, 1, 1), True, rules, "Asia/Tokyo")
    trait, kept, zone = found[plain]
    assert (trait.metadata, trait.expires_on, trait.immutable, kept, zone) == (None, None, False, Rules(), None)


def test_nothing_stays_of_a_write_that_fails(db: Database, project_id: UUID) -> None:
    """The transaction is the promise: an error after the insert leaves neither rows nor a used seq."""

    def broken(session: object) -> None:
        accept(session, new_event(project_id, "I live in Rome"))  # type: ignore[arg-type]
        raise RuntimeError("crash before the answer")

    with pytest.raises(RuntimeError, match="crash before the answer"):
        db.run(broken)

    assert rows(db, "SELECT 1 FROM events UNION ALL SELECT 1 FROM messages UNION ALL SELECT 1 FROM scopes") == []
    post(db, project_id, "again")
    assert column(db, "SELECT seq FROM events") == [1]


def test_a_scope_counts_without_gaps_under_eight_writers(db: Database, project_id: UUID) -> None:
    """8 x 25 writes: seqs 1..200, each once; in seq order neither ids' commit nor the accept times run back."""

    def writes(writer: int) -> None:
        for number in range(25):
            post(db, project_id, f"fact {writer} {number}", said("and more"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(writes, range(8)))

    found = rows(db, "SELECT seq, said_at FROM messages ORDER BY seq, idx")
    assert [row["seq"] for row in found] == [seq for seq in range(1, 201) for _ in range(2)]
    times = [row["said_at"] for row in found]
    assert times == sorted(times)
    (scope,) = rows(db, "SELECT next_seq, pending_live, pending_bytes FROM scopes")
    assert (scope["next_seq"], scope["pending_live"]) == (201, 400)
    assert scope["pending_bytes"] == sum(column(db, "SELECT octet_length(text) FROM messages"))


def test_seqs_become_visible_in_order(db: Database, project_id: UUID) -> None:
    """Whoever reads the scope while writers commit never sees a seq without all before it."""
    holes: list[list[int]] = []

    def read() -> None:
        for _ in range(100):
            seqs = column(db, "SELECT seq FROM events ORDER BY seq")
            if seqs != list(range(1, len(seqs) + 1)):
                holes.append(seqs)

    def write(_: int) -> None:
        for _ in range(20):
            post(db, project_id, "x")

    with ThreadPoolExecutor(7) as pool:
        reading = pool.submit(read)
        list(pool.map(write, range(6)))
        reading.result()

    assert holes == []


def test_absent_ids_are_one_scope(db: Database, project_id: UUID) -> None:
    """Nulls are not distinct: the same given ids are the same scope, also when 8 callers come first at once."""
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: post(db, project_id, "x"), range(8)))

    assert len({accepted.scope_id for accepted in made}) == 1
    assert len(rows(db, "SELECT 1 FROM scopes")) == 1


@pytest.mark.parametrize("name", ID_FIELDS)
def test_every_id_tells_scopes_apart(db: Database, project_id: UUID, name: str) -> None:
    """The same value under another name, or one more id, is another scope; so is another project."""
    other_project = factories.project(db, "other").id
    ids = [ScopeIds(**{name: "x"}), ScopeIds(**{name: "y"}), ScopeIds(**{**dict.fromkeys(ID_FIELDS, "z"), name: "x"})]
    found = [post(db, project_id, "x", ids=value).scope_id for value in ids]
    found.append(post(db, other_project, "x", ids=ids[0]).scope_id)

    assert len(set(found)) == len(found)


def test_a_project_may_key_its_scopes_by_fewer_ids(db: Database) -> None:
    """With user and agent as the key, runs are labels on one scope, kept on the event."""
    project = factories.project(db, "narrow", {"scope_key": ["agent_id", "user_id"]})
    assert project.scope_key == ("user_id", "agent_id")
    ids = [ScopeIds(user_id="alex", run_id=run) for run in ("one", "two")]

    found = {post(db, project.id, "x", ids=value, scope_key=project.scope_key).scope_id for value in ids}

    assert len(found) == 1
    assert column(db, "SELECT run_id FROM events ORDER BY seq") == ["one", "two"]
    assert rows(db, "SELECT user_id, run_id FROM scopes") == [{"user_id": "alex", "run_id": None}]


def test_only_a_lane_that_was_idle_wants_a_bell(db: Database, project_id: UUID) -> None:
    """The first write of each lane rings; while work is pending the worker comes by itself."""
    rings = [
        post(db, project_id, "x").ring,
        post(db, project_id, "x").ring,
        post(db, project_id, "x", lane="bulk").ring,
        post(db, project_id, "x", lane="bulk").ring,
    ]

    assert rings == [True, False, True, False]


def test_a_write_to_a_snoozed_lane_knows_how_long(db: Database, project_id: UUID) -> None:
    """`wait` is the lane's pause; a write does not make a snoozed lane due."""
    post(db, project_id, "x")
    factories.change(db, "UPDATE scopes SET available_live = clock_timestamp() + interval '30 s'")

    accepted = post(db, project_id, "x")

    assert 25 < accepted.wait <= 30
    assert not accepted.ring
    assert post(db, project_id, "x", lane="bulk").wait == 0


def test_the_accept_time_stands_in_for_a_missing_timestamp(db: Database, project_id: UUID) -> None:
    """Said now, on the caller's clocks, and not `stamped`."""
    before = datetime.now(UTC) - timedelta(seconds=1)
    post(db, project_id, "x", timezone="Asia/Kolkata")

    (message,) = rows(db, "SELECT said_at, said_offset, stamped FROM messages")
    assert before < message["said_at"] < datetime.now(UTC) + timedelta(seconds=1)
    assert (message["said_offset"], message["stamped"]) == (330, False)
