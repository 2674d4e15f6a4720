"""Deliveries in the database: written with the change that causes them, claimed in order, gone with what is erased."""

from __future__ import annotations

from uuid import UUID

import pytest

from shared.db import memory_edits, revert, webhook_outbox, webhooks
from shared.db.engine import Database, Session
from shared.db.memory_edits import Patch
from shared.db.webhook_outbox import Taken
from shared.db.webhooks import Webhook
from shared.errors import Conflict
from shared.model.notices import EVENT_TYPES, Notice
from shared.model.scope import ScopeIds
from tests import factories
from tests.factories import change, column, post, rows
from tests.integration.memory_rows import stored
from tests.integration.pipeline_bench import Bench, Says


def hook(db: Database, project_id: UUID, *types: str, url: str = "https://example.org/") -> Webhook:
    """A webhook for these types, or all."""
    return db.run(lambda session: webhooks.create(session, project_id, "test", url, types or EVENT_TYPES))


def told(db: Database) -> list[str]:
    """Types of all deliveries in the order they were written."""
    return column(db, "SELECT event_type FROM webhook_deliveries ORDER BY position")


def take(db: Database, *, limit: int = 100, each: int = 100, lease: float = 60) -> list[Taken]:
    return db.run(lambda session: webhook_outbox.take(session, limit=limit, each=each, lease=lease))


def notice(db: Database, taken: Taken) -> Notice | None:
    return db.run(lambda session: webhook_outbox.notice(session, taken))


def settled(db: Database, taken: Taken, state: str = "delivered", delay: float | None = None) -> bool:
    return db.run(
        lambda session: webhook_outbox.settle(session, taken, state=state, status=200, error=None, delay=delay)
    )


def test_every_change_a_user_makes_is_told(db: Database, project_id: UUID) -> None:
    """Kept as it is, changed, deleted; each with the version it names."""
    hook(db, project_id)
    post(db, project_id, "raw", infer=False)
    (memory_id,) = column(db, "SELECT id FROM memories")
    db.run(lambda s: memory_edits.patch(s, project_id, memory_id, Patch(text="raw tea")))
    db.run(lambda s: memory_edits.delete(s, project_id, memory_id))

    assert told(db) == ["memory_add", "memory_update", "memory_delete"]
    assert column(db, "SELECT version FROM webhook_deliveries ORDER BY position") == [1, 2, 3]


def test_every_change_a_window_makes_is_told(bench: Bench, db: Database, project_id: UUID) -> None:
    """Added, refined, taken back; and undone, which brings back what it took."""
    hook(db, project_id)
    bench.script.rules = [
        Says("moved", "SUPERSEDE", target="Lives"),
        Says("forget", "RETRACT", target="Likes"),
    ]
    post(db, project_id, "Lives in Rome", "Likes tea")
    bench.drain()
    event_id = post(db, project_id, "moved to Milan", "forget tea").event_id
    bench.drain()
    assert told(db) == ["memory_add", "memory_add", "memory_update", "memory_delete"]

    db.run(lambda session: revert.revert(session, project_id, event_id))

    assert sorted(told(db)[4:]) == ["memory_add", "memory_update"]


def test_categories_are_told_where_they_change(db: Database, project_id: UUID) -> None:
    """After the change that set them."""
    hook(db, project_id)
    stored(db, project_id, "Likes tea", categories=("food",))
    stored(db, project_id, "Likes coffee")

    assert told(db) == ["memory_add", "memory_categorize", "memory_add"]


def test_nobody_who_did_not_ask_is_told(db: Database, project_id: UUID) -> None:
    """No webhook, a foreign one, one for other types, one that is switched off: not a row."""
    stored(db, project_id, "a")
    other = factories.project(db, "other").id
    hook(db, other)
    hook(db, project_id, "memory_delete")
    silent = hook(db, project_id)
    db.run(lambda session: webhooks.change(session, project_id, silent.id, {"is_active": False}))
    stored(db, project_id, "b")

    assert rows(db, "SELECT 1 FROM webhook_deliveries") == []


def test_a_change_that_is_rolled_back_is_not_told(db: Database, project_id: UUID) -> None:
    """One transaction for both."""
    hook(db, project_id)
    memory = stored(db, project_id, "a")

    def fails(session: Session) -> None:
        memory_edits.patch(session, project_id, memory.id, Patch(text="b"))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        db.run(fails)

    assert told(db) == ["memory_add"]


def test_erasing_takes_what_was_to_be_told_with_it(db: Database, project_id: UUID) -> None:
    """What is left says that the memories went: also the hidden one whose deletion was not delivered yet."""
    hook(db, project_id)
    stored(db, project_id, "current")
    open_ = stored(db, project_id, "hidden, not told yet")
    known = stored(db, project_id, "hidden, told")
    for memory in (open_, known):
        db.run(lambda s, memory=memory: memory_edits.delete(s, project_id, memory.id))  # type: ignore[misc]
    change(db, "UPDATE webhook_deliveries SET state = 'delivered' WHERE memory_id = %s", known.id)
    kept = stored(db, project_id, "of somebody else", user="bea")

    db.run(lambda session: memory_edits.delete_all(session, project_id, ScopeIds(user_id="alex")))

    left = rows(db, "SELECT memory_id, event_type, version FROM webhook_deliveries ORDER BY position")
    assert {"memory_id": kept.id, "event_type": "memory_add", "version": 1} in left
    gone = [row for row in left if row["memory_id"] != kept.id]
    assert {(row["event_type"], row["version"]) for row in gone} == {("memory_delete", None)}
    assert len(gone) == 2
    assert known.id not in {row["memory_id"] for row in gone}
    for taken in take(db):
        found = notice(db, taken)
        assert found is not None
        assert found.text in (None, "of somebody else")


def test_what_was_erased_while_it_was_in_work_is_not_told(db: Database, project_id: UUID) -> None:
    """Nor can it be settled."""
    hook(db, project_id, "memory_add")
    stored(db, project_id, "a")
    (taken,) = take(db)
    db.run(lambda session: memory_edits.delete_all(session, project_id, ScopeIds(user_id="alex")))

    assert notice(db, taken) is None
    assert not settled(db, taken)


def test_of_one_memory_only_the_oldest_is_due(db: Database, project_id: UUID) -> None:
    """While it is in work, and while it waits to be tried again; other memories go on."""
    hook(db, project_id)
    memory = stored(db, project_id, "one")
    stored(db, project_id, "two")
    db.run(lambda s: memory_edits.patch(s, project_id, memory.id, Patch(text="one more")))
    first = take(db)
    assert len(first) == 2
    assert take(db) == []

    mine = next(one for one in first if notice(db, one).memory_id == memory.id)  # type: ignore[union-attr]
    assert settled(db, mine, "pending", 3_600)
    assert take(db) == []
    change(db, "UPDATE webhook_deliveries SET due_at = clock_timestamp() WHERE claim IS NULL")
    (again,) = take(db)
    assert (again.id, again.attempts) == (mine.id, 1)
    assert settled(db, again)
    (following,) = take(db)
    assert notice(db, following).text == "one more"  # type: ignore[union-attr]


def test_a_claim_that_ran_out_is_worth_nothing(db: Database, project_id: UUID) -> None:
    """Another worker takes it; the first can neither settle it nor read what it says."""
    hook(db, project_id)
    stored(db, project_id, "a")
    (lost,) = take(db, lease=0)
    (held,) = take(db)

    assert lost.id == held.id
    assert notice(db, lost) is None
    assert not settled(db, lost)
    assert settled(db, held)


def test_room_rest_and_switched_off(db: Database, project_id: UUID) -> None:
    """So many of one webhook at a time, one while it fails, none while it rests or is off."""
    made = hook(db, project_id)
    for number in range(6):
        stored(db, project_id, f"memory {number}")
    assert len(take(db, each=2)) == 2
    assert take(db, each=2) == []
    assert len(take(db, each=3)) == 1

    db.run(lambda session: webhooks.went_wrong(session, project_id, made.id, [3_600.0]))
    assert take(db, each=5) == []
    change(db, "UPDATE webhooks SET rest_until = NULL")
    assert take(db, each=5) == []  # three are in work, and it fails
    change(db, "UPDATE webhook_deliveries SET claim = NULL, due_at = clock_timestamp()")
    assert len(take(db, each=5)) == 1
    db.run(lambda session: webhooks.went_well(session, project_id, made.id))
    assert len(take(db, each=5)) == 4
    db.run(lambda session: webhooks.change(session, project_id, made.id, {"is_active": False}))
    assert take(db, each=50) == []


def test_a_slow_project_leaves_room_for_others(db: Database, project_id: UUID) -> None:
    """Projects take turns; one that has enough in work gets nothing more."""
    other = factories.project(db, "other").id
    for owner, number in ((project_id, 30), (other, 1)):
        hook(db, owner)
        for text in range(number):
            stored(db, owner, f"memory {text}")

    taken = take(db, limit=2, each=4)
    assert {one.project_id for one in taken} == {project_id, other}
    assert db.run(lambda session: webhook_outbox.take(session, limit=9, each=9, lease=9, full=[project_id])) == []


def test_a_project_has_so_many_webhooks(db: Database, project_id: UUID) -> None:
    """One more is a conflict."""
    for _ in range(webhooks.MOST):
        hook(db, project_id)
    with pytest.raises(Conflict) as caught:
        hook(db, project_id)

    assert caught.value.code == "too_many_webhooks"


def test_old_deliveries_are_forgotten(db: Database, project_id: UUID) -> None:
    """Those that ended, and those nobody will send; what waits is kept however old."""
    made = hook(db, project_id)
    for text in ("done", "open", "young"):
        stored(db, project_id, text)
    done, _, young = column(db, "SELECT id FROM webhook_deliveries ORDER BY position")
    change(db, "UPDATE webhook_deliveries SET created_at = created_at - interval '31 days' WHERE id <> %s", young)
    change(db, "UPDATE webhook_deliveries SET state = 'delivered' WHERE id IN (%s, %s)", done, young)
    assert db.run(webhook_outbox.waiting)[0] == 1

    assert db.run(lambda session: webhook_outbox.prune(session, 30, everything=False)) == 1
    db.run(lambda session: webhooks.change(session, project_id, made.id, {"is_active": False}))
    assert db.run(lambda session: webhook_outbox.prune(session, 30, everything=False)) == 1
    stored(db, project_id, "silent")
    assert len(told(db)) == 1


def test_where_nobody_delivers_nothing_waits_for_ever(db: Database, project_id: UUID) -> None:
    """Webhooks turned off by the operator: what waits is kept as long as what was delivered."""
    hook(db, project_id)
    stored(db, project_id, "a")
    change(db, "UPDATE webhook_deliveries SET created_at = created_at - interval '31 days'")
    assert db.run(lambda session: webhook_outbox.prune(session, 30, everything=False)) == 0
    assert db.run(lambda session: webhook_outbox.prune(session, 30, everything=True)) == 1
