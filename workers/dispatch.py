"""Slots and claims: bells and the poll feed the same pool, and policy decides which scope is next.

A drain takes a slot, then claims and works until nothing is due; live work goes first, bulk leaves a quarter free.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from uuid import UUID

from shared import metrics
from shared.crashpoints import reach
from shared.db import breakers, scopes, tenancy
from shared.db.scopes import Claim
from shared.errors import ServiceError, Unavailable
from shared.logs import get_logger
from shared.model.scope import ScopeRef
from workers.leases import Leases
from workers.parts import Parts
from workers.work import Done

Run = Callable[[Parts, Claim], Done]

_AFTER_FAULT = 5.0  # seconds a scope rests after an error outside its window's own handling
_AFTER_AWAY = 0.5  # seconds a scope rests after its window lost Postgres
_BREAKER_AGE = 1.0  # seconds for which the last look at the breakers is believed

_log = get_logger(__name__)


class Dispatcher:
    """Thread-safe; `drain` is called by Celery's threads and by the poll's."""

    def __init__(self, parts: Parts, leases: Leases, run: Run) -> None:
        self._parts = parts
        self._leases = leases
        self._run = run
        self._slots = parts.settings.slots
        self._lock = threading.Lock()
        self._waiting = threading.Lock()  # held by the thread that may wait for a locked scope
        self._busy = 0
        self._bulk = 0
        self._last_project: UUID | None = None
        self._breaker = (0.0, False, False)  # looked at, open, failing
        self.stopping = threading.Event()

    @property
    def free(self) -> int:
        """Slots nobody works in."""
        with self._lock:
            return self._slots - self._busy

    def drain(self, hint: ScopeRef | None = None) -> int:
        """Work until nothing is due; returns how many windows were worked on. Returns at once without a free slot."""
        if self.stopping.is_set() or not self._take_slot():
            return 0
        windows = 0
        try:
            while not self.stopping.is_set():
                claim = self._next(hint)
                hint = None
                if claim is None:
                    break
                self._work_on(claim)
                windows += 1
        except ServiceError as error:
            _log.warning("drain_interrupted", code=error.code)
        finally:
            self._give_slot()
        return windows

    def _take_slot(self) -> bool:
        with self._lock:
            if self._busy >= self._slots:
                return False
            self._busy += 1
            metrics.SLOTS_BUSY.set(self._busy)
            return True

    def _give_slot(self) -> None:
        with self._lock:
            self._busy -= 1
            metrics.SLOTS_BUSY.set(self._busy)

    def _next(self, hint: ScopeRef | None) -> Claim | None:
        if self.breaker_open():
            return None
        with self._lock:
            bulk = self._bulk < max(1, self._slots * 3 // 4)
            after = self._last_project
        claim = self._claim(hint, after, bulk=bulk)
        if claim is not None:
            with self._lock:
                self._last_project = claim.scope.project_id
        return claim

    def _claim(self, hint: ScopeRef | None, after: UUID | None, *, bulk: bool) -> Claim | None:
        """The next due scope. One thread of a process may wait for a locked one; a lock that stays is for later."""
        settings = self._parts.settings
        patient = self._waiting.acquire(blocking=False)
        try:
            with tenancy.across(tenancy.Role.QUEUE):
                return self._parts.db.run(
                    lambda session: scopes.claim(
                        session, owner=self._parts.owner, lease=settings.lease, tenant_cap=settings.tenant_cap,
                        after=after, bulk=bulk, hint=hint, provider=self._parts.provider, patient=patient,
                    )
                )  # fmt: skip
        except Unavailable as error:
            if error.code != "database_busy":
                raise
            return None
        finally:
            if patient:
                self._waiting.release()

    def _work_on(self, claim: Claim) -> None:
        bulk = claim.lane == "bulk"
        with self._lock:
            self._bulk += bulk
        reach("claim.after")
        try:
            with self._leases.holding(claim):
                done = self._run(self._parts, claim)
            if done.memories or (done.finished and not done.snoozed):
                self._note_success()
        except Unavailable as error:
            _log.warning("window_interrupted", scope=str(claim.scope.scope_id), code=error.code)
            self._leases.surrender(claim, _AFTER_AWAY)
        except Exception as error:  # noqa: BLE001 - a slot must survive whatever a window does
            _log.exception("window_abandoned", scope=str(claim.scope.scope_id), error=type(error).__name__)
            self._leases.surrender(claim, _AFTER_FAULT)
        finally:
            with self._lock:
                self._bulk -= bulk

    def breaker_open(self) -> bool:
        """Whether the chat model asked to be left alone; looked up at most once a second."""
        if self._parts.provider is None:
            return False
        looked, is_open, _ = self._breaker
        if time.monotonic() - looked < _BREAKER_AGE:
            return is_open
        found = self._parts.db.run(lambda session: breakers.listing(session, only_open=False))
        ours = [breaker for breaker in found if breaker.provider == self._parts.provider]
        is_open = any(breaker.wait > 0 for breaker in ours)
        self._breaker = (time.monotonic(), is_open, bool(ours))
        metrics.BREAKER_OPEN.labels("llm").set(is_open)
        return is_open

    def _note_success(self) -> None:
        provider = self._parts.provider
        if provider is not None and self._breaker[2]:
            self._parts.db.run(lambda session: breakers.reset(session, provider))
            self._breaker = (time.monotonic(), False, False)
