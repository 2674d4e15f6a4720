"""How long the work of a killed or paused worker lies still: from the kill to the next progress, as Postgres saw it.

Kept apart: only one worker died, so that another could go on at once; other parts died with it and had to start first.
"""

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
    """Watches the events of killed workers: how long each lay still, `alone` or `with_others`."""

    def __init__(self, database_url: str) -> None:
        super().__init__(name="recovery", daemon=True)
        self.alone: list[float] = []
        self.with_others: list[float] = []
        self._url = database_url
        self._waiting: dict[UUID, tuple[datetime, list[float]]] = {}
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

    def watch(self, held: list[Held], *, alone: bool) -> None:
        """From now on look for progress of these. `alone`: nothing else died."""
        goal = self.alone if alone else self.with_others
        with self._lock:
            self._waiting |= {item.event_id: (item.since, goal) for item in held}

    @property
    def watched(self) -> int:
        """How many have not moved yet."""
        return len(self._waiting)

    def stop(self) -> int:
        """How many never moved."""
        self._stopping.set()
        self.join(10)
        return len(self._waiting)

    def run(self) -> None:
        while not self._stopping.wait(_LOOK):
            if self._watched():
                self._look()

    def _watched(self) -> dict[UUID, datetime]:
        with self._lock:
            return {event_id: since for event_id, (since, _) in self._waiting.items()}

    def _look(self) -> None:
        try:
            with psycopg.connect(self._url, connect_timeout=2, autocommit=True) as connection:
                self._look_often(connection)
        except psycopg.OperationalError:
            time.sleep(_LOOK)

    def _look_often(self, connection: psycopg.Connection) -> None:
        """On one connection until all have moved."""
        while (waiting := self._watched()) and not self._stopping.wait(_LOOK):
            rows = connection.execute(_MOVED, [list(waiting), list(waiting.values())]).fetchall()
            with self._lock:
                for event_id, seconds in rows:
                    _, goal = self._waiting.pop(event_id)
                    goal.append(seconds)


def percentile(values: list[float], share: float) -> float:
    """The nearest rank; 0.0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
