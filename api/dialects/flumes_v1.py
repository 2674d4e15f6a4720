"""Flumes v1: what a POST means, and how memories and events look on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from api.auth import Caller
from api.dialects.shape import Shape
from api.schemas import AddBody, MessageBody, parse
from api.stamps import moment_of, zone_of
from shared import clock
from shared.db.accept import NewEvent, NewMessage
from shared.db.events import Event
from shared.db.memories import HistoryRow, SourceRow
from shared.errors import BadRequest, TooLarge
from shared.model.flags import flags_of
from shared.model.memory import Memory
from shared.model.message import Rules
from shared.model.scope import ID_FIELDS, ScopeIds
from shared.model.seal import sealed
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Add:
    """A parsed POST: the write itself, and whether the body asked not to wait."""

    event: NewEvent
    async_mode: bool | None


def parse_add(body: dict[str, Any], caller: Caller, settings: Settings, *, dialect: str = "flumes_v1") -> Add:
    """Raises `BadRequest` naming the field, `TooLarge`, `Forbidden` for ids of somebody else."""
    _refuse_too_many(body.get("messages"), settings)
    given = parse(AddBody, body)
    ids = caller.narrow(ScopeIds(given.user_id, given.agent_id, given.app_id, given.run_id))
    scope_key = caller.project.scope_key
    if not ids.key(scope_key):
        raise BadRequest(f"at least one of {', '.join(scope_key)} is needed", code="missing_scope", field=scope_key[0])
    if given.timezone:
        zone_of(given.timezone)
    check_metadata(given.metadata, settings)
    event = NewEvent(
        project_id=caller.project_id,
        ids=ids,
        messages=_messages(given, given.timezone or caller.project.timezone, settings),
        infer=given.infer,
        metadata=given.metadata or None,
        rules=_rules(given, caller.project.rules),
        timezone=given.timezone or caller.project.timezone,
        expires_on=given.expiration_date,
        immutable=given.immutable,
        scope_key=scope_key,
        origin={"key": caller.key, "dialect": dialect},
    )
    return Add(event, given.async_mode)


def _refuse_too_many(messages: object, settings: Settings) -> None:
    if isinstance(messages, list) and len(messages) > settings.max_messages:
        raise TooLarge(f"more than {settings.max_messages} messages in one request", field="messages")


def check_metadata(metadata: dict[str, Any] | None, settings: Settings) -> None:
    """Raises `TooLarge` beyond the limit on metadata as JSON."""
    if metadata and len(orjson.dumps(metadata)) > settings.max_metadata_bytes:
        raise TooLarge(f"metadata is larger than {settings.max_metadata_bytes} bytes", field="metadata")


def _rules(given: AddBody, project: Rules) -> Rules:
    """The request's own rules win field by field."""
    return Rules(
        given.custom_instructions or project.instructions,
        given.includes or project.includes,
        given.excludes or project.excludes,
        tuple(given.custom_categories or project.categories),
    )


def _messages(given: AddBody, zone: str | None, settings: Settings) -> tuple[NewMessage, ...]:
    """What was said; messages without any text (pictures, tool calls) are left out."""
    now = clock.now()
    default = None if given.timestamp is None else moment_of(given.timestamp, "timestamp", zone, now)
    kept = []
    for index, message in enumerate(given.messages):
        field = f"messages[{index}]"
        said_at, stamp = default, given.timestamp
        if message.timestamp is not None:
            said_at, stamp = moment_of(message.timestamp, f"{field}.timestamp", zone, now), message.timestamp
        if len(message.content or "") > settings.max_message_chars:
            raise TooLarge(f"{field}.content is longer than {settings.max_message_chars} characters",
                           field=f"{field}.content")  # fmt: skip
        if message.content and message.content.strip():
            kept.append(_message(message, message.content, said_at, stamp))
    if not kept:
        raise BadRequest("no message holds any text", field="messages[0].content")
    return tuple(kept)


def _message(message: MessageBody, text: str, said_at: datetime | None, stamp: object) -> NewMessage:
    return NewMessage(message.role, text, said_at, message.name or None, None if stamp is None else str(stamp))


def record(memory: Memory) -> dict[str, Any]:
    """A memory on the wire."""
    ids = {name: getattr(memory.ids, name) for name in ID_FIELDS}
    return {
        "id": str(memory.id),
        "memory": memory.text,
        "hash": memory.hash.hex(),
        **ids,
        "session_id": memory.ids.run_id,
        "actor_id": memory.speaker,
        "role": memory.role,
        "metadata": memory.metadata,
        "categories": list(memory.categories) or None,
        "memory_type": memory.kind,
        "flags": flags_of(memory.kind, memory.text),
        "immutable": memory.immutable,
        "expiration_date": _iso(memory.expires_on),
        "state": memory.state,
        "replaced_by": str(memory.replaced_by) if memory.replaced_by else None,
        "version": memory.version,
        "happens_at": _iso(memory.happens_at),
        "happens_until": _iso(memory.happens_until),
        "precision": memory.precision,
        "valid_from": _iso(memory.valid_from),
        "valid_to": _iso(memory.valid_to),
        "observed_at": _iso(memory.observed_at),
        "evidence_count": memory.evidence_count,
        "extractor": memory.extractor,
        "created_at": memory.created_at.isoformat(),
        "updated_at": memory.updated_at.isoformat(),
    }


def source(row: SourceRow) -> dict[str, Any]:
    """A message behind a memory, with the span that states it."""
    return {
        "message_id": str(row.message_id),
        "event_id": str(row.event_id),
        "role": row.role,
        "name": row.speaker,
        "content": row.text,
        "timestamp": row.said_at.isoformat(),
        "start": row.start,
        "end": row.end,
        "quote": row.quote or row.text[row.start : row.end],
    }


_OP_EVENTS = {"ADD": "ADD", "RETRACT": "DELETE", "DELETE": "DELETE", "REPLACE": "DELETE"}


def history_event(row: HistoryRow) -> str:
    """What a version did: ADD, UPDATE or DELETE."""
    return "DELETE" if row.new_text is None else _OP_EVENTS.get(row.op, "UPDATE")


def history_row(row: HistoryRow) -> dict[str, Any]:
    """One version of a memory."""
    return {
        "version": row.version,
        "event": history_event(row),
        "op": row.op,
        "previous_memory": row.old_text,
        "memory": row.new_text,
        "event_id": str(row.event_id) if row.event_id else None,
        "valid_from": _iso(row.valid_from),
        "valid_to": _iso(row.valid_to),
        "created_at": row.at.isoformat(),
    }


def added(event: Event) -> dict[str, Any]:
    """The answer to a POST whose event succeeded, wholly or in part."""
    body: dict[str, Any] = {"results": [item(result) for result in event.results], "event_id": str(event.id)}
    if event.erased:
        body["erased"] = True
    if event.failed:
        body |= {"failed": event.failed, "code": event.error_code}
    return body


def item(result: Mapping[str, Any]) -> dict[str, Any]:
    """A result: `id`, `memory`, `event` in the order readers know, then the rest; jsonb forgets it."""
    first = {name: result.get(name) for name in ("id", "memory", "event")}
    return {**first, **{name: value for name, value in result.items() if name not in first}}


def _pending(event_id: UUID) -> dict[str, Any]:
    return {
        "results": [],
        "status": "PENDING",
        "event_id": str(event_id),
        "message": "Accepted and kept. The memories follow; poll the event for them.",
    }


SHAPE = Shape(added, _pending)

_TYPES = {"add": "ADD", "raw": "ADD", "delete_all": "DELETE"}


def event_record(event: Event, error: str | None) -> dict[str, Any]:
    """An event for those who poll; `error`: why it failed."""
    given = event.ids.given()
    body = {
        "id": str(event.id),
        "event_type": _TYPES.get(event.kind, event.kind.upper()),
        "status": event.status,
        "payload": {},
        "metadata": event.metadata,
        "results": [_polled(result, given) for result in event.results],
        "created_at": event.accepted_at.isoformat(),
        "updated_at": event.updated_at.isoformat(),
        "started_at": _iso(event.started_at),
        "completed_at": _iso(event.completed_at),
        "latency": _latency(event),
        "graph_status": None,
        "error": error,
        "code": event.error_code,
        "failed": event.failed,
        "rejections": event.rejections,
        "usage": event.usage,
        "lane": event.lane,
        "erased": event.erased,
        **{name: None if sealed(value := getattr(event.ids, name)) else value for name in ID_FIELDS},
    }
    return body if error is None else {**body, "message": error}


def _polled(result: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    """Both shapes at once: `memory` for Flumes, `data.memory` for mem0's readers."""
    return {**item(result), "data": {"memory": result.get("memory")}, **ids}


def _latency(event: Event) -> float | None:
    if event.completed_at is None:
        return None
    return round((event.completed_at - event.accepted_at).total_seconds() * 1000, 1)


def _iso(value: Any) -> str | None:
    return None if value is None else value.isoformat()


def scored(memory: Memory, score: float, semantic: float | None, bm25: float | None) -> dict[str, Any]:
    """A search result."""
    return {**record(memory), "score": score, "score_breakdown": {"semantic": semantic, "bm25": bm25}}


def page(records: Sequence[Mapping[str, Any]], next_cursor: str | None) -> dict[str, Any]:
    """A list with the way to go on."""
    return {"results": list(records), "next_cursor": next_cursor}
