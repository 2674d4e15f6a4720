"""What stands in Postgres at one moment, read past the service's own queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import namedtuple_row

_EVENTS = """
    SELECT e.project_id, e.id, e.scope_id, e.seq, e.lane, e.kind, e.status, e.pending, e.attempts, e.crash_count,
           e.lone_crashes, e.error_code, e.completed_at, p.erased, p.results, p.failed,
           (SELECT count(*) FROM memory_versions v WHERE v.project_id = e.project_id AND v.event_id = e.id) AS versions
    FROM events e JOIN event_payloads p ON p.project_id = e.project_id AND p.event_id = e.id
"""
_MESSAGES = """
    SELECT id, event_id, scope_id, seq, idx, lane, text, said_at, applied_by, failed_code FROM messages
    ORDER BY seq, idx
"""
_MEMORIES = """
    SELECT id, project_id, scope_id, text, kind, state, version, evidence_count, observed_at, deleted_seq
    FROM memories ORDER BY id
"""
_SCOPES = """
    SELECT id, project_id, user_id, agent_id, next_seq, fence, lease_owner, lease_until, pending_live, pending_bulk
    FROM scopes ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows that matter, by id; messages in the order of their place in the scope."""

    events: dict[UUID, Any]
    messages: dict[UUID, Any]
    memories: dict[UUID, Any]
    scopes: dict[UUID, Any]

    def open_messages(self, scope: UUID, lane: str) -> list[Any]:
        """What a lane has before it, in accept order."""
        return [
            message
            for message in self.messages.values()
            if (message.scope_id, message.lane) == (scope, lane) and not settled(message)
        ]

    def holder(self, scope: UUID, now: datetime) -> str | None:
        """Whose lease runs."""
        row = self.scopes[scope]
        return row.lease_owner if row.lease_owner is not None and row.lease_until >= now else None


EMPTY = Rows({}, {}, {}, {})


def settled(message: Any) -> bool:
    """Applied or failed."""
    return message.applied_by is not None or message.failed_code is not None


class Reader:
    """A connection of its own."""

    def __init__(self, database_url: str) -> None:
        self._connection = psycopg.connect(database_url, autocommit=True, row_factory=namedtuple_row)

    def read(self) -> Rows:
        """As committed."""
        found = [self._all(query) for query in (_EVENTS, _MESSAGES, _MEMORIES, _SCOPES)]
        return Rows(*({row.id: row for row in rows} for rows in found))

    def ask(self, query: str) -> list[Any]:
        """A question of the machine's own."""
        return self._all(query)

    def close(self) -> None:
        self._connection.close()

    def _all(self, query: str) -> list[Any]:
        return self._connection.execute(query).fetchall()
