"""What a user changes or deletes by id: history, index intents, conflicts, and what must not come back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from shared.db import index_collections, memories, memory_edits, scopes
from shared.db.engine import Database
from shared.db.memory_edits import Patch
from shared.errors import BadRequest, Conflict, NotFound
from shared.model.memory import Memory
from shared.model.scope import ScopeRef
from shared.model.text import text_hash
from tests import factories
from tests.factories import change, column, rows
from tests.integration.memory_rows import stored, vector_of


@pytest.fixture(autouse=True)
def _collection(db: Database) -> None:
    db.run(lambda session: index_collections.ensure(session, "model-1", "flumes-model-1"))


def _patch(db: Database, memory: Memory, **what: Any) -> Memory:
    return db.run(lambda session: memory_edits.patch(session, memory.project_id, memory.id, Patch(**what)))


def _delete(db: Database, memory: Memory) -> Memory:
    return db.run(lambda session: memory_edits.delete(session, memory.project_id, memory.id))


def _read(db: Database, memory: Memory) -> Memory:
    found = db.run(lambda session: memories.get(session, memory.project_id, memory.id))
    assert found is not None
    return found


def _history(db: Database, memory: Memory) -> list[tuple[int, str, str | None, str | None]]:
    found = db.run(lambda session: memories.history(session, memory.project_id, memory.id))
    return [(row.version, row.op, row.old_text, row.new_text) for row in found]


def _queued(db: Database) -> list[tuple[int, str]]:
    return [(row["version"], row["op"]) for row in rows(db, "SELECT version, op FROM index_queue ORDER BY queued_at")]


def test_a_new_text_is_a_new_version_said_now(db: Database, project_id: UUID) -> None:
    """Same id; hash, index text and history follow; the extractor cannot overwrite it with older messages."""
    memory = stored(db, project_id, "Lives in Rome")

    new = _patch(db, memory, text="Lives in Milan")

    assert new == _read(db, memory)
    assert (new.id, new.version, new.text, new.index_text) == (memory.id, 2, "Lives in Milan", "Lives in Milan")
    assert new.hash == text_hash("Lives in Milan")
    assert new.observed_at > memory.observed_at
    assert _history(db, memory) == [
        (1, "ADD", None, "Lives in Rome"), (2, "PATCH", "Lives in Rome", "Lives in Milan"),
    ]  # fmt: skip
    assert _queued(db) == [(2, "upsert")]
    (before,) = column(db, "SELECT before FROM memory_versions WHERE version = 2")
    assert before["text"] == "Lives in Rome"


def test_the_patched_text_has_no_sources_of_the_old_one(db: Database, project_id: UUID) -> None:
    """A quote of a message does not vouch for what the user wrote; the old vector does not stand for it."""
    memory = stored(db, project_id, "Lives in Rome", vector=[1.0, 0.0])
    _patch(db, memory, text="Lives in Milan")

    assert db.run(lambda session: memories.sources(session, project_id, memory.id)) == []
    assert vector_of(db, memory) == (1, [1.0, 0.0])


def test_the_dates_of_a_memory_follow_its_words(db: Database, project_id: UUID) -> None:
    """Another date takes the place of the old one, in the project's timezone; the same one keeps what is known."""
    change(db, """UPDATE projects SET settings = '{"timezone": "Pacific/Kiritimati"}'""")
    july = datetime(2026, 7, 1, tzinfo=UTC)
    memory = stored(db, project_id, "Wants to go to Rome in July", happens_at=july, precision="month")

    assert _patch(db, memory, text="Wants to go to Paris in July").happens_at == july
    moved = _patch(db, memory, text="Wants to go to Paris tomorrow")
    tomorrow = datetime.now(ZoneInfo("Pacific/Kiritimati")).date() + timedelta(days=1)
    assert (moved.happens_at.date() if moved.happens_at else None, moved.precision) == (tomorrow, "day")
    open_ended = _patch(db, memory, text="Wants to go to Paris")
    assert (open_ended.happens_at, open_ended.precision) == (None, None)


def test_metadata_alone_keeps_text_sources_and_vector(db: Database, project_id: UUID) -> None:
    """A new version, with the sources and the paid-for embedding of the old one."""
    memory = stored(db, project_id, "Lives in Rome", vector=[1.0, 0.0], metadata={"a": 1})

    new = _patch(db, memory, metadata={"b": 2})

    assert (new.text, new.metadata, new.version) == ("Lives in Rome", {"b": 2}, 2)
    assert (new.observed_at, new.evidence_count) == (memory.observed_at, memory.evidence_count)
    assert len(db.run(lambda session: memories.sources(session, project_id, memory.id))) == 1
    assert vector_of(db, memory) == (2, [1.0, 0.0])
    assert _queued(db) == [(2, "upsert")]


def test_absent_metadata_stays_and_empty_metadata_clears(db: Database, project_id: UUID) -> None:
    """None is unchanged, {} clears."""
    memory = stored(db, project_id, "Lives in Rome", metadata={"a": 1})

    assert _patch(db, memory, text="Lives in Milan").metadata == {"a": 1}
    assert _patch(db, memory, metadata={}).metadata is None


def test_a_patch_that_changes_nothing_writes_nothing(db: Database, project_id: UUID) -> None:
    """Same text, same metadata: no version, no index write."""
    memory = stored(db, project_id, "Lives in Rome", metadata={"a": 1})

    assert _patch(db, memory, text="Lives in Rome", metadata={"a": 1}) == _read(db, memory)
    assert _patch(db, memory).version == 1
    assert _queued(db) == []


def test_another_memorys_text_is_a_conflict(db: Database, project_id: UUID) -> None:
    """409 names the twin; equal but for case counts; its own text in other case does not."""
    rome, milan = stored(db, project_id, "Lives in Rome"), stored(db, project_id, "Lives in Milan")

    with pytest.raises(Conflict) as caught:
        _patch(db, rome, text="lives in MILAN.")

    assert (caught.value.code, caught.value.extra) == ("duplicate_text", {"memory_id": str(milan.id)})
    assert _read(db, rome) == rome
    assert _patch(db, rome, text="lives in rome").text == "lives in rome"


def test_only_current_memories_of_the_scope_are_twins(db: Database, project_id: UUID) -> None:
    """Deleted words and other users' words are free."""
    rome, milan = stored(db, project_id, "Lives in Rome"), stored(db, project_id, "Lives in Milan")
    stored(db, project_id, "Lives in Oslo", user="other")
    _delete(db, milan)

    assert _patch(db, rome, text="Lives in Milan").version == 2
    assert _patch(db, rome, text="Lives in Oslo").version == 3


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_text_is_refused(db: Database, project_id: UUID, text: str) -> None:
    """A memory cannot be blanked."""
    memory = stored(db, project_id, "Lives in Rome")

    with pytest.raises(BadRequest):
        _patch(db, memory, text=text)


def test_unknown_foreign_and_deleted_ids_are_not_found(db: Database, project_id: UUID) -> None:
    """For PATCH and DELETE alike."""
    memory = stored(db, project_id, "Lives in Rome")
    foreign = factories.project(db, "other").id
    _delete(db, memory)

    for project, memory_id in ((project_id, memory.id), (foreign, memory.id), (project_id, UUID(int=5))):
        with pytest.raises(NotFound):
            db.run(lambda s, p=project, m=memory_id: memory_edits.patch(s, p, m, Patch(text="x")))  # type: ignore[misc]
        with pytest.raises(NotFound):
            db.run(lambda s, p=project, m=memory_id: memory_edits.delete(s, p, m))  # type: ignore[misc]


def test_what_is_no_longer_current_cannot_be_changed(db: Database, project_id: UUID) -> None:
    """409 says what became of it."""
    memory, twin = stored(db, project_id, "Lives in Rome"), stored(db, project_id, "Lives in Milan")
    change(db, "UPDATE memories SET state = 'replaced', replaced_by = %s WHERE id = %s", twin.id, memory.id)

    with pytest.raises(Conflict) as caught:
        _patch(db, memory, text="Lives in Oslo")

    assert caught.value.code == "memory_not_current"
    assert caught.value.extra == {"state": "replaced", "replaced_by": str(twin.id)}


def test_the_owner_may_change_an_immutable_memory(db: Database, project_id: UUID) -> None:
    """Immutable binds reconciliation, not the caller who set it."""
    memory = stored(db, project_id, "Lives in Rome", immutable=True)

    assert _patch(db, memory, text="Lives in Milan").immutable


def test_a_deleted_memory_is_hidden_and_kept_for_the_audit(db: Database, project_id: UUID) -> None:
    """State deleted with the seq it happened at, history continues, the index drops it, its words are free."""
    memory = stored(db, project_id, "Lives in Rome")
    (next_seq,) = column(db, "SELECT next_seq FROM scopes")

    gone = _delete(db, memory)

    assert (gone.state, gone.version, gone.deleted_seq) == ("deleted", 2, next_seq)
    assert _read(db, memory) == gone
    assert _history(db, memory)[-1] == (2, "DELETE", "Lives in Rome", None)
    assert _queued(db) == [(2, "delete")]
    scope = ScopeRef(project_id, memory.scope_id)
    assert db.run(lambda session: memories.by_hashes(session, scope, [memory.hash])) == {}
    assert column(db, "SELECT next_seq FROM scopes") == [next_seq + 1]


def test_every_version_of_a_deleted_memory_is_forgotten(db: Database, project_id: UUID) -> None:
    """The hashes of old and new texts, at the seq of the newest deletion; living memories are not in it."""
    memory = stored(db, project_id, "Lives in Rome")
    other = stored(db, project_id, "Likes tea")
    _patch(db, memory, text="Lives in Milan")
    gone = _delete(db, memory)
    scope = ScopeRef(project_id, memory.scope_id)
    hashes = [text_hash(text) for text in ("Lives in Rome", "lives in milan", "Likes tea", "Never said")]

    found = db.run(lambda session: memories.forgotten(session, scope, hashes))

    assert found == {hashes[0]: gone.deleted_seq, hashes[1]: gone.deleted_seq}
    second = stored(db, project_id, "Lives in Rome")
    newest = _delete(db, second).deleted_seq
    assert newest is not None
    assert gone.deleted_seq is not None
    assert newest > gone.deleted_seq
    assert db.run(lambda session: memories.forgotten(session, scope, hashes))[hashes[0]] == newest
    assert other.state == "current"


def test_an_edit_waits_for_the_scope(db: Database, project_id: UUID) -> None:
    """PATCH sees what the commit that holds the scope wrote, not what was there when it asked."""
    from concurrent.futures import ThreadPoolExecutor

    memory = stored(db, project_id, "Lives in Rome")
    scope = ScopeRef(project_id, memory.scope_id)
    with ThreadPoolExecutor(1) as pool:
        with db.transaction() as session:
            assert scopes.lock(session, scope)
            waiting = pool.submit(_patch, db, memory, text="Lives in Milan")
            memory_edits.delete(session, project_id, memory.id)
        with pytest.raises(NotFound):
            waiting.result(timeout=10)

    assert _history(db, memory)[-1][1] == "DELETE"
