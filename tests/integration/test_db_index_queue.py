"""The index queue: what the index must still reach, taken for a while, dropped only when confirmed."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import numpy as np
import pytest

from shared.db import index_collections, index_queue, memory_edits
from shared.db.engine import Database
from shared.db.index_queue import Change, Due
from shared.db.memory_edits import Patch
from shared.model.ids import uuid7
from shared.model.memory import Memory
from shared.model.scope import ScopeRef
from tests.factories import change, column, rows
from tests.integration.memory_rows import MODEL, stored, vector_of

NAME = "flumes-model-1"


@pytest.fixture(autouse=True)
def _collection(db: Database) -> None:
    db.run(lambda session: index_collections.ensure(session, MODEL, NAME))


def _change(memory: Memory, version: int = 1, op: Literal["upsert", "delete"] = "upsert") -> Change:
    return Change(memory.project_id, memory.scope_id, memory.id, version, op)


def _put(db: Database, *changes: Change) -> None:
    db.run(lambda session: index_queue.put(session, changes))


def _take(db: Database, **how: object) -> list[Due]:
    options = {"limit": 10, "hold": 10} | how
    return db.run(lambda session: index_queue.take(session, **options))  # type: ignore[arg-type]


def _done(db: Database, taken: list[Due]) -> None:
    db.run(lambda session: index_queue.done(session, taken))


def _queue(db: Database) -> list[tuple[UUID, int, str]]:
    found = rows(db, "SELECT memory_id, version, op FROM index_queue ORDER BY queued_at, memory_id")
    return [(row["memory_id"], row["version"], row["op"]) for row in found]


def test_a_due_row_brings_all_that_a_point_needs(db: Database, project_id: UUID) -> None:
    """The memory as it stands, the collection's shape and the kept vector."""
    memory = stored(
        db, project_id, "Lives in Rome", vector=[1.0, 2.0], categories=("home",), index_text="Ann: Lives in Rome"
    )
    _put(db, _change(memory))

    (due,) = _take(db)

    assert (due.collection, due.change, due.model, due.dimensions) == (NAME, _change(memory), MODEL, None)
    assert (due.ids, due.kind, due.categories, due.created_at) == (
        memory.ids, "profile", ("home",), memory.created_at,
    )  # fmt: skip
    assert (due.text, due.index_text, due.expires_on) == ("Lives in Rome", "Ann: Lives in Rome", None)
    assert due.vector is not None
    assert due.vector.tolist() == [1.0, 2.0]


def test_the_newest_version_of_a_memory_is_one_row(db: Database, project_id: UUID) -> None:
    """A newer change replaces an older one and is due at once; an older one changes nothing."""
    memory = stored(db, project_id, "Lives in Rome")
    _put(db, _change(memory, 1), _change(memory, 2))
    assert _queue(db) == [(memory.id, 2, "upsert")]
    _take(db)
    _put(db, _change(memory, 3, "delete"))
    assert column(db, "SELECT attempts FROM index_queue WHERE available_at <= clock_timestamp()") == [1000]
    _put(db, _change(memory, 2))

    assert _queue(db) == [(memory.id, 3, "delete")]


def _again(db: Database) -> list[Due]:
    """Whatever is there, as if its time had come."""
    change(db, "UPDATE index_queue SET available_at = clock_timestamp()")
    return _take(db)


def test_a_deletion_that_replaces_a_taken_row_is_done_twice(db: Database, project_id: UUID) -> None:
    """Whoever took the row may write its point after the deletion: the second one finds it."""
    memory = stored(db, project_id, "Lives in Rome")
    _put(db, _change(memory))
    _take(db)
    db.run(lambda session: memory_edits.delete(session, project_id, memory.id))
    for _ in range(2):
        assert _queue(db) == [(memory.id, 2, "delete")]
        _done(db, _again(db))

    assert _queue(db) == []


def test_a_deletion_of_what_nobody_took_is_done_once(db: Database, project_id: UUID) -> None:
    """The usual case costs nothing."""
    memory = stored(db, project_id, "Lives in Rome")
    _put(db, _change(memory))
    db.run(lambda session: memory_edits.delete(session, project_id, memory.id))
    _done(db, _take(db))

    assert _queue(db) == []


def test_an_upsert_that_ends_during_the_deletion_has_it_done_once_more(db: Database, project_id: UUID) -> None:
    """Deleted, written late, confirmed late, deletion confirmed: the point must not stay."""
    memory = stored(db, project_id, "Lives in Rome")
    _put(db, _change(memory))
    written = _take(db)
    db.run(lambda session: memory_edits.delete(session, project_id, memory.id))
    _done(db, _again(db))
    deleted = _again(db)
    _done(db, written)
    _done(db, deleted)

    assert [row.change.op for row in _again(db)] == ["delete"]


def test_every_collection_in_use_gets_a_row(db: Database, project_id: UUID) -> None:
    """The active one and the one being built, not a retired one."""
    memory = stored(db, project_id, "Lives in Rome")
    db.run(lambda session: index_collections.register(session, "next", "model-2", 8, "building"))
    db.run(lambda session: index_collections.register(session, "old", "model-0", 8, "retired"))
    _put(db, _change(memory))

    assert set(column(db, "SELECT collection FROM index_queue")) == {NAME, "next"}


def test_a_taken_row_comes_back_later_and_later(db: Database, project_id: UUID) -> None:
    """Taking is a lease: a dead worker's rows are due again after the hold, then after longer ones up to a minute."""
    memory = stored(db, project_id, "Lives in Rome")
    _put(db, _change(memory))
    waits = []
    for _ in range(5):
        assert len(_take(db)) == 1
        assert _take(db) == []
        (wait,) = column(db, "SELECT available_at - clock_timestamp() FROM index_queue")
        waits.append(round(wait.total_seconds()))
        change(db, "UPDATE index_queue SET available_at = clock_timestamp()")

    assert waits == [10, 20, 40, 60, 60]


def test_rows_of_given_memories_only(db: Database, project_id: UUID) -> None:
    """A window applies its own rows at once; the limit holds."""
    memories = [stored(db, project_id, f"Fact {number}") for number in range(4)]
    _put(db, *(_change(memory) for memory in memories))

    assert [due.change.memory_id for due in _take(db, memories=[memories[2].id])] == [memories[2].id]
    assert len(_take(db, limit=2)) == 2
    assert len(_take(db)) == 1


def test_two_workers_never_take_the_same_row(db: Database, project_id: UUID) -> None:
    """A row taken in an open transaction is passed over."""
    for number in range(4):
        _put(db, _change(stored(db, project_id, f"Fact {number}")))
    with db.transaction() as session:
        first = index_queue.take(session, limit=2)
        second = _take(db)

    assert len(first) == len(second) == 2
    assert {due.change.memory_id for due in first}.isdisjoint({due.change.memory_id for due in second})


def test_a_confirmed_row_leaves(db: Database, project_id: UUID) -> None:
    """And nothing else does."""
    one, two = stored(db, project_id, "Lives in Rome"), stored(db, project_id, "Likes tea")
    _put(db, _change(one), _change(two))
    _done(db, _take(db, memories=[one.id]))

    assert _queue(db) == [(two.id, 1, "upsert")]


def test_a_confirmation_does_not_take_a_newer_row_along(db: Database, project_id: UUID) -> None:
    """Queued while the index was writing the version before: it stays due."""
    memory = stored(db, project_id, "Lives in Rome")
    _put(db, _change(memory))
    taken = _take(db)
    db.run(lambda session: memory_edits.patch(session, project_id, memory.id, Patch(text="Lives in Milan")))
    _done(db, taken)

    assert _queue(db) == [(memory.id, 2, "upsert")]
    (due,) = _take(db)
    assert due.text == "Lives in Milan"


def test_a_slow_upsert_cannot_leave_a_deleted_memory_behind(db: Database, project_id: UUID) -> None:
    """Deleted, and the deletion applied, while one worker was still writing: the deletion is queued once more."""
    memory = stored(db, project_id, "Lives in Rome")
    _put(db, _change(memory))
    slow = _take(db)
    db.run(lambda session: memory_edits.delete(session, project_id, memory.id))
    _done(db, _take(db))
    _done(db, _again(db))
    assert _queue(db) == []

    _done(db, slow)

    assert [row[2] for row in _queue(db)] == ["delete"]


def test_a_slow_upsert_cannot_leave_an_erased_memory_behind(db: Database, project_id: UUID) -> None:
    """The same when the row is gone for good."""
    memory = stored(db, project_id, "Lives in Rome")
    _put(db, _change(memory))
    slow = _take(db)
    db.run(lambda session: memory_edits.delete_all(session, project_id, memory.ids))
    _done(db, _take(db))

    _done(db, slow)

    assert [row[2] for row in _queue(db)] == ["delete"]


def test_what_two_workers_confirm_is_not_queued_again(db: Database, project_id: UUID) -> None:
    """A row taken twice, its hold run out, and confirmed twice: the memory is as it was written."""
    memory = stored(db, project_id, "Lives in Rome")
    _put(db, _change(memory))
    first = _take(db)
    change(db, "UPDATE index_queue SET available_at = clock_timestamp()")
    second = _take(db)
    _done(db, second)
    _done(db, first)

    assert _queue(db) == []


def test_a_hidden_memory_is_known_as_hidden(db: Database, project_id: UUID) -> None:
    """An upsert that was queued before the memory was hidden brings no text."""
    memory = stored(db, project_id, "Lives in Rome")
    _put(db, _change(memory))
    change(db, "UPDATE memories SET state = 'retracted', version = 2")

    (due,) = _take(db)

    assert due.text is None


def test_a_row_ahead_of_the_memory_seen_waits(db: Database, project_id: UUID) -> None:
    """Its change was committed after the look began: neither a write nor a deletion may be made of half of it."""
    memory = stored(db, project_id, "Lives in Rome")
    _put(db, _change(memory, 2))

    assert _take(db) == []
    assert _queue(db) == [(memory.id, 2, "upsert")]


def test_postponed_rows_wait_without_a_mark(db: Database, project_id: UUID) -> None:
    """The index was away: that is not the row's fault."""
    memory = stored(db, project_id, "Lives in Rome")
    _put(db, _change(memory))
    taken = _take(db)
    db.run(lambda session: index_queue.postpone(session, taken, 30))

    (row,) = rows(db, "SELECT attempts, available_at - clock_timestamp() AS wait FROM index_queue")
    assert row["attempts"] == 1  # taken once, however often it is postponed
    assert 28 < row["wait"].total_seconds() <= 30


def test_vectors_are_kept_for_the_newest_version(db: Database, project_id: UUID) -> None:
    """An older version's vector never replaces a newer one's; a vector for nobody is no error."""
    memory = stored(db, project_id, "Lives in Rome")

    def keep(version: int, *values: float) -> None:
        vector = np.array(values, dtype=np.float32)
        db.run(lambda session: index_queue.keep_vectors(session, MODEL, [(_change(memory, version), vector)]))

    keep(2, 1.0, 2.0)
    keep(1, 9.0, 9.0)
    assert vector_of(db, memory) == (2, [1.0, 2.0])
    keep(3, 3.0, 4.0)
    assert vector_of(db, memory) == (3, [3.0, 4.0])
    db.run(lambda session: memory_edits.delete_all(session, project_id, memory.ids))
    keep(4, 5.0, 6.0)
    assert vector_of(db, memory) is None


def test_a_vector_of_another_version_is_not_used(db: Database, project_id: UUID) -> None:
    """The text moved on, its old embedding does not stand for it."""
    memory = stored(db, project_id, "Lives in Rome", vector=[1.0])
    db.run(lambda session: memory_edits.patch(session, project_id, memory.id, Patch(text="Lives in Milan")))

    (due,) = _take(db)

    assert (due.text, due.vector) == ("Lives in Milan", None)


def test_recall_hears_of_what_is_not_indexed_yet(db: Database, project_id: UUID) -> None:
    """Upserts of the scope, newest first; deletions and other scopes do not count."""
    one, two = stored(db, project_id, "One"), stored(db, project_id, "Two")
    gone = stored(db, project_id, "Gone")
    other = stored(db, project_id, "Other", user="other")
    for item in (_change(one), _change(two), _change(gone, 2, "delete"), _change(other)):
        _put(db, item)

    scope = ScopeRef(project_id, one.scope_id)
    assert db.run(lambda session: index_queue.unindexed(session, scope, 10)) == [two.id, one.id]
    assert db.run(lambda session: index_queue.unindexed(session, scope, 1)) == [two.id]
    assert db.run(index_queue.backlog) == 4


def test_a_rebuild_queues_every_current_memory_page_by_page(db: Database, project_id: UUID) -> None:
    """In id order, hidden ones left out; then it takes over and the old one's rows go."""
    memories = [stored(db, project_id, f"Fact {number}") for number in range(5)]
    db.run(lambda session: memory_edits.delete(session, project_id, memories[0].id))
    db.run(lambda session: index_collections.register(session, "next", MODEL, None, "building"))
    pages = 0
    last: object = None
    while (last := _queue_page(db, last)) is not None:
        pages += 1
    assert pages == 2
    queued = column(db, "SELECT memory_id FROM index_queue WHERE collection = 'next' AND op = 'upsert'")
    assert set(queued) == {memory.id for memory in memories[1:]}

    db.run(lambda session: index_collections.activate(session, "next"))

    active = db.run(index_collections.active)
    assert active is not None
    assert active.name == "next"
    assert set(column(db, "SELECT collection FROM index_queue")) == {"next"}
    db.run(lambda session: index_collections.forget(session, NAME))
    db.run(lambda session: index_collections.forget(session, "next"))
    assert [item.name for item in db.run(index_collections.listing)] == ["next"]


def _queue_page(db: Database, after: object) -> object:
    return db.run(lambda session: index_collections.queue_everything(session, "next", batch=2, after=after))


def test_the_size_of_a_collections_vectors_is_settled_once(db: Database) -> None:
    """The first size wins; only one collection is active."""
    assert db.run(lambda session: index_collections.fix_dimensions(session, NAME, 256)) == 256
    assert db.run(lambda session: index_collections.fix_dimensions(session, NAME, 512)) == 256
    assert not db.run(lambda session: index_collections.register(session, "x", MODEL, None, "active"))
    assert db.run(lambda session: index_collections.ensure(session, "other", "x")).name == NAME
    assert _take_nothing(db)


def _take_nothing(db: Database) -> bool:
    """An empty queue, an unknown memory, no changes at all."""
    _put(db)
    return _take(db) == [] and _take(db, memories=[uuid7()]) == [] and _take(db, memories=[]) == []
