"""Requests that wait for an event. They hold no database connection: one query a second looks for all of them.

A worker's wake-up (Redis) only makes an answer come earlier; a lost one costs up to a second.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from shared.db import events, tenancy
from shared.db.engine import ApiDatabase, Session
from shared.metrics import WAITERS
from shared.wakeups import Wake

LOOK = 1.0  # seconds between two looks at Postgres
_RECENT = 4_096  # wake-ups remembered for callers that register a moment later,
_MOMENT = 2.0  # seconds
_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """Why the wait ended; `seconds` until a snoozed event is due."""

    kind: Literal["ended", "snoozed", "timeout", "stopping"]
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Waiter:
    project_id: UUID
    event_id: UUID
    patient: bool  # goes on waiting when the event is snoozed
    done: asyncio.Future[Outcome]


class Waiters:
    """All waiting requests of this process; lives on one event loop."""

    def __init__(self, db: ApiDatabase) -> None:
        self._db = db
        self._waiting: dict[UUID, list[_Waiter]] = {}
        self._recent: OrderedDict[UUID, tuple[float, Wake]] = OrderedDict()
        self.stopping = False

    def __len__(self) -> int:
        return sum(len(waiters) for waiters in self._waiting.values())

    async def wait(self, project_id: UUID, event_id: UUID, seconds: float, *, patient: bool = False) -> Outcome:
        """Until the event ends, at most `seconds`; unless `patient`, also until it is snoozed."""
        if self.stopping:
            return Outcome("stopping")
        waiter = _Waiter(project_id, event_id, patient, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(event_id, []).append(waiter)
        WAITERS.inc()
        try:
            heard, earlier = self._recent.get(event_id, (0.0, None))
            if earlier is not None and time.monotonic() - heard < _MOMENT:
                self._tell(waiter, earlier)
            async with asyncio.timeout(seconds):
                return await waiter.done
        except TimeoutError:
            return Outcome("timeout")
        finally:
            WAITERS.dec()
            self._forget(waiter)

    def _forget(self, waiter: _Waiter) -> None:
        left = [other for other in self._waiting.get(waiter.event_id, []) if other is not waiter]
        if left:
            self._waiting[waiter.event_id] = left
        else:
            self._waiting.pop(waiter.event_id, None)

    def wake(self, wake: Wake) -> None:
        """An event ended or was snoozed."""
        self._recent[wake.event_id] = (time.monotonic(), wake)
        self._recent.move_to_end(wake.event_id)
        if len(self._recent) > _RECENT:
            self._recent.popitem(last=False)
        for waiter in self._waiting.get(wake.event_id, ()):
            self._tell(waiter, wake)

    def _tell(self, waiter: _Waiter, wake: Wake) -> None:
        if waiter.done.done() or (waiter.patient and wake.snoozed > 0):
            return
        waiter.done.set_result(Outcome("snoozed", wake.snoozed) if wake.snoozed > 0 else Outcome("ended"))

    def stop(self) -> None:
        """The process is asked to end: every waiter is answered now, and nobody waits from here on."""
        self.stopping = True
        for waiters in self._waiting.values():
            for waiter in waiters:
                if not waiter.done.done():
                    waiter.done.set_result(Outcome("stopping"))

    async def look(self) -> None:
        """Which of the events waited for ended or were snoozed? One query for all of them. Raises `Unavailable`."""
        pairs = [(waiters[0].project_id, event_id) for event_id, waiters in self._waiting.items()]
        for start in range(0, len(pairs), _CHUNK):
            with tenancy.across(tenancy.Role.QUEUE):
                ended = await self._db.run(_outstanding(pairs[start : start + _CHUNK]))
            for event_id, _, due_in in ended:
                for waiter in self._waiting.get(event_id, ()):
                    self._tell(waiter, Wake(event_id, due_in))


def _outstanding(pairs: Sequence[tuple[UUID, UUID]]) -> Callable[[Session], list[tuple[UUID, events.Status, float]]]:
    return lambda session: events.outstanding(session, pairs)
