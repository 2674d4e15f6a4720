"""`infer=false`: messages become memories inside the accept transaction, byte for byte, at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from shared.db import events, index_collections, memories
from shared.db.accept import NewMessage
from shared.db.engine import Database
from shared.db.memories import Page
from shared.model.memory import Memory
from tests import factories
from tests.factories import ALEX, column, post, rows, said

NOON = datetime(2026, 5, 6, 12, tzinfo=UTC)
ODD = "  Ｔabs\tand  spaces…\n\nÜber “quotes” 👩‍🚀 \u200b. "


def _raw(db: Database, project_id: UUID, *messages: str | NewMessage, **options: Any) -> UUID:
    return post(db, project_id, *messages, infer=False, **options).event_id


def _listed(db: Database, project_id: UUID) -> list[Memory]:
    return db.run(lambda session: memories.newest(session, project_id, ALEX, Page(50)))


def test_messages_are_kept_byte_for_byte(db: Database, project_id: UUID) -> None:
    """Text, role and speaker as given; visible to a list at once; nothing waits for a worker."""
    event_id = _raw(
        db, project_id, said(ODD, name="Ann", at=NOON, stamp="2026-05-06T12:00Z"), metadata={"a": 1},
        expires_on=date(2999, 1, 1), immutable=True,
    )  # fmt: skip

    (memory,) = _listed(db, project_id)
    assert (memory.text, memory.kind, memory.role, memory.speaker) == (ODD, "raw", "user", "Ann")
    assert (memory.metadata, memory.expires_on, memory.immutable) == ({"a": 1}, date(2999, 1, 1), True)
    assert (memory.created_at, memory.extractor["name"], memory.version) == (NOON, "none", 1)
    (scope,) = rows(db, "SELECT pending_live, pending_bytes, next_seq FROM scopes")
    assert scope == {"pending_live": 0, "pending_bytes": 0, "next_seq": 2}
    assert factories.claim(db) is None
    assert column(db, "SELECT applied_by FROM messages") == [event_id]


def test_the_event_has_ended_with_its_results(db: Database, project_id: UUID) -> None:
    """SUCCEEDED, one ADD a message in order, with role and speaker beside it."""
    event_id = _raw(db, project_id, said("Hello", name="Ann"), said("Hi", "assistant"))

    event = db.run(lambda session: events.get(session, project_id, event_id))

    assert event is not None
    assert (event.status, event.kind, event.ended) == ("SUCCEEDED", "raw", True)
    assert event.completed_at is not None
    newest = {memory.text: memory for memory in _listed(db, project_id)}
    assert event.results == [
        {"id": str(newest["Hello"].id), "memory": "Hello", "event": "ADD", "actor_id": "Ann", "role": "user"},
        {"id": str(newest["Hi"].id), "memory": "Hi", "event": "ADD", "actor_id": None, "role": "assistant"},
    ]


def test_history_and_source_are_the_message_itself(db: Database, project_id: UUID) -> None:
    """Version 1 with the event's seq; the whole message is the span."""
    event_id = _raw(db, project_id, "Hello")

    (version,) = rows(db, "SELECT version, op, new_text, event_id, seq FROM memory_versions")
    assert version == {"version": 1, "op": "ADD", "new_text": "Hello", "event_id": event_id, "seq": 1}
    (memory,) = _listed(db, project_id)
    (source,) = db.run(lambda session: memories.sources(session, project_id, memory.id))
    assert (source.text, source.start, source.end, source.event_id) == ("Hello", 0, 5, event_id)


def test_a_repeat_returns_the_id_it_has(db: Database, project_id: UUID) -> None:
    """Same text, role, speaker and stamp: one memory, also within one write and from 8 callers at once."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: _raw(db, project_id, "Hello", "Hello"), range(8)))

    (memory,) = _listed(db, project_id)
    assert set(column(db, "SELECT r->>'id' FROM event_payloads, jsonb_array_elements(results) r")) == {str(memory.id)}
    assert column(db, "SELECT count(*) FROM messages") == [16]


def test_what_differs_is_kept_apart(db: Database, project_id: UUID) -> None:
    """Another role, speaker or caller's timestamp is another message; an absent timestamp is one value."""
    _raw(
        db, project_id, "Hello", said("Hello", "assistant"), said("Hello", name="Ann"), "hello", "Hello ",
        said("Hello", at=NOON, stamp="2026-05-06"), said("Hello", at=NOON, stamp="2026-05-07"),
    )  # fmt: skip

    assert len(_listed(db, project_id)) == 7


def test_a_deleted_message_can_be_stored_again(db: Database, project_id: UUID) -> None:
    """Only current memories count as repeats."""
    from shared.db import memory_edits

    _raw(db, project_id, "Hello")
    (first,) = _listed(db, project_id)
    db.run(lambda session: memory_edits.delete(session, project_id, first.id))
    _raw(db, project_id, "Hello")

    (second,) = _listed(db, project_id)
    assert second.id != first.id


def test_a_raw_memory_asks_for_an_index_write_once(db: Database, project_id: UUID) -> None:
    """One row for each collection in use; a repeat adds none."""
    db.run(lambda session: index_collections.ensure(session, "bm25", "flumes-bm25-1"))
    _raw(db, project_id, "Hello")
    _raw(db, project_id, "Hello")

    (memory,) = _listed(db, project_id)
    assert rows(db, "SELECT memory_id, version, op FROM index_queue") == [
        {"memory_id": memory.id, "version": 1, "op": "upsert"}
    ]


def test_a_collection_registered_late_misses_nothing(db: Database, project_id: UUID) -> None:
    """Memories stored before any worker named a collection are queued when the first one does."""
    _raw(db, project_id, "Hello", "World")
    db.run(lambda session: index_collections.ensure(session, "bm25", "flumes-bm25-1"))
    db.run(lambda session: index_collections.ensure(session, "bm25", "flumes-bm25-1"))

    queued = set(column(db, "SELECT memory_id FROM index_queue WHERE op = 'upsert' AND version = 1"))
    assert queued == {memory.id for memory in _listed(db, project_id)}


def test_raw_messages_do_not_wait_for_the_lane(db: Database, project_id: UUID) -> None:
    """Work pending in the scope, even leased, does not keep a raw write from being visible."""
    post(db, project_id, "I live in Rome")
    held = factories.claim(db)
    assert held is not None

    _raw(db, project_id, "Hello")

    assert [memory.text for memory in _listed(db, project_id)] == ["Hello"]
    assert column(db, "SELECT pending_live FROM scopes") == [1]
