"""What a user does to memories directly: change one, delete one, delete all of a scope. Always under the scope lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared import clock
from shared.db import events, index_queue, memories, memory_writes, projects, scopes, source_rows
from shared.db.index_queue import Change
from shared.errors import BadRequest, Conflict, NotFound
from shared.model.ids import uuid7
from shared.model.images import before_image
from shared.model.memory import Memory, VersionRow
from shared.model.record import RAW_KIND
from shared.model.redating import redated
from shared.model.scope import ID_FIELDS, ScopeIds, ScopeRef
from shared.model.text import raw_hash, text_hash


class Keep(Enum):
    """Stands for a value that is not to be changed, where None is a value."""

    AS_IT_IS = "as it is"


@dataclass(frozen=True, slots=True)
class Patch:
    """What to change; None = leave as it is. `metadata={}` and `expires_on=None` clear. `said_at`: when it was said."""

    text: str | None = None
    metadata: dict[str, Any] | None = None
    said_at: datetime | None = None
    expires_on: date | Keep | None = Keep.AS_IT_IS


def _locked(session: Session, project_id: UUID, memory_id: UUID) -> Memory:
    """The memory, read after its scope row was locked. Raises `NotFound`."""
    found = memories.get(session, project_id, memory_id)
    if found is None or not scopes.lock(session, ScopeRef(project_id, found.scope_id)):
        raise NotFound("no memory has this id", code="memory_not_found", field="id")
    current = memories.get(session, project_id, memory_id)
    if current is None or current.state == "deleted":
        raise NotFound("no memory has this id", code="memory_not_found", field="id")
    return current


def patch(session: Session, project_id: UUID, memory_id: UUID, change: Patch) -> Memory:
    """Change a current memory; the new text counts as said now, and dates it names take the place of the old ones.

    Raises `NotFound`, `Conflict` (another current memory of the scope has this text, named in `extra["memory_id"]`; or
    the memory is no longer current), `BadRequest` on an empty text.
    """
    old = _locked(session, project_id, memory_id)
    if old.state != "current":
        raise Conflict(
            f"this memory is {old.state} and cannot be changed", code="memory_not_current", field="id",
            extra={"state": old.state, "replaced_by": str(old.replaced_by) if old.replaced_by else None},
        )  # fmt: skip
    if change.text is not None and not change.text.strip():
        raise BadRequest("the text must not be empty", field="memory")
    now = clock.now()
    new = replace(old, version=old.version + 1, updated_at=now)
    if change.metadata is not None:
        new = replace(new, metadata=change.metadata or None)
    if not isinstance(change.expires_on, Keep):
        new = replace(new, expires_on=change.expires_on)
    if change.text is not None and change.text != old.text:
        digest = (
            raw_hash(change.text, old.role or "user", old.speaker, None)
            if old.kind == RAW_KIND
            else text_hash(change.text)
        )
        new = replace(
            new,
            text=change.text,
            index_text=change.text,
            hash=digest,
            observed_at=now,
            valid_from=now,
            evidence_count=0,
            **redated(old, change.text, _here(session, project_id, now)),
        )
        _refuse_twin(session, new)
    if change.said_at is not None:
        new = replace(new, created_at=change.said_at, valid_from=change.said_at)
    if replace(new, version=old.version, updated_at=old.updated_at) == old:
        return old
    return _save(session, old, new, "PATCH")


def _here(session: Session, project_id: UUID, now: datetime) -> datetime:
    """Now, in the project's timezone."""
    project = projects.get(session, project_id)
    return now.astimezone(ZoneInfo(project.timezone)) if project and project.timezone else now


def _refuse_twin(session: Session, new: Memory) -> None:
    scope = ScopeRef(new.project_id, new.scope_id)
    twin = memories.by_hashes(session, scope, [new.hash]).get(new.hash)
    if twin is not None and twin.id != new.id:
        raise Conflict(
            f"memory {twin.id} has this text already", code="duplicate_text", field="memory",
            extra={"memory_id": str(twin.id)},
        )  # fmt: skip


def delete(session: Session, project_id: UUID, memory_id: UUID) -> Memory:
    """Hide a memory for good: out of the index, history kept for the audit, never served again. Raises `NotFound`."""
    old = _locked(session, project_id, memory_id)
    seq = scopes.take_seq(session, ScopeRef(project_id, old.scope_id))
    new = replace(old, state="deleted", version=old.version + 1, deleted_seq=seq, updated_at=clock.now())
    source_rows.hide_behind(session, ScopeRef(project_id, old.scope_id), [memory_id])
    return _save(session, old, new, "DELETE")


def _save(session: Session, old: Memory, new: Memory, op: str) -> Memory:
    scope = ScopeRef(new.project_id, new.scope_id)
    memory_writes.update(session, [new])
    gone = new.state != "current"
    memory_writes.log(
        session,
        scope,
        [
            VersionRow(
                new.id, new.version, op, old.text, None if gone else new.text, _marked(new) if gone else new.hash,
                valid_from=new.valid_from, before=before_image(old),
            )
        ],
    )  # fmt: skip
    if new.hash == old.hash and not gone:
        memory_writes.carry_sources(session, new.project_id, [(new.id, old.version, new.version)])
        _keep_vectors(session, new)
    change = Change(new.project_id, new.scope_id, new.id, new.version, "delete" if gone else "upsert")
    index_queue.put(session, [change])
    return new


def _marked(gone: Memory) -> bytes:
    """The hash of what must not come back: of a message stored as it is, as it would be remembered."""
    return text_hash(gone.text) if gone.kind == RAW_KIND else gone.hash


def _keep_vectors(session: Session, new: Memory) -> None:
    """The text stayed, so its embeddings are those of the new version too."""
    session.execute(
        sa.text("UPDATE memory_vectors SET version = :v WHERE project_id = :p AND memory_id = :id"),
        {"v": new.version, "p": new.project_id, "id": new.id},
    )


@dataclass(frozen=True, slots=True)
class Erased:
    """What a delete-all removed. `event_id` names it; `ended`: pending events it cut short, with who waits."""

    event_id: UUID
    memories: int
    messages: int
    events: int
    ended: tuple[tuple[UUID, str | None], ...]


def delete_all(
    session: Session, project_id: UUID, given: ScopeIds, *, scope_key: tuple[str, ...] = ID_FIELDS
) -> Erased:
    """Erase all memories whose given ids are equal, with versions, sources, vectors and the messages they came from.

    `given` must name at least one id. `scope_key`: the project's; an id outside it is a label, not part of a scope.
    Bumps the fence of every scope it may touch (in id order), so work in flight is discarded; pending events that
    were accepted before end SUCCEEDED with no results and `erased`. A scope born meanwhile counts as after it.
    One transaction.
    """
    touched = _fence_off(session, project_id, given.key(scope_key))
    gone = _erase_memories(session, project_id, given, touched)
    erased, messages, ended = _erase_events(session, project_id, given, touched)
    _recount(session, project_id, touched)
    events.put_back_scopes(session, project_id, touched)
    event_id = _record(session, project_id, given, {"memories": gone, "messages": messages, "events": erased})
    return Erased(event_id, gone, messages, erased, tuple(ended))


def _match(alias: str, given: ScopeIds) -> str:
    return "".join(f" AND {alias}.{name} = :{name}" for name in given.given())


def _match_in(alias: str, given: ScopeIds) -> str:
    return f"{_match(alias, given)} AND {alias}.scope_id = ANY(:scopes)"


def _fence_off(session: Session, project_id: UUID, given: ScopeIds) -> list[UUID]:
    """Lock, in id order, every scope that may hold something of these ids and make work in flight stale."""
    rows = session.execute(
        sa.text(f"SELECT s.id FROM scopes s WHERE s.project_id = :p{_match('s', given)} ORDER BY s.id FOR UPDATE"),
        {"p": project_id, **given.given()},
    ).all()
    found = [row.id for row in rows]
    session.execute(
        sa.text(
            "UPDATE scopes SET fence = fence + 1, next_seq = next_seq + 1, lease_owner = NULL, lease_until = NULL"
            " WHERE project_id = :p AND id = ANY(:ids)"
        ),
        {"p": project_id, "ids": found},
    )
    return found


def _erase_memories(session: Session, project_id: UUID, given: ScopeIds, touched: Sequence[UUID]) -> int:
    rows = session.execute(
        sa.text(
            f"DELETE FROM memories m WHERE m.project_id = :p{_match_in('m', given)}"
            " RETURNING m.id, m.scope_id, m.version, m.state"
        ),
        {"p": project_id, "scopes": list(touched), **given.given()},
    ).all()
    index_queue.put(session, [Change(project_id, row.scope_id, row.id, row.version + 1, "delete") for row in rows])
    return sum(row.state not in ("deleted", "source") for row in rows)


def _erase_events(
    session: Session, project_id: UUID, given: ScopeIds, touched: Sequence[UUID]
) -> tuple[int, int, Sequence[tuple[UUID, str | None]]]:
    values = {"p": project_id, "scopes": list(touched), **given.given()}
    match = _match_in("e", given)
    open_rows = session.execute(
        sa.text(
            f"""
            UPDATE events e SET status = 'SUCCEEDED', completed_at = clock_timestamp(), updated_at = clock_timestamp(),
                pending = 0, available_at = NULL, error_code = NULL
            WHERE e.project_id = :p{match} AND e.status IN ('PENDING', 'RUNNING') RETURNING e.id, e.reply_to
            """
        ),
        values,
    ).all()
    messages = session.execute(
        sa.text(
            f"""
            WITH gone AS (
                DELETE FROM messages g USING events e WHERE e.project_id = :p{match}
                  AND g.project_id = e.project_id AND g.event_id = e.id RETURNING 1
            ) SELECT count(*) FROM gone
            """
        ),
        values,
    ).scalar_one()
    erased = session.execute(
        sa.text(
            f"""
            UPDATE event_payloads p SET results = '[]', metadata = NULL, options = '{{}}', origin = '{{}}',
                failed = '[]', error_detail = NULL, erased = true
            FROM events e WHERE e.project_id = :p{match} AND p.project_id = e.project_id AND p.event_id = e.id
              AND NOT p.erased
            """
        ),
        values,
    ).rowcount  # type: ignore[attr-defined]
    return int(erased), int(messages), [(row.id, row.reply_to) for row in open_rows]


def _recount(session: Session, project_id: UUID, touched: Sequence[UUID]) -> None:
    """Pending counts from what is left; events of other labels in the same scope go on."""
    session.execute(
        sa.text(
            """
            UPDATE scopes s SET pending_live = c.live, pending_bulk = c.bulk, pending_bytes = c.bytes
            FROM (
                SELECT x.id, count(m.id) FILTER (WHERE m.lane = 'live') AS live,
                       count(m.id) FILTER (WHERE m.lane = 'bulk') AS bulk,
                       coalesce(sum(octet_length(m.text)), 0) AS bytes
                FROM unnest(CAST(:ids AS uuid[])) AS x(id)
                LEFT JOIN messages m ON m.project_id = :p AND m.scope_id = x.id
                    AND m.applied_by IS NULL AND m.failed_code IS NULL
                GROUP BY x.id
            ) c WHERE s.project_id = :p AND s.id = c.id
            """
        ),
        {"p": project_id, "ids": list(touched)},
    )


def _record(session: Session, project_id: UUID, given: ScopeIds, counts: dict[str, int]) -> UUID:
    event_id = uuid7()
    ids = {name: getattr(given, name) for name in ID_FIELDS}
    session.execute(
        sa.text(
            """
            INSERT INTO events (project_id, id, kind, lane, status, user_id, agent_id, app_id, run_id, started_at,
                completed_at) VALUES (:p, :id, 'delete_all', 'live', 'SUCCEEDED', :user_id, :agent_id, :app_id, :run_id,
                clock_timestamp(), clock_timestamp())
            """
        ),
        {"p": project_id, "id": event_id, **ids},
    )
    session.execute(
        sa.text("INSERT INTO event_payloads (project_id, event_id, options) VALUES (:p, :id, CAST(:o AS jsonb))"),
        {"p": project_id, "id": event_id, "o": _counts_json(counts)},
    )
    return event_id


def _counts_json(counts: dict[str, int]) -> str:
    inner = ", ".join(f'"{name}": {int(value)}' for name, value in counts.items())
    return f'{{"erased": {{{inner}}}}}'
