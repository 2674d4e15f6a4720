"""Writing memories back: texts that travel between rows, sources that count once, history that closes what it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from shared.db import memories, memory_writes
from shared.db.engine import Database
from shared.model.memory import Memory, Source, VersionRow
from shared.model.scope import ScopeRef
from shared.model.text import text_hash
from tests.factories import column, rows
from tests.integration.memory_rows import NOON, stored


def _as(memory: Memory, other: Memory) -> Memory:
    return replace(memory, text=other.text, hash=other.hash, version=memory.version + 1)


def _scope(memory: Memory) -> ScopeRef:
    return ScopeRef(memory.project_id, memory.scope_id)


def test_texts_rotate_between_current_rows(db: Database, project_id: UUID) -> None:
    """A takes B's, B takes C's, C takes A's in one statement: no order of writing stands in the way."""
    made = [stored(db, project_id, text) for text in ("Lives in Rome", "Lives in Milan", "Lives in Oslo")]
    moved = [_as(memory, made[(place + 1) % 3]) for place, memory in enumerate(made)]

    db.run(lambda session: memory_writes.update(session, moved))

    found = db.run(lambda session: memories.by_ids(session, project_id, [memory.id for memory in made]))
    assert {memory.id: (found[memory.id].text, found[memory.id].hash) for memory in moved} == {
        memory.id: (memory.text, text_hash(memory.text)) for memory in moved
    }


def test_a_closed_memory_gives_its_text_away(db: Database, project_id: UUID) -> None:
    """One is retracted and another takes its words, whichever comes first in the list."""
    rome, milan = stored(db, project_id, "Lives in Rome"), stored(db, project_id, "Lives in Milan")
    closed = replace(rome, state="retracted", version=2)

    db.run(lambda session: memory_writes.update(session, [_as(milan, rome), closed]))

    assert rows(db, "SELECT text, state FROM memories ORDER BY state") == [
        {"text": "Lives in Rome", "state": "current"}, {"text": "Lives in Rome", "state": "retracted"},
    ]  # fmt: skip


def test_two_current_memories_never_share_a_text(db: Database, project_id: UUID) -> None:
    """The last line of defence is the database's own; other scopes and closed rows do not count."""
    rome, milan = stored(db, project_id, "Lives in Rome"), stored(db, project_id, "Lives in Milan")
    stored(db, project_id, "Lives in Rome", user="other")

    with pytest.raises(IntegrityError):
        db.run(lambda session: memory_writes.update(session, [_as(milan, rome)]))
    with pytest.raises(IntegrityError):
        stored(db, project_id, "lives in rome.")


def test_every_field_that_may_change_is_written(db: Database, project_id: UUID) -> None:
    """What is read back is what was planned, dates and lists and nulls included."""
    memory = stored(db, project_id, "Lives in Rome", metadata={"a": 1}, categories=("home",), speaker="Ann")
    later = NOON + timedelta(days=1)
    changed = replace(
        memory, text="Lives in Milan", index_text="Ann: Lives in Milan", hash=text_hash("Lives in Milan"),
        kind="state", about="other", speaker="Bob", weight=3, metadata=None, categories=("work", "town"),
        happens_at=later, happens_until=later, precision="day", valid_from=later, valid_to=later, observed_at=later,
        expires_on=later.date(), immutable=True, version=5, state="replaced", replaced_by=memory.id,
        extractor={"name": "rules", "model": None, "prompt_version": None}, evidence_count=7, updated_at=later,
    )  # fmt: skip

    db.run(lambda session: memory_writes.update(session, [changed]))

    assert db.run(lambda session: memories.get(session, project_id, memory.id)) == changed
    db.run(lambda session: memory_writes.update(session, []))


def test_a_message_counts_once_for_each_version(db: Database, project_id: UUID) -> None:
    """Cited twice it is one source; a carried source and a new citation of the same message are one, too."""
    memory = stored(db, project_id, "Lives in Rome")
    (message_id,) = column(db, "SELECT id FROM messages")
    again = Source(message_id, None, None, "")

    db.run(lambda session: memory_writes.cite(session, project_id, [(memory.id, 1, again)] * 2))
    db.run(lambda session: memory_writes.carry_sources(session, project_id, [(memory.id, 1, 2)]))
    db.run(lambda session: memory_writes.cite(session, project_id, [(memory.id, 2, again)]))

    assert rows(db, "SELECT version, quote FROM memory_sources ORDER BY version") == [
        {"version": 1, "quote": "Lives in Rome"}, {"version": 2, "quote": "Lives in Rome"},
    ]  # fmt: skip


@pytest.mark.parametrize(("op", "closes"), [("SUPERSEDE", True), ("PATCH", True), ("RETRACT", True), ("REFINE", False)])
def test_history_ends_the_version_before(db: Database, project_id: UUID, *, op: str, closes: bool) -> None:
    """A new truth ends the old one when it begins; a refinement goes on with it."""
    memory = stored(db, project_id, "Lives in Rome")
    later = NOON + timedelta(days=1)
    text = None if op == "RETRACT" else "Lives in Milan"
    row = VersionRow(memory.id, 2, op, memory.text, text, memory.hash, valid_from=later)

    db.run(lambda session: memory_writes.log(session, _scope(memory), [row]))

    first, second = rows(db, "SELECT valid_to, commit_order FROM memory_versions ORDER BY version")
    assert first["valid_to"] == (later if closes else None)
    assert second["commit_order"] > first["commit_order"]
