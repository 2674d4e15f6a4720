"""mem0's platform: memories, history, entities and pages as its clients read them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from api.dialects import flumes_v1
from api.search import Scored
from shared.db.entities import Entity
from shared.db.history_feed import HistoryEntry
from shared.model.memory import Memory


def record(memory: Memory, fields: Collection[str] | None = None) -> dict[str, Any]:
    """A memory; with `fields` only these of it, and its id."""
    created = memory.created_at
    full = flumes_v1.record(memory) | {
        "structured_attributes": {
            "day": created.day, "hour": created.hour, "year": created.year, "month": created.month,
            "minute": created.minute, "quarter": (created.month - 1) // 3 + 1, "is_weekend": created.weekday() >= 5,
            "day_of_week": created.strftime("%A").lower(), "day_of_year": created.timetuple().tm_yday,
            "week_of_year": created.isocalendar().week,
        },
        "synthesized": False,
        "lifecycle_state": memory.state,
    }  # fmt: skip
    return _only(full, fields)


def scored(item: Scored, fields: Collection[str] | None = None) -> dict[str, Any]:
    """A search result."""
    semantic = None if item.semantic is None else round(item.semantic, 6)
    breakdown = {"semantic": semantic, "bm25": round(item.bm25, 6), "entity": None}
    score = {"score": round(item.score, 6), "score_breakdown": breakdown}
    return record(item.memory, fields) | score


def _only(full: dict[str, Any], fields: Collection[str] | None) -> dict[str, Any]:
    return {name: value for name, value in full.items() if not fields or name in fields or name == "id"}


def history(entry: HistoryEntry) -> dict[str, Any]:
    """One version of a memory."""
    row, ids = entry.row, entry.ids
    at = row.at.isoformat()
    return {
        "id": str(uuid5(NAMESPACE_OID, f"{row.memory_id}/{row.version}")),
        "memory_id": str(row.memory_id),
        "input": [{"role": message.role, "content": message.text} for message in entry.messages],
        "old_memory": row.old_text,
        "new_memory": row.new_text,
        "previous_memory": row.old_text,
        "memory": row.new_text,
        "user_id": ids.user_id,
        "agent_id": ids.agent_id,
        "app_id": ids.app_id,
        "run_id": ids.run_id,
        "session_id": ids.run_id,
        "categories": list(entry.categories) or None,
        "event": flumes_v1.history_event(row),
        "event_id": str(row.event_id) if row.event_id else None,
        "metadata": entry.metadata,
        "actor_id": entry.speaker,
        "role": entry.role,
        "is_deleted": row.new_text is None,
        "created_at": at,
        "updated_at": at,
    }


def entity(found: Entity) -> dict[str, Any]:
    """Somebody or something memories are kept for."""
    return {
        "id": str(uuid5(NAMESPACE_OID, f"{found.project_id}/{found.kind}/{found.name}")),
        "name": found.name,
        "type": found.kind,
        "owner": "user",
        "metadata": None,
        "created_at": found.created_at.isoformat(),
        "updated_at": found.updated_at.isoformat(),
        "total_memories": found.memories,
    }


def envelope(
    count: int, results: Sequence[Any], following: str | None, previous: str | None
) -> dict[str, Any]:  # fmt: skip
    """A page with the way to its neighbours."""
    return {"count": count, "next": following, "previous": previous, "results": list(results)}
