"""Erasing for good: by ids, one memory, one event, a whole project. Each is one transaction with a receipt.

The fences of the scopes move on in it, so that work in flight is discarded; what was queued finds nothing left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.db import erased_texts, erasures, events, import_lines
from shared.db import erasure_rows as rows
from shared.errors import NotFound
from shared.model.ids import uuid7
from shared.model.record import MESSAGE_KIND
from shared.model.scope import ID_FIELDS, ScopeIds, ScopeRef
from shared.model.seal import Seal

UNSEALED = Seal("")  # for stores without a pepper, which serve this machine only


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure removed. `event_id` names it and its receipt.

    `ended`: pending events it cut short, with who waits for them. `counts`: rows by kind.
    """

    event_id: UUID
    memories: int
    messages: int
    events: int
    ended: tuple[tuple[UUID, str | None], ...]
    counts: Mapping[str, int] = field(default_factory=dict)


def delete_all(
    session: Session,
    project_id: UUID,
    given: ScopeIds,
    *,
    scope_key: tuple[str, ...] = ID_FIELDS,
    seal: Seal = UNSEALED,
) -> Erased:
    """Erase everything whose given ids are equal: memories with all that hangs on them, messages, what events held.

    `given` must name at least one id. `scope_key`: the project's; an id outside it is a label, not part of a scope.
    Pending events that were accepted before end SUCCEEDED with no results and `erased`. A scope born meanwhile counts
    as after it. The ids themselves stay only as keyed hashes, in the events and in the receipt.
    """
    erasure_id, match, named = uuid7(), _match("x", given), given.given()
    waiting = import_lines.forget(session, project_id, given)  # before the scopes, in the order in which they are fed
    touched = _fence_off(session, project_id, given.key(scope_key))
    values = {"p": project_id, "scopes": touched, **named}
    inside = f"x.project_id = :p{match} AND x.scope_id = ANY(:scopes)"
    ours = _ids(session, f"SELECT x.id FROM memories x WHERE {inside}", values)
    without_scope = f"x.project_id = :p{match} AND x.scope_id IS NULL"  # earlier deletions of these ids
    theirs = _ids(session, f"SELECT x.id FROM events x WHERE {inside} OR ({without_scope})", values)
    said = _ids(session, "SELECT x.id FROM messages x WHERE x.project_id = :p AND x.event_id = ANY(:e)",
                {"p": project_id, "e": theirs})  # fmt: skip
    ended = _end(session, project_id, theirs)
    counts = rows.memories(session, project_id, erasure_id, ours)
    counts += rows.messages(session, project_id, said)
    counts += rows.idempotency_keys(session, project_id, theirs, seal)
    counts += rows.events(session, project_id, theirs, seal)
    counts += rows.exports(session, project_id, list(named.values()))
    counts["scopes"] = rows.empty_scopes(session, project_id, touched, _match("s", given), named)
    counts["import_lines"] = waiting
    _recount(session, project_id, touched)
    events.put_back_scopes(session, project_id, touched)
    _record(session, project_id, erasure_id, given, counts, seal)
    erasures.keep(
        session, project_id, erasure_id, "ids", sorted(named), seal.subject(project_id, named), counts
    )  # fmt: skip
    return _erased(erasure_id, counts, ended)


def erase_memory(session: Session, project_id: UUID, memory_id: UUID, *, seal: Seal = UNSEALED) -> Erased:
    """Erase a memory in any state with its history, the messages it was taken from, and what events said about it.

    Other memories keep their own text and lose what vouched for them in those messages. Raises `NotFound`.
    """
    values = {"p": project_id, "id": memory_id}
    scope_id = _scope_of(session, "SELECT scope_id FROM memories WHERE project_id = :p AND id = :id", values)
    if scope_id is None:
        raise NotFound("no memory has this id", code="memory_not_found", field="id")
    _fence_scope(session, project_id, scope_id)
    cited = "SELECT DISTINCT message_id FROM memory_sources WHERE project_id = :p AND memory_id = :id"
    part = _Part(project_id, scope_id, "memory", memory_id, (memory_id,), tuple(_ids(session, cited, values)))
    return _erase(session, part, seal)


def erase_event(session: Session, project_id: UUID, event_id: UUID, *, seal: Seal = UNSEALED) -> Erased:
    """Erase what one write brought: its messages, its payload, and every memory whose text it made or changed.

    Raises `NotFound`.
    """
    values = {"p": project_id, "id": event_id}
    scope_id = _scope_of(session, "SELECT scope_id FROM events WHERE project_id = :p AND id = :id", values)
    if scope_id is None:
        raise NotFound("no event has this id", code="event_not_found", field="id")
    _fence_scope(session, project_id, scope_id)
    made = "SELECT DISTINCT memory_id FROM memory_versions WHERE project_id = :p AND event_id = :id"
    said = "SELECT id FROM messages WHERE project_id = :p AND event_id = :id"
    memories, messages = tuple(_ids(session, made, values)), tuple(_ids(session, said, values))
    part = _Part(project_id, scope_id, "event", event_id, memories, messages, (event_id,))
    return _erase(session, part, seal)


@dataclass(frozen=True, slots=True)
class _Part:
    """What goes out of one scope, and what it was named by. `whole`: events that are emptied in any case."""

    project_id: UUID
    scope_id: UUID
    what: erasures.What
    named: UUID
    memories: tuple[UUID, ...]
    messages: tuple[UUID, ...]
    whole: tuple[UUID, ...] = ()


# Messages kept as memories beside what was made of them.
_BESIDE = """
    SELECT DISTINCT m.id FROM memory_sources s JOIN memories m ON m.project_id = s.project_id AND m.id = s.memory_id
    WHERE s.project_id = :p AND s.message_id = ANY(:said) AND m.kind = :kind
"""
_OF_MESSAGES = "SELECT DISTINCT event_id FROM messages WHERE project_id = :p AND id = ANY(:said)"
_WITHOUT_MESSAGES = """
    SELECT e.id FROM events e WHERE e.project_id = :p AND e.id = ANY(:events)
      AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.project_id = :p AND m.event_id = e.id)
"""


def _erase(session: Session, part: _Part, seal: Seal) -> Erased:
    """These memories and messages, and what is left empty by it."""
    project_id, scope_id, erasure_id = part.project_id, part.scope_id, uuid7()
    values = {"p": project_id, "said": list(part.messages), "kind": MESSAGE_KIND}
    erased_texts.remember(session, ScopeRef(project_id, scope_id), part.memories)
    beside, touched = _ids(session, _BESIDE, values), _ids(session, _OF_MESSAGES, values)
    counts = rows.memories(session, project_id, erasure_id, [*part.memories, *beside])
    counts += rows.messages(session, project_id, part.messages)
    counts += rows.results_about(session, project_id, scope_id, part.memories)
    hollow = _ids(session, _WITHOUT_MESSAGES, {"p": project_id, "events": touched})
    emptied = list({*hollow, *part.whole})
    ended = _end(session, project_id, emptied)
    counts += rows.idempotency_keys(session, project_id, emptied, seal)
    counts += rows.events(session, project_id, emptied, None)
    counts += rows.exports(session, project_id, [str(part.named)])
    _recount(session, project_id, [scope_id])
    events.put_back_scopes(session, project_id, [scope_id])
    subject = seal.subject(project_id, {part.what: str(part.named)})
    erasures.keep(session, project_id, erasure_id, part.what, [part.what], subject, counts)
    return _erased(erasure_id, counts, ended)


def erase_project(session: Session, project_id: UUID, name: str, *, seal: Seal = UNSEALED) -> Erased:
    """Erase what a tenant holds. `drop_project` must follow: it takes keys, settings and what came meanwhile."""
    erasure_id = uuid7()
    counts: Counter[str] = Counter()
    values = {"p": project_id}
    # Imports before the scopes, in the order in which they are fed.
    jobs = session.execute(sa.text("DELETE FROM imports WHERE project_id = :p"), values)
    counts["imports"] = int(jobs.rowcount)  # type: ignore[attr-defined]
    session.execute(sa.text("SELECT 1 FROM scopes WHERE project_id = :p ORDER BY id FOR UPDATE"), values).all()
    open_events = "SELECT id, reply_to FROM events WHERE project_id = :p AND status IN ('PENDING', 'RUNNING')"
    ended = [(row.id, row.reply_to) for row in session.execute(sa.text(open_events), values)]
    everything = _ids(session, "SELECT id FROM memories WHERE project_id = :p", values)
    counts += rows.memories(session, project_id, erasure_id, everything)
    for kind, table in _PROJECT_TABLES.items():
        result = session.execute(sa.text(f"DELETE FROM {table} WHERE project_id = :p"), values)
        counts[kind] = int(result.rowcount)  # type: ignore[attr-defined]
    session.execute(sa.text("DELETE FROM breakers WHERE provider = :spend"), {"spend": f"spend:{project_id}"})
    erasures.keep(session, project_id, erasure_id, "project", ["project"], project_subject(seal, name), counts)
    return _erased(erasure_id, counts, ended)


_PROJECT_TABLES = {
    "messages": "messages",
    "events": "events",
    "scopes": "scopes",
    "idempotency_keys": "idempotency_keys",
    "exports": "memory_exports",
    "usage_days": "project_usage",
}
_NOWHERE = UUID(int=0)


def drop_project(session: Session, project_id: UUID) -> None:
    """The tenant itself, and with it whatever carries its id. Only the receipts stay.

    Writes of callers whose key is still remembered somewhere fail on the missing project; nothing can come back.
    """
    session.execute(sa.text("DELETE FROM api_keys WHERE project_id = :p"), {"p": project_id})
    session.execute(sa.text("DELETE FROM projects WHERE id = :p"), {"p": project_id})


def project_subject(seal: Seal, name: str) -> bytes:
    """What the receipt of a whole project is found by: its name, for its id went with it."""
    return seal.subject(_NOWHERE, {"project": name})


def take_time(session: Session) -> None:
    """This transaction may hold its locks for long: an operator's erasure of very much."""
    session.execute(sa.text("SET LOCAL statement_timeout = '30min'"))
    session.execute(sa.text("SET LOCAL lock_timeout = '60s'"))


def retire_keys(session: Session, project_id: UUID, given: ScopeIds, *, seal: Seal = UNSEALED) -> int:
    """Revoke the API keys bound to an erased user or agent and seal the ids in them; how many."""
    bound = {name: value for name, value in given.given().items() if name in ("user_id", "agent_id")}
    retired = 0
    for name, value in bound.items():
        result = session.execute(
            sa.text(
                f"UPDATE api_keys SET revoked_at = coalesce(revoked_at, clock_timestamp()), name = '', {name} = :sealed"
                f" WHERE project_id = :p AND {name} = :value"
            ),
            {"p": project_id, "value": value, "sealed": seal.entity(project_id, name, value)},
        )
        retired += int(result.rowcount)  # type: ignore[attr-defined]
    return retired


def _erased(
    erasure_id: UUID, counts: Mapping[str, int], ended: Sequence[tuple[UUID, str | None]]
) -> Erased:  # fmt: skip
    told = {kind: int(number) for kind, number in sorted(counts.items())}
    return Erased(
        erasure_id, told.get("memories", 0), told.get("messages", 0), told.get("events", 0), tuple(ended), told
    )  # fmt: skip


def _match(alias: str, given: ScopeIds) -> str:
    return "".join(f" AND {alias}.{name} = :{name}" for name in given.given())


def _ids(session: Session, query: str, values: Mapping[str, object]) -> list[UUID]:
    return list(session.execute(sa.text(query), dict(values)).scalars())


def _scope_of(session: Session, query: str, values: Mapping[str, object]) -> UUID | None:
    found: UUID | None = session.execute(sa.text(query), dict(values)).scalar_one_or_none()
    return found


def _fence_off(session: Session, project_id: UUID, given: ScopeIds) -> list[UUID]:
    """Lock, in id order, every scope that may hold something of these ids and make work in flight stale."""
    query = f"SELECT s.id FROM scopes s WHERE s.project_id = :p{_match('s', given)} ORDER BY s.id FOR UPDATE"
    found = _ids(session, query, {"p": project_id, **given.given()})
    _raise_fences(session, project_id, found)
    return found


def _fence_scope(session: Session, project_id: UUID, scope_id: UUID) -> None:
    query = "SELECT id FROM scopes WHERE project_id = :p AND id = :s FOR UPDATE"
    _raise_fences(session, project_id, _ids(session, query, {"p": project_id, "s": scope_id}))


def _raise_fences(session: Session, project_id: UUID, scopes: Sequence[UUID]) -> None:
    session.execute(
        sa.text(
            "UPDATE scopes SET fence = fence + 1, next_seq = next_seq + 1, lease_owner = NULL, lease_until = NULL"
            " WHERE project_id = :p AND id = ANY(:ids)"
        ),
        {"p": project_id, "ids": list(scopes)},
    )


def _end(session: Session, project_id: UUID, ids: Sequence[UUID]) -> list[tuple[UUID, str | None]]:
    """Open events of these end without results; with who waits for them."""
    ended = session.execute(
        sa.text(
            """
            UPDATE events e SET status = 'SUCCEEDED', completed_at = clock_timestamp(), updated_at = clock_timestamp(),
                pending = 0, available_at = NULL, error_code = NULL
            WHERE e.project_id = :p AND e.id = ANY(:ids) AND e.status IN ('PENDING', 'RUNNING')
            RETURNING e.id, e.reply_to
            """
        ),
        {"p": project_id, "ids": list(ids)},
    )
    return [(row.id, row.reply_to) for row in ended]


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


def _record(
    session: Session, project_id: UUID, event_id: UUID, given: ScopeIds, counts: Mapping[str, int], seal: Seal
) -> None:
    """The deletion as an event of the feed, its ids sealed."""
    ids = {name: seal.entity(project_id, name, value) if (value := getattr(given, name)) else None
           for name in ID_FIELDS}  # fmt: skip
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
    told = {name: int(counts.get(name, 0)) for name in ("memories", "messages", "events")}
    session.execute(
        sa.text(
            "INSERT INTO event_payloads (project_id, event_id, options)"
            " VALUES (:p, :id, jsonb_build_object('erased', CAST(:told AS jsonb)))"
        ),
        {"p": project_id, "id": event_id, "told": str(told).replace("'", '"')},
    )
