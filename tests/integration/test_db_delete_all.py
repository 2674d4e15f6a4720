"""Delete-all: everything of the given ids is erased, work in flight is discarded, what is not theirs stays."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from shared.db import events, hints, index_collections, index_queue, memories, memory_edits, scopes
from shared.db.engine import Database
from shared.db.erasure import UNSEALED
from shared.db.index_queue import Change
from shared.db.memory_edits import Erased, Patch
from shared.model.message import Rules
from shared.model.scope import ScopeIds, ScopeRef
from tests import factories
from tests.factories import change, claim, column, post, rows
from tests.integration.memory_rows import settle_events, stored, texts

CANARY = "canary4711"
LABELLED = ("user_id", "agent_id")  # scopes by user and agent; run and app are labels
ONE, TWO = ScopeIds(user_id="alex", run_id="one"), ScopeIds(user_id="alex", run_id="two")


@pytest.fixture(autouse=True)
def _collection(db: Database) -> None:
    db.run(lambda session: index_collections.ensure(session, "model-1", "flumes-model-1"))


def _erase(db: Database, project_id: UUID, *, key: tuple[str, ...] | None = None, **ids: str) -> Erased:
    options: dict[str, Any] = {} if key is None else {"scope_key": key}
    return db.run(lambda session: memory_edits.delete_all(session, project_id, ScopeIds(**ids), **options))


def _where(db: Database, needle: str) -> set[str]:
    """`table.column` of every text, JSON or array value in the database that holds the needle."""
    columns = rows(
        db,
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND data_type IN ('text', 'jsonb', 'ARRAY')",
    )
    assert len(columns) > 30
    return {
        f"{item['table_name']}.{item['column_name']}"
        for item in columns
        if rows(
            db,
            f'SELECT 1 FROM {item["table_name"]} WHERE "{item["column_name"]}"::text LIKE %s LIMIT 1',
            f"%{needle}%",
        )
    }


def test_nothing_said_or_kept_is_left_anywhere(db: Database, project_id: UUID) -> None:
    """Texts, versions, quotes, metadata, options, results and speakers are gone from every column of every table."""
    memory = stored(
        db, project_id, f"Lives at {CANARY}", metadata={"note": CANARY}, speaker=CANARY, categories=(CANARY,),
        vector=[1.0],
    )  # fmt: skip
    db.run(lambda s: memory_edits.patch(s, project_id, memory.id, Patch(text=f"Moved to {CANARY}")))
    db.run(lambda s: hints.add(s, ScopeRef(project_id, memory.scope_id), [memory.id]))
    hidden = stored(db, project_id, f"Hidden {CANARY}")
    db.run(lambda s: memory_edits.delete(s, project_id, hidden.id))
    settle_events(db)
    post(db, project_id, factories.said(f"raw {CANARY}", name=CANARY), infer=False, metadata={"m": CANARY})
    failing = post(
        db, project_id, f"pending {CANARY}", metadata={"m": CANARY}, origin={"o": CANARY},
        rules=Rules(CANARY, CANARY, CANARY, (CANARY,)),
    ).event_id  # fmt: skip
    change(db, "UPDATE event_payloads SET error_detail = %s WHERE event_id = %s", CANARY, failing)
    assert len(_where(db, CANARY)) >= 14

    _erase(db, project_id, user_id="alex")

    assert _where(db, CANARY) == set()
    for table in ("memories", "memory_versions", "memory_sources", "memory_vectors", "scope_hints", "messages"):
        assert rows(db, f"SELECT 1 FROM {table}") == []


def test_counts_tell_what_went(db: Database, project_id: UUID) -> None:
    """Memories (hidden ones were not there for the caller), messages, events; a receipt without content is kept."""
    stored(db, project_id, "Lives in Rome")
    gone = stored(db, project_id, "Likes tea")
    db.run(lambda session: memory_edits.delete(session, project_id, gone.id))
    settle_events(db)
    pending = post(db, project_id, "I moved", "to Milan", reply_to="api-1").event_id

    erased = _erase(db, project_id, user_id="alex")

    assert (erased.memories, erased.messages, erased.events, erased.ended) == (1, 4, 3, ((pending, "api-1"),))
    receipt = db.run(lambda session: events.get(session, project_id, erased.event_id))
    assert receipt is not None
    assert (receipt.kind, receipt.status) == ("delete_all", "SUCCEEDED")
    assert receipt.ids.user_id == UNSEALED.entity(project_id, "user_id", "alex")
    again = _erase(db, project_id, user_id="alex")
    assert (again.memories, again.messages, again.events, again.ended) == (0, 0, 0, ())


def test_pending_events_end_empty_and_erased(db: Database, project_id: UUID) -> None:
    """Accepted before the deletion: SUCCEEDED, no results, marked; the lane holds nothing any more."""
    event_id = post(db, project_id, "I live in Rome").event_id
    bulk = post(db, project_id, "I live in Rome", lane="bulk").event_id

    _erase(db, project_id, user_id="alex")

    for ended in (event_id, bulk):
        event = db.run(lambda session, e=ended: events.get(session, project_id, e))  # type: ignore[misc]
        assert event is not None
        assert (event.status, event.results, event.erased) == ("SUCCEEDED", [], True)
    assert rows(db, "SELECT 1 FROM scopes") == []
    assert claim(db) is None


def test_work_in_flight_is_stale(db: Database, project_id: UUID) -> None:
    """The claim of before can neither commit nor settle; a write of afterwards is claimed at once."""
    post(db, project_id, "I live in Rome")
    held = claim(db)
    assert held is not None

    _erase(db, project_id, user_id="alex")
    after = post(db, project_id, "I live in Milan")

    assert after.ring
    assert not db.run(lambda session: scopes.hold(session, held))
    assert not db.run(lambda session: scopes.settle(session, held, done=1, done_bytes=1))
    second = claim(db)
    assert second is not None
    assert second.scope.scope_id != held.scope.scope_id  # the old one went with the last thing in it
    assert second.pending == 1


def test_a_deletion_has_its_place_in_the_order(db: Database, project_id: UUID) -> None:
    """It takes a seq of each scope that outlives it."""
    post(db, project_id, "a", ids=ONE, scope_key=LABELLED)
    post(db, project_id, "b", ids=TWO, scope_key=LABELLED)
    held = claim(db)
    assert held is not None
    _erase(db, project_id, key=LABELLED, run_id="one")
    post(db, project_id, "c", ids=TWO, scope_key=LABELLED)

    assert column(db, "SELECT seq FROM events WHERE seq IS NOT NULL ORDER BY seq") == [1, 2, 4]
    assert column(db, "SELECT fence FROM scopes") == [held.fence + 1]


def test_the_index_is_told_to_forget(db: Database, project_id: UUID) -> None:
    """A delete above the newest version replaces whatever was queued for the memory."""
    memory = stored(db, project_id, "Lives in Rome")
    db.run(lambda s: index_queue.put(s, [Change(project_id, memory.scope_id, memory.id, 1, "upsert")]))

    _erase(db, project_id, user_id="alex")

    assert rows(db, "SELECT memory_id, version, op FROM index_queue") == [
        {"memory_id": memory.id, "version": 2, "op": "delete"}
    ]
    (due,) = db.run(lambda session: index_queue.take(session, limit=10))
    assert due.text is None


def test_given_ids_match_whatever_the_others_are(db: Database, project_id: UUID) -> None:
    """All runs of the user go; other users, other projects and memories without the id stay."""
    other = factories.project(db, "other").id
    stored(db, project_id, "one", ids=ScopeIds(user_id="alex", run_id="1"))
    stored(db, project_id, "two", ids=ScopeIds(user_id="alex", agent_id="2"))
    stored(db, project_id, "kept one", ids=ScopeIds(user_id="alexa", run_id="1"))
    stored(db, project_id, "kept two", ids=ScopeIds(run_id="1"))
    stored(db, other, "kept three", ids=ScopeIds(user_id="alex"))

    assert _erase(db, project_id, user_id="alex").memories == 2
    assert texts(db) == {"kept one", "kept two", "kept three"}
    assert _erase(db, project_id, run_id="1").memories == 2
    assert texts(db) == {"kept three"}


def test_a_label_deletes_only_what_bears_it(db: Database, project_id: UUID) -> None:
    """Two runs share a scope: one run's memories and pending messages go, the other's stay pending."""
    for ids in (ONE, TWO):
        post(db, project_id, "said", "twice", ids=ids, scope_key=LABELLED)
        post(db, project_id, f"raw {ids.run_id}", ids=ids, scope_key=LABELLED, infer=False)

    erased = _erase(db, project_id, key=LABELLED, run_id="one")

    assert (erased.memories, erased.messages, erased.events) == (1, 3, 2)
    assert texts(db) == {"raw two"}
    assert rows(db, "SELECT run_id, status FROM events WHERE kind = 'add' ORDER BY seq") == [
        {"run_id": UNSEALED.entity(project_id, "run_id", "one"), "status": "SUCCEEDED"},
        {"run_id": "two", "status": "PENDING"},
    ]
    (scope,) = rows(db, "SELECT pending_live, pending_bytes FROM scopes")
    assert scope == {"pending_live": 2, "pending_bytes": len("said" + "twice")}
    held = claim(db)
    assert held is not None
    assert held.pending == 2


def test_a_neighbour_in_the_same_window_pays_nothing(db: Database, project_id: UUID) -> None:
    """Its window was discarded by somebody else's deletion: neither an attempt nor a crash is held against it."""
    mine = post(db, project_id, "a", ids=ONE, scope_key=LABELLED).event_id
    theirs = post(db, project_id, "b", ids=TWO, scope_key=LABELLED).event_id
    assert claim(db) is not None
    db.run(lambda session: events.start(session, project_id, [mine, theirs]))

    _erase(db, project_id, key=LABELLED, run_id="one")

    assert rows(db, "SELECT status, attempts, crash_count FROM events WHERE id = %s", theirs) == [
        {"status": "PENDING", "attempts": 0, "crash_count": 0}
    ]


def test_a_memory_of_two_runs_keeps_the_source_that_is_left(db: Database, project_id: UUID) -> None:
    """The memory belongs to the run that made it; an erased message no longer vouches for it."""
    memory = stored(db, project_id, "Lives in Rome", ids=TWO)
    settle_events(db)
    accepted = post(db, project_id, "Rome it is", ids=ONE, scope_key=LABELLED)
    change(
        db,
        "INSERT INTO memory_sources (project_id, memory_id, version, message_id, quote)"
        " SELECT project_id, %s, 1, id, 'Rome it is' FROM messages WHERE event_id = %s",
        memory.id, accepted.event_id,
    )  # fmt: skip

    _erase(db, project_id, key=LABELLED, run_id="one")

    found = db.run(lambda session: memories.sources(session, project_id, memory.id))
    assert [source.text for source in found] == ["Lives in Rome"]
    assert _where(db, "Rome it is") == set()


def test_what_comes_into_being_meanwhile_stays_whole(db: Database, project_id: UUID) -> None:
    """A write whose scope was born while the deletion ran counts as after it: all of it stays."""
    from concurrent.futures import ThreadPoolExecutor

    post(db, project_id, "old", ids=ONE)
    with db.transaction() as deleting, db.transaction() as locking, ThreadPoolExecutor(1) as pool:
        held = rows(db, "SELECT id FROM scopes")[0]["id"]
        assert scopes.lock(locking, ScopeRef(project_id, held))
        waiting = pool.submit(memory_edits.delete_all, deleting, project_id, ScopeIds(user_id="alex"))
        _wait_for_a_lock(db)
        post(db, project_id, "new", ids=TWO)
        locking.rollback()
        erased = waiting.result(timeout=10)
        deleting.commit()

    assert erased.messages == 1
    assert rows(db, "SELECT status FROM events WHERE run_id = 'two'") == [{"status": "PENDING"}]
    assert column(db, "SELECT text FROM messages") == ["new"]
    assert column(db, "SELECT pending_live FROM scopes ORDER BY pending_live") == [1]


def _wait_for_a_lock(db: Database) -> None:
    from tests.stack import wait_until

    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    wait_until(lambda: rows(db, waiting), "the deletion waits for the scope")
