"""`infer=false`: messages become memories inside the accept transaction, byte for byte, visible at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.orm import Session

from shared.db import events, index_queue, memory_writes, messages
from shared.db.entering import Entered
from shared.db.index_queue import Change
from shared.model.asked import LOOK_BACK, index_text, question
from shared.model.ids import uuid7
from shared.model.memory import Memory, Result, Source, VersionRow
from shared.model.message import Message
from shared.model.record import RAW_KIND
from shared.model.text import raw_hash

if TYPE_CHECKING:
    from shared.db.accept import NewEvent, NewMessage

RAW_EXTRACTOR = {"name": "none", "model": None, "prompt_version": None}


def store(session: Session, new: NewEvent, event_id: UUID, entered: Entered, message_ids: Sequence[UUID]) -> None:
    """One memory per message, exactly as given; a repeat yields the id it has already. Ends the event."""
    results = []
    before = messages.before(session, entered.scope, new.lane, entered.seq, LOOK_BACK)
    for index, (message, message_id) in enumerate(zip(new.messages, message_ids, strict=True)):
        asked = question((*before, *_said(new, event_id, entered, index)), message.role, message.speaker)
        memory = _memory(new, message, entered, asked)
        found = memory_writes.insert_unless_current(session, memory)
        if found == memory.id:
            _log(session, memory, event_id, entered, message_id)
        result = Result(event_id, found, message.text, "ADD", role=message.role, actor_id=message.speaker, raw=True)
        results.append(result.as_dict())
    events.finish_raw(session, new.project_id, event_id, results)


def _said(new: NewEvent, event_id: UUID, entered: Entered, index: int) -> list[Message]:
    """The messages of this event right before one of them."""
    first = max(0, index - LOOK_BACK)
    return [
        Message(event_id, event_id, entered.seq, at, said.role, said.text, entered.now, said.speaker)
        for at, said in enumerate(new.messages[first:index], start=first)
    ]


def _memory(new: NewEvent, message: NewMessage, entered: Entered, asked: str) -> Memory:
    said_at = message.said_at or entered.now
    return Memory(
        project_id=new.project_id, id=uuid7(), scope_id=entered.scope.scope_id, ids=new.ids, text=message.text,
        index_text=index_text(message.text, message.speaker, asked),
        hash=raw_hash(message.text, message.role, message.speaker, message.stamp),
        kind=RAW_KIND, about="assistant" if message.role == "assistant" else "user", role=message.role,
        speaker=message.speaker, metadata=new.metadata, categories=(), valid_from=said_at, observed_at=said_at,
        expires_on=new.expires_on, immutable=new.immutable, extractor=dict(RAW_EXTRACTOR), created_at=said_at,
        updated_at=entered.now,
    )  # fmt: skip


def _log(session: Session, memory: Memory, event_id: UUID, entered: Entered, message_id: UUID) -> None:
    version = VersionRow(memory.id, 1, "ADD", None, memory.text, memory.hash, event_id, entered.seq, memory.valid_from)
    memory_writes.log(session, entered.scope, [version])
    whole = Source(message_id, 0, len(memory.text), "")
    memory_writes.cite(session, memory.project_id, [(memory.id, 1, whole)])
    change = Change(memory.project_id, memory.scope_id, memory.id, 1, "upsert")
    index_queue.put(session, [change])
