"""Events: one row per accepted write, its way from PENDING to SUCCEEDED or FAILED, and what callers read of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.model.decision import EventTraits
from shared.model.message import Rules
from shared.model.scope import ID_FIELDS, ScopeIds, ScopeRef

Status = Literal["PENDING", "RUNNING", "SUCCEEDED", "FAILED"]


@dataclass(frozen=True, slots=True)
class Event:
    """An event as callers read it; `wait` = seconds until a snoozed event is due, 0 when it is due or ended."""

    id: UUID
    scope_id: UUID | None
    kind: str
    lane: str
    status: Status
    ids: ScopeIds
    results: list[dict[str, Any]]
    metadata: dict[str, Any] | None
    accepted_at: datetime
    updated_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    error_code: str | None
    error_detail: str | None
    failed: list[int]
    rejections: dict[str, int]
    usage: dict[str, int]
    erased: bool
    wait: float

    @property
    def ended(self) -> bool:
        return self.status in ("SUCCEEDED", "FAILED")


@dataclass(frozen=True, slots=True)
class Finished:
    """An event that just ended, for waking whoever waits for it."""

    event_id: UUID
    reply_to: str | None
    error_code: str | None = field(default=None, compare=False)  # None: SUCCEEDED


@dataclass(frozen=True, slots=True)
class Progress:
    """What one window did for one event."""

    event_id: UUID
    messages: int  # applied or failed by this window
    results: Sequence[Mapping[str, Any]] = ()
    rejections: Mapping[str, int] = field(default_factory=dict)
    usage: Mapping[str, int] = field(default_factory=dict)
    failed: Sequence[int] = ()  # indexes of messages that could not be worked on
    error_code: str | None = None
    error_detail: str | None = None


_COLUMNS = """
    e.id, e.scope_id, e.kind, e.lane, e.status, e.user_id, e.agent_id, e.app_id, e.run_id, e.accepted_at, e.updated_at,
    e.started_at, e.completed_at, e.error_code, p.results, p.metadata, p.error_detail, p.failed, p.rejections, p.usage,
    p.erased,
    CASE WHEN e.status = 'PENDING' THEN greatest(0, extract(epoch FROM e.available_at - clock_timestamp())) END::float8
        AS wait
"""
_FROM = "FROM events e JOIN event_payloads p ON p.project_id = e.project_id AND p.event_id = e.id"


def _event(row: Any) -> Event:
    return Event(
        id=row.id, scope_id=row.scope_id, kind=row.kind, lane=row.lane, status=row.status,
        ids=ScopeIds(*(getattr(row, name) for name in ID_FIELDS)), results=row.results, metadata=row.metadata,
        accepted_at=row.accepted_at, updated_at=row.updated_at, started_at=row.started_at,
        completed_at=row.completed_at, error_code=row.error_code, error_detail=row.error_detail, failed=row.failed,
        rejections=row.rejections, usage=row.usage, erased=row.erased, wait=row.wait or 0.0,
    )  # fmt: skip


def get(session: Session, project_id: UUID, event_id: UUID) -> Event | None:
    """One event of a project, or None."""
    row = session.execute(
        sa.text(f"SELECT {_COLUMNS} {_FROM} WHERE e.project_id = :p AND e.id = :id"),
        {"p": project_id, "id": event_id},
    ).one_or_none()
    return None if row is None else _event(row)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which events of a feed; `since` and `until` are when they were accepted, the latter exclusive."""

    status: str | None = None
    kinds: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> dict[str, tuple[str, Any]]:
        """Those that are set: name, its SQL, its value."""
        every = {
            "status": ("e.status = :status", self.status),
            "kinds": ("e.kind = ANY(:kinds)", list(self.kinds) or None),
            "since": ("e.accepted_at >= :since", self.since),
            "until": ("e.accepted_at < :until", self.until),
        }
        return {name: pair for name, pair in every.items() if pair[1] is not None}


ANY = Chosen()


def feed(
    session: Session,
    project_id: UUID,
    chosen: Chosen = ANY,
    *,
    ids: ScopeIds | None = None,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[Event], int]:
    """A project's events, newest first, and how many there are in all."""
    given = ids.given() if ids else {}
    extra = chosen.conditions()
    where = ["e.project_id = :p", *(f"e.{name} = :{name}" for name in given), *(words for words, _ in extra.values())]
    values: dict[str, Any] = {"p": project_id, "limit": limit, "offset": offset, **given}
    values |= {name: value for name, (_, value) in extra.items()}
    condition = " AND ".join(where)
    rows = session.execute(
        sa.text(
            f"SELECT {_COLUMNS} {_FROM} WHERE {condition} ORDER BY e.accepted_at DESC, e.id DESC"
            " LIMIT :limit OFFSET :offset"
        ),
        values,
    ).all()
    total = session.execute(sa.text(f"SELECT count(*) FROM events e WHERE {condition}"), values).scalar_one()
    return [_event(row) for row in rows], int(total)


def outstanding(session: Session, events: Sequence[tuple[UUID, UUID]]) -> list[tuple[UUID, Status, float]]:
    """(id, status, seconds until due) of those (project, event) pairs that ended or were snoozed."""
    rows = session.execute(
        sa.text(
            """
            SELECT e.id, e.status, greatest(0, extract(epoch FROM e.available_at - clock_timestamp()))::float8 AS wait
            FROM unnest(CAST(:projects AS uuid[]), CAST(:ids AS uuid[])) AS w(project_id, id)
            JOIN events e ON e.project_id = w.project_id AND e.id = w.id
            WHERE e.status IN ('SUCCEEDED', 'FAILED') OR (e.status = 'PENDING' AND e.available_at > clock_timestamp())
            """
        ),
        {"projects": [project for project, _ in events], "ids": [event for _, event in events]},
    )
    return [(row.id, row.status, row.wait or 0.0) for row in rows]


def traits(
    session: Session, project_id: UUID, ids: Sequence[UUID]
) -> dict[UUID, tuple[EventTraits, Rules, str | None]]:
    """What these events hand to their memories, with the rules and timezone they share a window under."""
    rows = session.execute(
        sa.text(
            "SELECT e.id, e.seq, e.user_id, e.agent_id, e.app_id, e.run_id, p.metadata, p.options "
            f"{_FROM} WHERE e.project_id = :p AND e.id = ANY(:ids)"
        ),
        {"p": project_id, "ids": list(ids)},
    )
    found = {}
    for row in rows:
        options = row.options or {}
        expires = options.get("expires_on")
        trait = EventTraits(
            row.id, row.seq, ScopeIds(row.user_id, row.agent_id, row.app_id, row.run_id), row.metadata,
            date.fromisoformat(expires) if expires else None, bool(options.get("immutable")),
        )  # fmt: skip
        rules = options.get("rules") or {}
        found[row.id] = (
            trait,
            Rules(
                rules.get("instructions", ""), rules.get("includes", ""), rules.get("excludes", ""),
                tuple(rules.get("categories", ())),
            ),
            options.get("timezone"),
        )  # fmt: skip
    return found


def start(session: Session, project_id: UUID, ids: Sequence[UUID]) -> None:
    """These events are being worked on; the crash count is raised now and taken back when the work ends in order."""
    session.execute(
        sa.text(
            """
            UPDATE events SET status = 'RUNNING', started_at = coalesce(started_at, clock_timestamp()),
                updated_at = clock_timestamp(), crash_count = crash_count + 1, available_at = NULL
            WHERE project_id = :p AND id = ANY(:ids) AND status IN ('PENDING', 'RUNNING')
            """
        ),
        {"p": project_id, "ids": list(ids)},
    )


def snoozes(session: Session, project_id: UUID, ids: Sequence[UUID]) -> int:
    """How often in a row the most delayed of these events was snoozed."""
    return int(
        session.execute(
            sa.text("SELECT coalesce(max(snoozes), 0) FROM events WHERE project_id = :p AND id = ANY(:ids)"),
            {"p": project_id, "ids": list(ids)},
        ).scalar_one()
    )


def put_back_scope(session: Session, scope: ScopeRef) -> None:
    """Whatever of a scope was in work when its worker stopped in order: PENDING again, nothing counted against it."""
    put_back_scopes(session, scope.project_id, [scope.scope_id])


def put_back_scopes(session: Session, project_id: UUID, scopes: Sequence[UUID]) -> None:
    """The same for several scopes of a project."""
    rows = session.execute(
        sa.text("SELECT id FROM events WHERE project_id = :p AND scope_id = ANY(:s) AND status = 'RUNNING'"),
        {"p": project_id, "s": list(scopes)},
    ).all()
    put_back(session, project_id, [row.id for row in rows], delay=0, consumed=False, snoozed=False)


def attempts(session: Session, project_id: UUID, ids: Sequence[UUID]) -> int:
    """How often the most tried of these events met an unexpected error."""
    return int(
        session.execute(
            sa.text("SELECT coalesce(max(attempts), 0) FROM events WHERE project_id = :p AND id = ANY(:ids)"),
            {"p": project_id, "ids": list(ids)},
        ).scalar_one()
    )


def put_back(
    session: Session, project_id: UUID, ids: Sequence[UUID], *, delay: float, consumed: bool, snoozed: bool
) -> list[Finished]:
    """These events were not finished, in order: back to PENDING, crash counts cleared.

    `consumed`: an attempt is counted. `snoozed`: waiters are told (returned here) instead of being kept. Either way
    the event fails from now on, until it gets on.
    """
    rows = session.execute(
        sa.text(
            """
            UPDATE events SET status = 'PENDING', updated_at = clock_timestamp(), crash_count = 0, lone_crashes = 0,
                attempts = attempts + CASE WHEN :consumed THEN 1 ELSE 0 END,
                snoozes = snoozes + CASE WHEN :snoozed THEN 1 ELSE 0 END,
                failing_since = CASE WHEN :snoozed OR :consumed THEN coalesce(failing_since, clock_timestamp())
                                     ELSE failing_since END,
                available_at = CASE WHEN :snoozed THEN clock_timestamp() + make_interval(secs => :delay) END
            WHERE project_id = :p AND id = ANY(:ids) AND status = 'RUNNING' RETURNING id, reply_to
            """
        ),
        {"p": project_id, "ids": list(ids), "delay": delay, "consumed": consumed, "snoozed": snoozed},
    )
    return [Finished(row.id, row.reply_to) for row in rows] if snoozed else []


# An event ends with its last message; with failures it is FAILED: `partial` when other messages were applied. Events of
# one window end at one moment (the statement's): row by row, a later one could be stamped before an earlier one.
_ADVANCE_EVENT = sa.text(
    """
    UPDATE events e SET pending = e.pending - d.messages, crash_count = 0, lone_crashes = 0, snoozes = 0,
        failing_since = NULL, updated_at = statement_timestamp(),
        attempts = CASE WHEN e.pending > d.messages THEN 0 ELSE e.attempts END,
        status = CASE WHEN e.pending > d.messages THEN 'PENDING'
                      WHEN d.code IS NOT NULL OR jsonb_array_length(p.failed) > 0 THEN 'FAILED' ELSE 'SUCCEEDED' END,
        completed_at = CASE WHEN e.pending > d.messages THEN NULL ELSE statement_timestamp() END,
        error_code = CASE WHEN e.pending > d.messages OR (d.code IS NULL AND jsonb_array_length(p.failed) = 0) THEN NULL
                          WHEN jsonb_array_length(p.failed) < d.total THEN 'partial'
                          ELSE coalesce(d.code, 'partial') END
    FROM (SELECT u.id, u.messages, u.code,
                 (SELECT count(*) FROM messages m WHERE m.project_id = :p AND m.event_id = u.id) AS total
          FROM unnest(CAST(:ids AS uuid[]), CAST(:messages AS int[]), CAST(:codes AS text[]))
              AS u(id, messages, code)) d
    JOIN event_payloads p ON p.project_id = :p AND p.event_id = d.id
    WHERE e.project_id = :p AND e.id = d.id AND e.status IN ('PENDING', 'RUNNING')
    RETURNING e.id, e.status, e.reply_to, e.error_code
    """
)

_ADVANCE_PAYLOAD = sa.text(
    """
    UPDATE event_payloads p SET results = p.results || CAST(d.results AS jsonb),
        failed = p.failed || CAST(d.failed AS jsonb), error_detail = coalesce(d.detail, p.error_detail),
        rejections = flumes_add_counts(p.rejections, CAST(d.rejections AS jsonb)),
        usage = flumes_add_counts(p.usage, CAST(d.usage AS jsonb))
    FROM unnest(CAST(:ids AS uuid[]), CAST(:results AS text[]), CAST(:failed AS text[]), CAST(:details AS text[]),
                CAST(:rejections AS text[]), CAST(:usage AS text[]))
        AS d(id, results, failed, detail, rejections, usage)
    WHERE p.project_id = :p AND p.event_id = d.id
    """
)


def advance(session: Session, project_id: UUID, steps: Sequence[Progress]) -> list[Finished]:
    """Record what a window did for its events; returns those that ended with it."""
    if not steps:
        return []
    session.execute(_ADVANCE_PAYLOAD, {"p": project_id} | _payload_columns(steps))
    rows = session.execute(
        _ADVANCE_EVENT,
        {
            "p": project_id,
            "ids": [step.event_id for step in steps],
            "messages": [step.messages for step in steps],
            "codes": [step.error_code for step in steps],
        },
    ).all()
    ended = [row for row in rows if row.status in ("SUCCEEDED", "FAILED")]
    return [Finished(row.id, row.reply_to, row.error_code) for row in ended]


def _payload_columns(steps: Sequence[Progress]) -> dict[str, Any]:
    return {
        "ids": [step.event_id for step in steps],
        "results": [_json(list(step.results)) for step in steps],
        "failed": [_json(list(step.failed)) for step in steps],
        "details": [step.error_detail for step in steps],
        "rejections": [_json(dict(step.rejections)) for step in steps],
        "usage": [_json(dict(step.usage)) for step in steps],
    }


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def finish_raw(session: Session, project_id: UUID, event_id: UUID, results: Sequence[Mapping[str, Any]]) -> None:
    """An event that was carried out inside its own accept transaction."""
    session.execute(
        sa.text(
            "UPDATE events SET status = 'SUCCEEDED', started_at = accepted_at, completed_at = clock_timestamp(),"
            " updated_at = clock_timestamp() WHERE project_id = :p AND id = :id"
        ),
        {"p": project_id, "id": event_id},
    )
    session.execute(
        sa.text("UPDATE event_payloads SET results = CAST(:results AS jsonb) WHERE project_id = :p AND event_id = :id"),
        {"p": project_id, "id": event_id, "results": _json(list(results))},
    )


def scope_of(session: Session, project_id: UUID, event_id: UUID) -> ScopeRef | None:
    """The scope an event belongs to."""
    row = session.execute(
        sa.text("SELECT scope_id FROM events WHERE project_id = :p AND id = :id AND scope_id IS NOT NULL"),
        {"p": project_id, "id": event_id},
    ).one_or_none()
    return None if row is None else ScopeRef(project_id, row.scope_id)
