"""Stage 6: one transaction turns decisions into memories, history, sources, index intents and finished events.

The only stage that writes memories. It holds the scope row, re-reads the fence and every target, and touches
nothing but Postgres.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from shared import clock
from shared.crashpoints import reach
from shared.db import (
    erased_texts,
    events,
    hints,
    index_queue,
    memories,
    memory_writes,
    messages,
    scopes,
    source_rows,
    usage,
)
from shared.db.engine import Session
from shared.db.events import Finished, Progress
from shared.db.index_queue import Change
from shared.model.decision import Decision
from shared.model.ids import uuid7
from shared.model.memory import Memory
from shared.model.message import Message
from shared.model.plan import Known, Plan, Planner
from shared.model.record import MESSAGE_KIND
from shared.model.text import raw_hash, text_hash
from shared.model.windows import share_out
from shared.vectors.types import Dense
from workers.checks.keepable import keepable, searched
from workers.parts import Parts
from workers.work import Checked, Done, Recalled, Stale, Work


def commit(parts: Parts, work: Work, recalled: Recalled, checked: Checked, *, insist: bool) -> Done:
    """Raises `Stale` when the fence moved on, `TargetChanged` when a memory shown changed (unless `insist`)."""
    with parts.db.transaction() as session:
        if not scopes.hold(session, work.claim):
            raise Stale
        plan = _plan(session, work, checked, insist=insist)
        _write(parts, session, work, plan)
        beside = _beside(session, work, plan)
        finished = _finish(session, work, checked, plan)
        hints.clear(session, work.claim.scope, recalled.hints)
        hints.add(session, work.claim.scope, checked.neighbours)
        erased_texts.prune(session, work.claim.scope)
        reach("commit.before")
    reach("commit.after")
    return Done((*(memory.id for memory in plan.to_index()), *beside), tuple(finished))


def _plan(session: Session, work: Work, checked: Checked, *, insist: bool) -> Plan:
    scope, decisions = work.claim.scope, checked.decisions
    hashes = [text_hash(decision.text) for decision in decisions]
    targets = [decision.target.memory_id for decision in decisions if decision.target]
    by_id = memories.by_ids(session, scope.project_id, targets)
    known = Known(
        {key: memory for key, memory in by_id.items() if memory.scope_id == scope.scope_id},
        memories.by_hashes(session, scope, hashes),
        memories.forgotten(session, scope, hashes),
        memories.last_words(session, scope.project_id, _told_of(decisions)),
    )
    planner = Planner(
        known, work.events, project_id=scope.project_id, scope_id=scope.scope_id, now=clock.now(),
        extractor=dict(checked.extractor.as_dict()), insist=insist,
    )  # fmt: skip
    return planner.apply(decisions)


def _told_of(decisions: Sequence[Decision]) -> list[UUID]:
    """Targets of decisions that cite several statements."""
    return [decision.target.memory_id for decision in decisions if decision.target and decision.opening]


def _write(parts: Parts, session: Session, work: Work, plan: Plan) -> None:
    scope = work.claim.scope
    memory_writes.update(session, plan.changed.values())
    memory_writes.insert(session, plan.inserted.values())
    memory_writes.log(session, scope, plan.versions)
    memory_writes.carry_sources(session, scope.project_id, plan.carried)
    memory_writes.cite(session, scope.project_id, plan.sources)
    index_queue.put(session, [_change(memory) for memory in plan.to_index()])
    if parts.embedder is not None:
        index_queue.keep_vectors(session, parts.embedder.model, _vectors(scope.project_id, scope.scope_id, plan))


def _beside(session: Session, work: Work, plan: Plan) -> list[UUID]:
    """Keep the messages of the window, then hide those behind what was taken back; rows the index must follow."""
    scope = work.claim.scope
    kept = source_rows.keep(session, scope, list(_messages(work))) if work.keeps_messages else []
    retracted = [memory.id for memory in plan.changed.values() if memory.state == "retracted"]
    return [*kept, *source_rows.hide_behind(session, scope, retracted)]


def _messages(work: Work) -> Iterator[tuple[Memory, UUID]]:
    """A row for each message worth keeping, and the message; one said twice in a row yields two of one hash."""
    for index, group in enumerate(work.groups):
        if not keepable(work.window.messages[index]):
            continue
        searched_text = searched(work.window, index)
        for message in group:
            yield _row(work, message, searched_text), message.id


def _row(work: Work, message: Message, searched_text: str) -> Memory:
    scope, event = work.claim.scope, work.events[message.event_id]
    return Memory(
        project_id=scope.project_id, id=uuid7(), scope_id=scope.scope_id, ids=event.ids, text=message.text,
        index_text=searched_text, hash=raw_hash(message.text, message.role, message.speaker, None), kind=MESSAGE_KIND,
        about="assistant" if message.role == "assistant" else "user", role=message.role, speaker=message.speaker,
        metadata=dict(event.metadata) if event.metadata else None, valid_from=message.said_at,
        observed_at=message.said_at, expires_on=event.expires_on, state="source", created_at=message.said_at,
        updated_at=clock.now(),
    )  # fmt: skip


def _change(memory: Memory) -> Change:
    return Change(
        memory.project_id, memory.scope_id, memory.id, memory.version,
        "upsert" if memory.state == "current" else "delete",
    )  # fmt: skip


def _vectors(project_id: UUID, scope_id: UUID, plan: Plan) -> list[tuple[Change, Dense]]:
    return [
        (Change(project_id, scope_id, memory_id, version, "upsert"), vector)
        for memory_id, (version, vector) in plan.embeddings.items()
    ]


def _finish(session: Session, work: Work, checked: Checked, plan: Plan) -> list[Finished]:
    applied = work.messages
    size = messages.mark_applied(session, work.claim, work.id, [message.id for message in applied])
    project_id = work.claim.scope.project_id
    finished = events.advance(session, project_id, _progress(work, checked, plan))
    events.put_back(session, project_id, list(work.events), delay=0, consumed=False, snoozed=False)
    scopes.settle(session, work.claim, done=len(applied), done_bytes=size)
    usage.add(session, project_id, checked.usage)
    return finished


def _progress(work: Work, checked: Checked, plan: Plan) -> list[Progress]:
    counts = dict.fromkeys(work.events, 0)
    for message in work.messages:
        counts[message.event_id] += 1
    done = [event_id for event_id, count in counts.items() if count]
    costs = _shared_usage(checked.usage.as_dict(), [counts[event_id] for event_id in done])
    results = plan.results
    return [
        Progress(
            event_id,
            counts[event_id],
            results=[result.as_dict() for result in results if result.event_id == event_id],
            rejections=_added(checked.rejections.get(event_id, {}), plan.dropped.get(event_id, {})),
            usage=spent,
        )
        for event_id, spent in zip(done, costs, strict=True)
    ]


def _shared_usage(usage: Mapping[str, int], weights: Sequence[int]) -> list[dict[str, int]]:
    """One call served several events: its cost is split by messages, so that the parts add up."""
    parts: list[dict[str, int]] = [{} for _ in weights]
    for name, total in usage.items():
        for part, value in zip(parts, share_out(total, weights), strict=True):
            if value:
                part[name] = value
    return parts


def _added(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    return {name: first.get(name, 0) + second.get(name, 0) for name in {**first, **second}}
