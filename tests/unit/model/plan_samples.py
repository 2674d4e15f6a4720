"""Events, memories and decisions for tests of the plan, each with defaults that a test overrides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from shared.model.decision import Decision, EventTraits
from shared.model.ids import uuid7
from shared.model.memory import Memory, Source
from shared.model.plan import Known, Plan, Planner
from shared.model.record import Candidate, Op
from shared.model.repeats import Words
from shared.model.scope import ScopeIds
from shared.model.text import text_hash

PROJECT, SCOPE = UUID(int=1), UUID(int=2)
IDS = ScopeIds(user_id="alex")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EXTRACTOR = {"name": "rules", "model": None, "prompt_version": None}


def at(hours: float) -> datetime:
    """So many hours after noon."""
    return NOON + timedelta(hours=hours)


def traits(
    seq: int, metadata: dict[str, Any] | None = None, *, expires_on: date | None = None, immutable: bool = False
) -> EventTraits:
    """An event of the scope."""
    return EventTraits(uuid7(), seq, IDS, metadata, expires_on, immutable)


def memory(text: str, **changes: Any) -> Memory:
    """A current memory of the scope, observed at noon."""
    values: dict[str, Any] = {
        "project_id": PROJECT, "id": uuid7(), "scope_id": SCOPE, "ids": IDS, "text": text, "index_text": text,
        "hash": text_hash(text), "kind": "profile", "observed_at": NOON, "created_at": NOON, "updated_at": NOON,
        "valid_from": NOON,
    }  # fmt: skip
    return Memory(**(values | changes))


def shown(item: Memory) -> Candidate:
    """The memory as the extractor saw it."""
    return Candidate(0, item.id, item.version, item.text, item.kind, None, item.observed_at, item.immutable)


def source(quote: str = "") -> Source:
    """A message that was never seen before."""
    return Source(uuid7(), 0, len(quote), quote)


def decision(
    op: Op,
    text: str,
    events: Sequence[EventTraits],
    target: Memory | Candidate | None = None,
    **changes: Any,
) -> Decision:
    """A record of these events, the last of which owns the result; said an hour after noon."""
    values: dict[str, Any] = {
        "op": op, "text": text, "index_text": text, "kind": "profile", "about": "user", "weight": 2, "categories": (),
        "sources": tuple(source(text) for _ in events), "owner": events[-1].event_id, "said_at": at(1),
        "cited": tuple(event.event_id for event in events),
        "target": shown(target) if isinstance(target, Memory) else target,
    }  # fmt: skip
    return Decision(**(values | changes))


def plan(
    decisions: Sequence[Decision],
    events: Iterable[EventTraits],
    memories: Iterable[Memory] = (),
    *,
    forgotten: dict[bytes, int] | None = None,
    last_words: dict[UUID, Words] | None = None,
    insist: bool = False,
) -> Plan:
    """The plan for these decisions where the scope holds these memories."""
    stored = list(memories)
    known = Known(
        {item.id: item for item in stored},
        {item.hash: item for item in stored if item.state == "current"},
        forgotten or {},
        last_words or {},
    )
    planner = Planner(
        known, {event.event_id: event for event in events}, project_id=PROJECT, scope_id=SCOPE, now=at(2),
        extractor=EXTRACTOR, insist=insist,
    )  # fmt: skip
    return planner.apply(decisions)


def outcome(made: Plan) -> list[tuple[str, str, str | None]]:
    """(event, memory, previous) of every result, in order."""
    return [(result.event, result.memory, result.previous_memory) for result in made.results]
