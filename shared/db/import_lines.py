"""The lines of imports: staged once each, handed over in order, settled when their events ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.db import imports
from shared.model.scope import ID_FIELDS, ScopeIds

BLOCK = 2_000  # lines that are sorted by time among themselves before they are handed over


@dataclass(frozen=True, slots=True)
class Staged:
    """One group of a line, or (`error`) a line that cannot be imported; a line has its own hash in each part."""

    line: int
    part: int
    hash: bytes  # of the line as it was sent
    ids: ScopeIds = field(default_factory=ScopeIds)
    said_from: datetime | None = None
    messages: int = 0
    prepared: dict[str, Any] | None = None
    error: str | None = None

    @property
    def state(self) -> str:
        """A line without messages and without a fault holds nothing to wait for."""
        if self.error is not None:
            return "REJECTED"
        return "DONE" if self.prepared is None else "WAITING"


@dataclass(frozen=True, slots=True)
class Ready:
    """A group whose turn it is."""

    project_id: UUID
    import_id: UUID
    line: int
    part: int
    prepared: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that was rejected, or an event of it that failed."""

    line: int
    part: int
    state: str
    error: str
    event_id: UUID | None


# A line that was rejected may come again, mended; any other stays what it was when it first came.
_STAGE = sa.text(
    """
    INSERT INTO import_lines AS l (project_id, import_id, line, part, hash, user_id, agent_id, app_id, run_id, block,
                                   said_from, messages, prepared, state, error)
    SELECT :p, :i, n.line, n.part, n.hash, n.user_id, n.agent_id, n.app_id, n.run_id, n.line / :block, n.said_from,
           n.messages, n.prepared, n.state, n.error
    FROM unnest(CAST(:lines AS bigint[]), CAST(:parts AS int[]), CAST(:hashes AS bytea[]), CAST(:user_ids AS text[]),
                CAST(:agent_ids AS text[]), CAST(:app_ids AS text[]), CAST(:run_ids AS text[]),
                CAST(:said_from AS timestamptz[]), CAST(:messages AS int[]), CAST(:prepared AS jsonb[]),
                CAST(:states AS text[]), CAST(:errors AS text[]))
        AS n(line, part, hash, user_id, agent_id, app_id, run_id, said_from, messages, prepared, state, error)
    ON CONFLICT (project_id, import_id, line, part) DO UPDATE SET
        hash = excluded.hash, user_id = excluded.user_id, agent_id = excluded.agent_id, app_id = excluded.app_id,
        run_id = excluded.run_id, said_from = excluded.said_from, messages = excluded.messages,
        prepared = excluded.prepared, state = excluded.state, error = NULL
    WHERE l.state = 'REJECTED' AND excluded.state <> 'REJECTED'
    RETURNING l.line, l.messages, l.state, l.xmax = 0 AS is_new
    """
)
_CHANGED = sa.text(
    """
    SELECT DISTINCT l.line FROM import_lines l
    JOIN unnest(CAST(:lines AS bigint[]), CAST(:hashes AS bytea[])) AS n(line, hash) ON n.line = l.line
    WHERE l.project_id = :p AND l.import_id = :i AND l.hash <> n.hash AND l.state <> 'REJECTED' ORDER BY l.line
    """
)


def stage(session: Session, project_id: UUID, import_id: UUID, page: Sequence[Staged]) -> list[int]:
    """Keep these lines; those that are here already stay as they are, unless they were rejected.

    Returns the lines that came before with other content: they were not imported again.
    """
    here = {"p": project_id, "i": import_id, "lines": [s.line for s in page], "hashes": [s.hash for s in page]}
    rows = session.execute(_STAGE, here | _columns(page)).all()
    waiting = [row for row in rows if row.state == "WAITING"]
    mended = len({row.line for row in rows if not row.is_new and row.state != "REJECTED"})
    imports.count(
        session, project_id, import_id, lines=len({row.line for row in rows if row.is_new}), groups=len(waiting),
        messages=sum(row.messages for row in waiting),
        rejected=len({row.line for row in rows if row.state == "REJECTED"}) - mended,
    )  # fmt: skip
    imports.note_received(session, project_id, import_id, more=bool(waiting))
    return list(session.scalars(_CHANGED, here))


def _columns(page: Sequence[Staged]) -> dict[str, Any]:
    return {
        "block": BLOCK, "parts": [s.part for s in page], "said_from": [s.said_from for s in page],
        "messages": [s.messages for s in page], "states": [s.state for s in page],
        "errors": [s.error for s in page],
        "prepared": [None if s.prepared is None else orjson.dumps(s.prepared).decode() for s in page],
        **{f"{name}s": [getattr(s.ids, name) for s in page] for name in ID_FIELDS},
    }  # fmt: skip


def last_line(session: Session, project_id: UUID, import_id: UUID) -> int:
    """The last line that was received, 0 before the first: pages come in order, so all before it are here too."""
    found = session.execute(
        sa.text("SELECT max(line) FROM import_lines WHERE project_id = :p AND import_id = :i"),
        {"p": project_id, "i": import_id},
    ).scalar_one()
    return int(found or 0)


_READY = sa.text(
    """
    SELECT project_id, import_id, line, part, prepared FROM import_lines
    WHERE project_id = :p AND import_id = :i AND state = 'WAITING' AND block <= :upto
    ORDER BY block, said_from, line, part LIMIT :limit FOR UPDATE SKIP LOCKED
    """
)


def ready(session: Session, project_id: UUID, import_id: UUID, *, upto: int, limit: int) -> list[Ready]:
    """The next groups in their order, locked. `upto`: the last block that is whole."""
    rows = session.execute(_READY, {"p": project_id, "i": import_id, "upto": upto, "limit": limit})
    return [Ready(**row._mapping) for row in rows]


def fed(session: Session, project_id: UUID, import_id: UUID, handed: Sequence[tuple[Ready, UUID]]) -> None:
    """These are events now; what they held lives on there."""
    for item, event_id in handed:
        session.execute(
            sa.text(
                "UPDATE import_lines SET state = 'FED', prepared = NULL, event_id = :e,"
                " user_id = NULL, agent_id = NULL, app_id = NULL, run_id = NULL"
                " WHERE project_id = :p AND import_id = :i AND line = :line AND part = :part"
            ),
            {"p": project_id, "i": import_id, "e": event_id, "line": item.line, "part": item.part},
        )


def forget(session: Session, project_id: UUID, ids: ScopeIds) -> int:
    """Lines that wait for what is being erased never become anything; returns how many."""
    match = "".join(f" AND {name} = :{name}" for name in ids.given())
    result = session.execute(
        sa.text(
            "UPDATE import_lines SET state = 'CANCELLED', prepared = NULL, user_id = NULL, agent_id = NULL,"
            f" app_id = NULL, run_id = NULL WHERE project_id = :p AND state = 'WAITING'{match}"
        ),
        {"p": project_id, **ids.given()},
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


def in_work(session: Session, project_id: UUID, import_id: UUID) -> int:
    """Messages that were handed over and whose events have not been settled."""
    found = session.execute(
        sa.text(
            "SELECT coalesce(sum(messages), 0) FROM import_lines"
            " WHERE project_id = :p AND import_id = :i AND state = 'FED'"
        ),
        {"p": project_id, "i": import_id},
    ).scalar_one()
    return int(found)


# Keys, not joins: a table that grew this fast has no statistics yet, and a join planned without them is quadratic.
_FED = sa.text(
    """
    SELECT event_id FROM import_lines WHERE project_id = :p AND import_id = :i AND state = 'FED'
    """
)
_ENDED = sa.text(
    """
    SELECT e.id, e.status, e.error_code FROM events e
    WHERE e.project_id = :p AND e.id = ANY(:ids)
    """
)
_RESULTS = sa.text(
    """
    SELECT d.results, d.usage FROM event_payloads d WHERE d.project_id = :p AND d.event_id = ANY(:ids)
    """
)
_CLOSE = sa.text(
    """
    UPDATE import_lines SET state = CASE WHEN event_id = ANY(:failed) THEN 'FAILED' ELSE 'DONE' END,
        error = CASE WHEN event_id = ANY(:failed) THEN (
            SELECT e.error_code FROM events e WHERE e.project_id = :p AND e.id = import_lines.event_id) END
    WHERE project_id = :p AND import_id = :i AND state = 'FED' AND event_id = ANY(:ids)
    """
)


def settle(session: Session, project_id: UUID, import_id: UUID, limit: int) -> int:
    """Count what ended, each group once; returns how many. An event that was erased meanwhile counts as ended.

    The caller holds the import's row: nobody else settles it at the same time.
    """
    fed_ids = set(session.scalars(_FED, {"p": project_id, "i": import_id}))
    if not fed_ids:
        return 0
    events = session.execute(_ENDED, {"p": project_id, "ids": list(fed_ids)}).all()
    gone = fed_ids - {event.id for event in events}
    ended = [event.id for event in events if event.status in ("SUCCEEDED", "FAILED")][:limit] + list(gone)
    if not ended:
        return 0
    failed = [event.id for event in events if event.status == "FAILED"]
    _count_results(session, project_id, import_id, ended, failed)
    session.execute(_CLOSE, {"p": project_id, "i": import_id, "ids": ended, "failed": failed})
    return len(ended)


def _count_results(
    session: Session, project_id: UUID, import_id: UUID, ended: Sequence[UUID], failed: Sequence[UUID]
) -> None:
    rows = session.execute(_RESULTS, {"p": project_id, "ids": list(ended)}).all()
    did = Counter(str(result.get("event")) for row in rows for result in row.results or ())
    usage = [row.usage or {} for row in rows]
    imports.count(
        session, project_id, import_id, ended=len(ended), failed=len(set(failed) & set(ended)),
        added=did["ADD"], updated=did["UPDATE"], deleted=did["DELETE"], calls=_sum(usage, "calls"),
        input_tokens=_sum(usage, "prompt_tokens"), output_tokens=_sum(usage, "completion_tokens"),
    )  # fmt: skip


def _sum(usage: Sequence[dict[str, Any]], name: str) -> int:
    return sum(int(item.get(name) or 0) for item in usage)


def finish(session: Session, project_id: UUID, import_id: UUID) -> bool:
    """Done, when all was received and nothing is left; True when it is done now."""
    changed = session.execute(
        sa.text(
            """
            UPDATE imports SET state = 'DONE', completed_at = clock_timestamp()
            WHERE project_id = :p AND id = :i AND state = 'RUNNING' AND complete AND NOT EXISTS (
                SELECT 1 FROM import_lines WHERE project_id = :p AND import_id = :i AND state = 'WAITING'
            ) AND NOT EXISTS (
                SELECT 1 FROM import_lines WHERE project_id = :p AND import_id = :i AND state = 'FED'
            )
            """
        ),
        {"p": project_id, "i": import_id},
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def faults(session: Session, project_id: UUID, import_id: UUID, after: tuple[int, int], limit: int) -> list[Fault]:
    """Lines that were rejected or failed, in order, after (line, part)."""
    rows = session.execute(
        sa.text(
            """
            SELECT line, part, state, coalesce(error, '') AS error, event_id FROM import_lines
            WHERE project_id = :p AND import_id = :i AND state IN ('REJECTED', 'FAILED')
              AND (line, part) > (:line, :part) ORDER BY line, part LIMIT :limit
            """
        ),
        {"p": project_id, "i": import_id, "line": after[0], "part": after[1], "limit": limit},
    )
    return [Fault(**row._mapping) for row in rows]
