"""Erasing one memory, one event, a whole project: what goes, what stays, what cannot come back, and the receipt."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from shared.db import erasure, erasures, events, exports, feedback, idempotency, index_collections, index_queue, keys
from shared.db import memories as memory_rows
from shared.db.engine import Database
from shared.errors import NotFound
from shared.model.scope import ScopeIds, ScopeRef
from shared.model.seal import Seal, sealed
from shared.model.text import text_hash
from tests import factories
from tests.factories import ALEX, change, claim, column, post, rows
from tests.integration.memory_rows import settle_events, stored, texts

SEAL = Seal("pepper")


@pytest.fixture(autouse=True)
def _collection(db: Database) -> None:
    db.run(lambda session: index_collections.ensure(session, "model-1", "flumes-model-1"))


def _erase(db: Database, project_id: UUID, **ids: str) -> erasure.Erased:
    return db.run(lambda session: erasure.delete_all(session, project_id, ScopeIds(**ids), seal=SEAL))


def test_no_id_of_the_entity_is_left(db: Database, project_id: UUID) -> None:
    """Events, scopes, exports and earlier deletions named the user; keyed hashes stand there now, or nothing."""
    ids = ScopeIds(user_id="canary-user", run_id="canary-run")
    stored(db, project_id, "Lives in Rome", ids=ids)
    post(db, project_id, "I moved", ids=ids)
    db.run(lambda s: exports.create(s, project_id, {"filters": {"AND": [{"user_id": "canary-user"}]}}, {}, "canary"))
    db.run(lambda s: exports.create(s, project_id, {"user_id": "someone-else"}, {}, "other"))
    _erase(db, project_id, user_id="canary-user", run_id="canary-run")
    _erase(db, project_id, user_id="canary-user")

    for table in column(db, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        assert rows(db, f"SELECT * FROM {table} t WHERE t::text LIKE '%%canary%%'") == [], table
    assert all(map(sealed, column(db, "SELECT user_id FROM events")))
    assert column(db, "SELECT instructions FROM memory_exports") == ["other"]


def test_a_receipt_answers_was_it_erased(db: Database, project_id: UUID) -> None:
    """By the ids alone, in numbers; another pepper, project or id finds nothing."""
    memory = stored(db, project_id, "Lives in Rome", vector=[1.0])
    db.run(lambda s: feedback.put(s, project_id, memory.id, "POSITIVE", "canary"))
    settle_events(db)
    erased = _erase(db, project_id, user_id="alex")

    def asked(seal: Seal, user: str, project: UUID = project_id) -> list[UUID]:
        subject = seal.subject(project, {"user_id": user})
        return [one.id for one in db.run(lambda s: erasures.of_subject(s, project, subject))]

    assert asked(SEAL, "alex") == [erased.event_id]
    assert asked(Seal("another"), "alex") == asked(SEAL, "alexa") == asked(SEAL, "alex", uuid4()) == []
    receipt = db.run(lambda s: erasures.get(s, project_id, erased.event_id))
    assert receipt is not None
    assert receipt.names == ("user_id",)
    expected = {"memories": 1, "versions": 1, "sources": 1, "vectors": 1, "feedback": 1, "messages": 1, "events": 1,
                "points": 1, "scopes": 1}  # fmt: skip
    assert {kind: number for kind, number in receipt.counts.items() if number} == expected


def test_a_receipt_is_pending_until_the_index_has_forgotten(db: Database, project_id: UUID) -> None:
    """The engine is away: points wait in the queue and the receipt says so, until they are confirmed."""
    stored(db, project_id, "Lives in Rome")
    erased = _erase(db, project_id, user_id="alex")

    def receipt() -> erasures.Receipt:
        db.run(lambda s: erasures.complete(s, project_id))
        found = db.run(lambda s: erasures.get(s, project_id, erased.event_id))
        assert found is not None
        return found

    assert (receipt().state, receipt().waiting) == ("pending", 1)
    due = db.run(lambda s: index_queue.take(s, limit=10))
    db.run(lambda s: index_queue.done(s, due))
    done = receipt()
    assert (done.state, done.waiting) == ("done", 0)
    assert receipt().completed_at == done.completed_at


def test_a_retry_with_the_key_of_an_erased_request_finds_it_erased(db: Database, project_id: UUID) -> None:
    """The key is kept as a hash, the body's fingerprint is gone; the answer is the erased event, not a new one."""
    key = idempotency.Key("POST /v1/memories", "canary-key", b"canary-print", sealed=SEAL.request(
        project_id, "POST /v1/memories", "canary-key"))  # fmt: skip
    first = post(db, project_id, "I live in Rome", idempotency=key)
    _erase(db, project_id, user_id="alex")

    again = post(db, project_id, "I live in Rome", idempotency=key)
    other = post(db, project_id, "I live in Milan", idempotency=replace(key, fingerprint=b"another"))

    assert (again.event_id, again.replayed) == (other.event_id, other.replayed) == (first.event_id, True)
    assert column(db, "SELECT text FROM messages") == []
    assert [bytes(print_) for print_ in column(db, "SELECT fingerprint FROM idempotency_keys")] == [b""]
    assert not [name for name in column(db, "SELECT key FROM idempotency_keys") if "canary" in name]


def test_one_memory_goes_with_its_words(db: Database, project_id: UUID) -> None:
    """Versions, sources, the message, results that told of it; another memory of the message keeps its own text."""
    gone = stored(db, project_id, "Lives in canary street")
    kept = stored(db, project_id, "Likes tea")
    change(
        db,
        "INSERT INTO memory_sources (project_id, memory_id, version, message_id, quote)"
        " SELECT project_id, %s, 1, message_id, quote FROM memory_sources WHERE memory_id = %s",
        kept.id, gone.id,
    )  # fmt: skip
    settle_events(db)
    change(
        db,
        "UPDATE event_payloads SET results = jsonb_build_array(jsonb_build_object('id', %s::text, 'memory', 'canary'),"
        " jsonb_build_object('id', %s::text, 'memory', 'Likes tea'))",
        gone.id, kept.id,
    )  # fmt: skip

    erased = db.run(lambda s: erasure.erase_memory(s, project_id, gone.id, seal=SEAL))

    assert texts(db) == {"Likes tea"}
    assert column(db, "SELECT text FROM messages") == ["Likes tea"]
    assert column(db, "SELECT quote FROM memory_sources") == ["Likes tea"]
    for table in column(db, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        assert rows(db, f"SELECT * FROM {table} t WHERE t::text LIKE '%%canary%%'") == [], table
    assert (erased.memories, erased.messages, erased.events) == (1, 1, 1)
    assert rows(db, "SELECT op, memory_id, version FROM index_queue") == [
        {"op": "delete", "memory_id": gone.id, "version": 2}
    ]
    with pytest.raises(NotFound):
        db.run(lambda s: erasure.erase_memory(s, project_id, gone.id, seal=SEAL))


def test_an_erased_memory_is_not_said_again_by_what_was_waiting(db: Database, project_id: UUID) -> None:
    """Messages accepted before may not bring the text back; once none waits, its hash is forgotten too."""
    memory = stored(db, project_id, "Lives in Rome")
    settle_events(db)
    waiting = post(db, project_id, "As I said, I live in Rome")
    held = claim(db)
    assert held is not None
    db.run(lambda s: erasure.erase_memory(s, project_id, memory.id, seal=SEAL))

    scope = ScopeRef(project_id, memory.scope_id)
    digest = text_hash("Lives in Rome")
    seq = column(db, "SELECT seq FROM events WHERE id = %s", waiting.event_id)[0]
    assert db.run(lambda s: memory_rows.forgotten(s, scope, [digest]))[digest] > seq
    assert claim(db) is not None  # the claim of before is void, the message still waits

    settle_events(db)
    from shared.db import erased_texts

    assert db.run(lambda s: erased_texts.prune(s, scope)) == 1
    assert db.run(lambda s: memory_rows.forgotten(s, scope, [digest])) == {}


def test_one_event_goes_with_what_it_made(db: Database, project_id: UUID) -> None:
    """A pending one ends empty; one that made memories takes them along; its neighbours stay pending."""
    made = stored(db, project_id, "Lives in canary street")
    settle_events(db)
    (event_id,) = column(db, "SELECT event_id FROM messages")
    pending = post(db, project_id, "canary is pending", metadata={"canary": "canary"}).event_id
    other = post(db, project_id, "I like tea").event_id

    db.run(lambda s: erasure.erase_event(s, project_id, event_id, seal=SEAL))
    erased = db.run(lambda s: erasure.erase_event(s, project_id, pending, seal=SEAL))

    assert erased.ended == ((pending, None),)
    for table in column(db, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        assert rows(db, f"SELECT * FROM {table} t WHERE t::text LIKE '%%canary%%'") == [], table
    assert made.id not in column(db, "SELECT id FROM memories")
    event = db.run(lambda s: events.get(s, project_id, other))
    assert event is not None
    assert event.status == "PENDING"
    assert column(db, "SELECT pending_live FROM scopes") == [1]


def test_a_project_leaves_nothing_but_its_receipt(db: Database, project_id: UUID) -> None:
    """Rows of every table that carry its id are gone; the other project is untouched."""
    other = factories.project(db, "other").id
    stored(db, other, "Likes tea")
    stored(db, project_id, "Lives in Rome", vector=[1.0])
    post(db, project_id, "canary pending", ids=ALEX)
    db.run(lambda s: keys.create(s, project_id, "pepper", name="canary"))

    db.run(lambda s: erasure.erase_project(s, project_id, "default", seal=SEAL))
    db.run(lambda s: erasure.drop_project(s, project_id))

    tables = column(db, "SELECT table_name FROM information_schema.columns WHERE column_name = 'project_id'"
                        " AND table_schema = 'public'")  # fmt: skip
    held = {table for table in tables if rows(db, f"SELECT 1 FROM {table} WHERE project_id = %s", project_id)}
    assert held == {"erasures", "index_queue"}
    assert texts(db) == {"Likes tea"}
    subject = erasure.project_subject(SEAL, "default")
    assert db.run(lambda s: erasures.of_projects(s, subject)) == [project_id]
    (receipt,) = db.run(lambda s: erasures.of_subject(s, project_id, subject))
    assert (receipt.what, receipt.counts["memories"]) == ("project", 1)


def test_keys_bound_to_an_erased_user_are_retired(db: Database, project_id: UUID) -> None:
    """`flumes erase` revokes them and seals the id; keys of others live on."""
    theirs = db.run(lambda s: keys.create(s, project_id, "pepper", user_id="canary-user", name="canary's phone"))
    others = db.run(lambda s: keys.create(s, project_id, "pepper", user_id="alex"))

    assert db.run(lambda s: erasure.retire_keys(s, project_id, ScopeIds(user_id="canary-user"), seal=SEAL)) == 1

    assert db.run(lambda s: keys.find(s, theirs, "pepper")) is None
    assert db.run(lambda s: keys.find(s, others, "pepper")) is not None
    assert rows(db, "SELECT 1 FROM api_keys k WHERE k::text LIKE '%%canary%%'") == []
