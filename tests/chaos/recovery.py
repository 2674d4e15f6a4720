"""How long the work of a killed or paused worker lies still: from the kill to the next progress, as Postgres saw it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg

_LOOK = 0.05  # seconds

_HELD = """
    SELECT e.id, clock_timestamp() FROM scopes s
    JOIN events e ON e.project_id = s.project_id AND e.scope_id = s.id AND e.status = 'RUNNING'
    WHERE s.lease_owner LIKE %s
"""
_MOVED = """
    SELECT e.id, extract(epoch FROM clock_timestamp() - w.since)::float8 FROM events e
    JOIN unnest(%s::uuid[], %s::timestamptz[]) AS w(id, since) ON w.id = e.id
    WHERE e.status IN ('SUCCEEDED', 'FAILED') OR e.updated_at > w.since
"""


@dataclass(frozen=True, slots=True)
class Held:
    """An event that was in work when its worker died."""

    event_id: UUID
    since: datetime


class Recovery(threading.Thread):
    """Watches the events of killed workers; `seconds` is how long each lay still."""

    def __init__(self, database_url: str) -> None:
        super().__init__(name="recovery", daemon=True)
        self.seconds: list[float] = []
        self._url = database_url
        self._waiting: dict[UUID, datetime] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def held_by(self, pid: int) -> list[Held]:
        """What the worker with this pid has in work; [] when the database is away."""
        try:
            with psycopg.connect(self._url, connect_timeout=2, autocommit=True) as connection:
                rows = connection.execute(_HELD, [f"%:{pid}:%"]).fetchall()
        except psycopg.OperationalError:
            return []
        return [Held(*row) for row in rows]

    def watch(self, held: list[Held]) -> None:
        """From now on look for progress of these."""
        with self._lock:
            self._waiting |= {item.event_id: item.since for item in held}

    def stop(self) -> int:
        """How many never moved."""
        self._stopping.set()
        self.join(10)
        return len(self._waiting)

    def run(self) -> None:
        while not self._stopping.wait(_LOOK):
            with self._lock:
                waiting = dict(self._waiting)
            if waiting:
                self._look(waiting)

    def _look(self, waiting: dict[UUID, datetime]) -> None:
        try:
            with psycopg.connect(self._url, connect_timeout=2, autocommit=True) as connection:
                self._look_often(connection, waiting)
        except psycopg.OperationalError:
            time.sleep(_LOOK)

    def _look_often(self, connection: psycopg.Connection, waiting: dict[UUID, datetime]) -> None:
        """On one connection until all of these moved or more have come."""
        while waiting and not self._stopping.wait(_LOOK):
            rows = connection.execute(_MOVED, [list(waiting), list(waiting.values())]).fetchall()
            with self._lock:
                for event_id, seconds in rows:
                    if self._waiting.pop(event_id, None) is not None:
                        self.seconds.append(seconds)
                waiting = dict(self._waiting)


def percentile(values: list[float], share: float) -> float:
    """The nearest rank; 0.0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
