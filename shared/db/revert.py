"""Undo what one event did to memories: what it added is withdrawn, what it changed is as it was before it.

What later events changed is left alone and named. History keeps everything: undoing is one more version of a memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared import clock
from shared.db import events, index_queue, memories, memory_writes, scopes
from shared.db.events import Event
from shared.db.index_queue import Change
from shared.errors import Conflict, NotFound
from shared.model.ids import uuid7
from shared.model.images import before_image, restored
from shared.model.memory import Memory, Result, VersionRow
from shared.model.scope import ID_FIELDS, ScopeRef

Why = Literal["changed_later", "deleted", "reverted"]


@dataclass(frozen=True, slots=True)
class Kept:
    """A memory that the event changed and that stays as it is. `event_id`: what changed it later, if an event did."""

    memory_id: UUID
    why: Why
    event_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Reverted:
    """`event_id`: the event that records the undoing. `evidence`: memories that lost only a source to it."""

    event_id: UUID
    results: tuple[Result, ...]
    kept: tuple[Kept, ...]
    evidence: int


@dataclass(frozen=True, slots=True)
class _Undoing:
    """A memory before and after, and the version it goes back to (0: it was not there)."""

    old: Memory
    new: Memory
    back_to: int


def revert(session: Session, project_id: UUID, event_id: UUID) -> Reverted:
    """Undo an ended add. Raises `NotFound`, `Conflict` (`event_not_ended`, `not_revertible`). One transaction."""
    scope = events.scope_of(session, project_id, event_id)
    if scope is None or not scopes.lock(session, scope):
        raise NotFound("no event has this id", code="event_not_found", field="id")
    event = _revertible(session, project_id, event_id)
    seq, mark = scopes.take_seq(session, scope), uuid7()
    undoings, kept = _undoings(session, scope, event_id)
    undoings = _without_twins(session, scope, undoings)
    _write(session, scope, undoings, event_id, mark, seq)
    withdrawn = _withdraw_evidence(session, scope, event_id, {item.memory_id for item in kept})
    evidence = len(withdrawn - {item.old.id for item in undoings})
    _hide_messages(session, scope, event_id)
    results = tuple(_result(mark, item) for item in undoings)
    _record(session, scope, event, mark, seq, results)
    return Reverted(mark, results, tuple(kept), evidence)


def _revertible(session: Session, project_id: UUID, event_id: UUID) -> Event:
    event = events.get(session, project_id, event_id)
    if event is None:
        raise NotFound("no event has this id", code="event_not_found", field="id")
    if event.kind not in ("add", "raw"):
        raise Conflict("only an add can be undone", code="not_revertible", field="id")
    if not event.ended:
        raise Conflict("this event has not ended", code="event_not_ended", field="id")
    return event


def _undoings(session: Session, scope: ScopeRef, event_id: UUID) -> tuple[list[_Undoing], list[Kept]]:
    undoings, kept = [], []
    history = _histories(session, scope, event_id)
    rows = memories.by_ids(session, scope.project_id, list(history))
    for memory_id, versions in history.items():
        newest = versions[-1]
        if rows[memory_id].state == "deleted":
            kept.append(Kept(memory_id, "deleted"))
        elif newest.event_id != event_id:
            kept.append(Kept(memory_id, "reverted" if newest.op == "REVERT" else "changed_later", newest.event_id))
        else:
            undoings.append(_undoing(rows[memory_id], versions, event_id))
    return undoings, kept


def _histories(session: Session, scope: ScopeRef, event_id: UUID) -> dict[UUID, list[Any]]:
    """All versions of every memory that the event made a version of, oldest first."""
    rows = session.execute(
        sa.text(
            """
            SELECT v.memory_id, v.version, v.op, v.event_id, v.hash, v.before FROM memory_versions v
            WHERE v.project_id = :p AND v.memory_id IN (
                SELECT memory_id FROM memory_versions WHERE project_id = :p AND event_id = :e)
            ORDER BY v.memory_id, v.version
            """
        ),
        {"p": scope.project_id, "e": event_id},
    )
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row.memory_id, []).append(row)
    return found


def _undoing(old: Memory, versions: Sequence[Any], event_id: UUID) -> _Undoing:
    """Back to the version before the event's own last run of versions."""
    first = len(versions) - 1
    while first > 0 and versions[first - 1].event_id == event_id:
        first -= 1
    now = clock.now()
    if first == 0:
        gone = replace(old, state="retracted", valid_to=old.valid_from, version=old.version + 1, updated_at=now)
        return _Undoing(old, gone, 0)
    before = versions[first - 1]
    new = replace(
        restored(old, versions[first].before), hash=bytes(before.hash), version=old.version + 1, replaced_by=None,
        updated_at=now,
    )  # fmt: skip
    return _Undoing(old, new, before.version)


def _without_twins(session: Session, scope: ScopeRef, undoings: Sequence[_Undoing]) -> list[_Undoing]:
    """A text that another memory has taken meanwhile comes back as that memory."""
    texts = memories.by_hashes(session, scope, [item.new.hash for item in undoings])
    changing = {item.old.id for item in undoings}
    taken: Mapping[bytes, Memory] = {digest: one for digest, one in texts.items() if one.id not in changing}
    return [
        replace(item, new=replace(item.new, state="replaced", replaced_by=twin.id, valid_to=item.new.valid_from))
        if item.new.state == "current" and (twin := taken.get(item.new.hash)) is not None
        else item
        for item in undoings
    ]


def _write(
    session: Session, scope: ScopeRef, undoings: Sequence[_Undoing], event_id: UUID, mark: UUID, seq: int
) -> None:
    memory_writes.update(session, [item.new for item in undoings])
    rows = [
        VersionRow(
            item.new.id, item.new.version, "REVERT", item.old.text, item.new.text if _stands(item) else None,
            item.new.hash, mark, seq, item.new.valid_from, before_image(item.old),
        )
        for item in undoings
    ]  # fmt: skip
    memory_writes.log(session, scope, rows)
    memory_writes.carry_sources(
        session, scope.project_id, [(item.new.id, item.back_to, item.new.version) for item in undoings if item.back_to]
    )
    # What the event stated was never true: as if it had not been said.
    session.execute(
        sa.text("UPDATE memory_versions SET valid_to = valid_from WHERE project_id = :p AND event_id = :e"
                " AND memory_id = ANY(:ids)"),
        {"p": scope.project_id, "e": event_id, "ids": [item.new.id for item in undoings]},
    )  # fmt: skip
    index_queue.put(session, [_change(item.new) for item in undoings])


def _stands(item: _Undoing) -> bool:
    return item.new.state == "current"


def _change(memory: Memory) -> Change:
    op: Literal["upsert", "delete"] = "upsert" if memory.state == "current" else "delete"
    return Change(memory.project_id, memory.scope_id, memory.id, memory.version, op)


def _withdraw_evidence(session: Session, scope: ScopeRef, event_id: UUID, kept: AbstractSet[UUID]) -> set[UUID]:
    """The event's messages vouch for nothing any more but what is kept; a memory keeps at least one message."""
    rows = session.execute(
        sa.text(
            """
            WITH ours AS (
                SELECT s.memory_id, s.version, s.message_id FROM memory_sources s
                JOIN messages g ON g.project_id = s.project_id AND g.id = s.message_id
                JOIN memories m ON m.project_id = s.project_id AND m.id = s.memory_id AND m.version = s.version
                WHERE g.project_id = :p AND g.event_id = :e AND m.state = 'current' AND m.id <> ALL(:kept)
                  AND EXISTS (
                    SELECT 1 FROM memory_sources o
                    JOIN messages h ON h.project_id = o.project_id AND h.id = o.message_id
                    WHERE o.project_id = :p AND o.memory_id = s.memory_id AND o.version = s.version
                      AND h.event_id <> :e)
            ), gone AS (
                DELETE FROM memory_sources s USING ours
                WHERE s.project_id = :p AND s.memory_id = ours.memory_id AND s.version = ours.version
                  AND s.message_id = ours.message_id
            )
            UPDATE memories m SET evidence_count = greatest(0, m.evidence_count - c.lost), observed_at = greatest(
                m.valid_from, (
                    SELECT max(h.said_at) FROM memory_sources o
                    JOIN messages h ON h.project_id = o.project_id AND h.id = o.message_id
                    WHERE o.project_id = :p AND o.memory_id = m.id AND o.version = m.version AND h.event_id <> :e))
            FROM (SELECT memory_id, count(*) AS lost FROM ours GROUP BY memory_id) c
            WHERE m.project_id = :p AND m.id = c.memory_id RETURNING m.id
            """
        ),
        {"p": scope.project_id, "e": event_id, "kept": list(kept)},
    )
    return set(rows.scalars())


def _hide_messages(session: Session, scope: ScopeRef, event_id: UUID) -> None:
    """Messages kept beside their statements leave the searches, unless another event said the same."""
    rows = session.execute(
        sa.text(
            """
            UPDATE memories m SET state = 'deleted', version = m.version + 1, updated_at = clock_timestamp()
            WHERE m.project_id = :p AND m.scope_id = :s AND m.state = 'source' AND m.id IN (
                SELECT s.memory_id FROM memory_sources s
                JOIN messages g ON g.project_id = s.project_id AND g.id = s.message_id
                WHERE s.project_id = :p AND s.memory_id IN (
                    SELECT o.memory_id FROM memory_sources o
                    JOIN messages h ON h.project_id = o.project_id AND h.id = o.message_id
                    WHERE h.project_id = :p AND h.event_id = :e)
                GROUP BY s.memory_id HAVING bool_and(g.event_id = :e)
            ) RETURNING m.id, m.version
            """
        ),
        {"p": scope.project_id, "s": scope.scope_id, "e": event_id},
    ).all()
    index_queue.put(session, [Change(scope.project_id, scope.scope_id, row.id, row.version, "delete") for row in rows])


def _result(mark: UUID, item: _Undoing) -> Result:
    """What callers see: ADD for a memory that is back, DELETE for one that is gone, UPDATE for a text that is back."""
    if not _stands(item):
        return Result(mark, item.old.id, item.old.text, "DELETE")
    if item.old.state != "current":
        return Result(mark, item.new.id, item.new.text, "ADD")
    return Result(mark, item.new.id, item.new.text, "UPDATE", item.old.text)


def _record(session: Session, scope: ScopeRef, event: Event, mark: UUID, seq: int, results: Sequence[Result]) -> None:
    session.execute(
        sa.text(
            """
            INSERT INTO events (project_id, id, scope_id, seq, kind, lane, status, user_id, agent_id, app_id, run_id,
                started_at, completed_at) VALUES (:p, :id, :s, :seq, 'revert', 'live', 'SUCCEEDED', :user_id, :agent_id,
                :app_id, :run_id, clock_timestamp(), clock_timestamp())
            """
        ),
        {"p": scope.project_id, "id": mark, "s": scope.scope_id, "seq": seq}
        | {name: getattr(event.ids, name) for name in ID_FIELDS},
    )
    session.execute(
        sa.text(
            "INSERT INTO event_payloads (project_id, event_id, options, results)"
            " VALUES (:p, :id, CAST(:options AS jsonb), CAST(:results AS jsonb))"
        ),
        {
            "p": scope.project_id,
            "id": mark,
            "options": orjson.dumps({"reverts": str(event.id)}).decode(),
            "results": orjson.dumps([result.as_dict() for result in results]).decode(),
        },
    )
