"""What a webhook is told about a memory: mem0's `event_details` beside what Standard Webhooks asks for.

Thin on purpose: long texts are cut, metadata is left out; a receiver that wants more reads the memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.model.memory import State
from shared.model.scope import ScopeIds

ADDED, UPDATED, DELETED, CATEGORIZED = "memory_add", "memory_update", "memory_delete", "memory_categorize"
# mem0's names. The last four belong to an API of mem0 that is not served; they are taken and nothing is sent for them.
EVENT_TYPES = (
    ADDED, UPDATED, DELETED, CATEGORIZED, "ingest_job_completed", "ingest_job_partially_completed",
    "ingest_job_failed", "ingest_job_cancelled",
)  # fmt: skip
_TYPES = {
    ADDED: ("memory.added", "ADD"),
    UPDATED: ("memory.updated", "UPDATE"),
    DELETED: ("memory.deleted", "DELETE"),
    CATEGORIZED: ("memory.categorized", "CATEGORIZE"),
}
_LONGEST = 3_000  # bytes of a text in UTF-8; it is told up to three times


@dataclass(frozen=True, slots=True)
class Notice:
    """One change of one memory. `version` None: the memory was erased, nothing of it is known any more.

    `state`: of the memory now, which may be later than this change.
    """

    event_type: str
    memory_id: UUID
    ids: ScopeIds
    at: datetime
    version: int | None = None
    text: str | None = None
    previous: str | None = None
    state: State | None = None
    categories: Sequence[str] = ()
    event_id: UUID | None = None

    @property
    def withheld(self) -> bool:
        """Deleted by its user: what it said is not served again, not even to a webhook."""
        return self.state in (None, "deleted")


def body(notice: Notice) -> dict[str, Any]:
    """The whole body; at most about 20 kB."""
    name, verb = _TYPES[notice.event_type]
    memory_id = str(notice.memory_id)
    if notice.event_type == CATEGORIZED:
        shown: dict[str, Any] = {"memory_id": memory_id, "categories": _categories(notice), "event": verb}
        return _whole(notice, name, verb, {"categories": shown["categories"]}, shown)
    said = notice.previous if notice.event_type == DELETED else notice.text
    text, cut = (None, False) if notice.withheld or said is None else _short(said)
    fields: dict[str, Any] = {"memory": text, "categories": _categories(notice)}
    if notice.event_type == UPDATED and notice.previous is not None and not notice.withheld:
        fields["previous_memory"], cut_too = _short(notice.previous)
        cut = cut or cut_too
    if cut:
        fields["truncated"] = True
    return _whole(notice, name, verb, fields, {"id": memory_id, "data": {"memory": text}, "event": verb})


def _whole(notice: Notice, name: str, verb: str, fields: dict[str, Any], details: dict[str, Any]) -> dict[str, Any]:
    data = {
        "id": str(notice.memory_id),
        "event": verb,
        **fields,
        "state": notice.state or "erased",
        "version": notice.version,
        "event_id": str(notice.event_id) if notice.event_id else None,
        "user_id": notice.ids.user_id,
        "agent_id": notice.ids.agent_id,
        "app_id": notice.ids.app_id,
        "run_id": notice.ids.run_id,
    }
    return {"type": name, "timestamp": notice.at.isoformat(), "data": data, "event_details": details}


def _categories(notice: Notice) -> list[str] | None:
    """Null, not an empty list, as everywhere in mem0's shapes."""
    return list(notice.categories) if notice.categories and not notice.withheld else None


def _short(text: str) -> tuple[str, bool]:
    """The text, or its beginning and that it was cut."""
    raw = text.encode()
    if len(raw) <= _LONGEST:
        return text, False
    return raw[:_LONGEST].decode(errors="ignore"), True
