"""A validated group as it waits in the database, and back: nothing of it is read anew when it is handed over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from shared.db.accept import NewEvent, NewMessage
from shared.model.message import Rules
from shared.model.scope import ID_FIELDS, ScopeIds


def pack(event: NewEvent) -> dict[str, Any]:
    """The event as JSON; what its import says for all lines is not repeated here."""
    found: dict[str, Any] = {
        "ids": event.ids.given(),
        "messages": [_packed(message) for message in event.messages],
        "scope_key": list(event.scope_key),
        "origin": event.origin,
    }
    if not event.infer:
        found["infer"] = False
    if event.metadata:
        found["metadata"] = event.metadata
    if event.rules != Rules():
        rules = event.rules
        found["rules"] = [rules.instructions, rules.includes, rules.excludes, list(rules.categories)]
    if event.timezone:
        found["timezone"] = event.timezone
    if event.expires_on:
        found["expires_on"] = event.expires_on.isoformat()
    if event.immutable:
        found["immutable"] = True
    return found


def unpack(project_id: UUID, packed: Mapping[str, Any], origin: Mapping[str, Any]) -> NewEvent:
    """The event again, for the bulk lane; `origin` names the import and the line."""
    rules = packed.get("rules")
    expires = packed.get("expires_on")
    return NewEvent(
        project_id=project_id,
        ids=ScopeIds(**{name: packed["ids"].get(name) for name in ID_FIELDS}),
        messages=tuple(_unpacked(message) for message in packed["messages"]),
        infer=packed.get("infer", True),
        metadata=packed.get("metadata"),
        rules=Rules(rules[0], rules[1], rules[2], tuple(rules[3])) if rules else Rules(),
        timezone=packed.get("timezone"),
        expires_on=date.fromisoformat(expires) if expires else None,
        immutable=packed.get("immutable", False),
        lane="bulk",
        scope_key=tuple(packed["scope_key"]),
        origin={**packed["origin"], **origin},
    )


def _packed(message: NewMessage) -> list[Any]:
    said_at = message.said_at.isoformat() if message.said_at else None
    return [message.role, message.text, said_at, message.speaker, message.stamp]


def _unpacked(packed: list[Any]) -> NewMessage:
    role, text, said_at, speaker, stamp = packed
    return NewMessage(role, text, datetime.fromisoformat(said_at) if said_at else None, speaker, stamp)
