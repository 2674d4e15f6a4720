"""The scopes this process holds: one thread renews all their leases in one statement, each up to its deadline.

Work that broke off because Postgres was away is given back as soon as it returns: its claims are kept till then.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from shared.db import events, scopes, tenancy
from shared.db.engine import Database, Session
from shared.db.scopes import Claim
from shared.errors import ServiceError
from shared.logs import get_logger

_SOON = 0.2  # seconds between tries to give a claim back

_log = get_logger(__name__)


def give_back(session: Session, claim: Claim, delay: float = 0.0) -> None:
    """Everything of the claim's scope as it was before the work, nothing counted against any event."""
    if scopes.hold(session, claim):
        events.put_back_scope(session, claim.scope)
        scopes.settle(session, claim, done=0, done_bytes=0, delay=delay, cut=claim.cut)


class Leases:
    """Thread-safe. A claim that outlives `deadline` seconds is no longer renewed: another worker may take over."""

    def __init__(self, db: Database, *, lease: float, deadline: float) -> None:
        self._db = db
        self._lease = lease
        self._deadline = deadline
        self._held: dict[Claim, float] = {}
        self._broken: dict[Claim, float] = {}  # to be given back, with the delay
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._renew_for_ever, name="flumes-leases", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    @contextmanager
    def holding(self, claim: Claim) -> Iterator[None]:
        """Renew this claim's lease while the block runs."""
        with self._lock:
            self._held[claim] = time.monotonic() + self._deadline
        try:
            yield
        finally:
            with self._lock:
                self._held.pop(claim, None)

    def held(self) -> list[Claim]:
        """What is in work now."""
        with self._lock:
            return list(self._held)

    def surrender(self, claim: Claim, delay: float) -> None:
        """Give back a claim whose work broke off, due again after `delay` seconds; now, or when Postgres is back."""
        with self._lock:
            self._broken[claim] = delay
        self._give_back_broken()

    def broken(self) -> list[Claim]:
        """What could not be given back yet."""
        with self._lock:
            return list(self._broken)

    def _give_back_broken(self) -> None:
        with self._lock:
            broken = list(self._broken.items())
        for claim, delay in broken:
            try:
                with tenancy.tenant(claim.scope.project_id):
                    self._db.run(lambda session, claim=claim, delay=delay: give_back(session, claim, delay))  # type: ignore[misc]
            except ServiceError as error:
                _log.warning("claim_not_given_back", code=error.code, scope=str(claim.scope.scope_id))
                return
            with self._lock:
                self._broken.pop(claim, None)

    def _renewable(self) -> list[Claim]:
        now = time.monotonic()
        with self._lock:
            return [*(claim for claim, deadline in self._held.items() if deadline > now), *self._broken]

    def _renew_for_ever(self) -> None:
        while not self._stop.wait(_SOON if self.broken() else self._lease / 3):
            claims = self._renewable()
            try:
                if claims:
                    with tenancy.across(tenancy.Role.QUEUE):
                        self._db.run(lambda session, claims=claims: scopes.heartbeat(session, claims, self._lease))  # type: ignore[misc]
                self._give_back_broken()
            except ServiceError as error:
                _log.warning("leases_not_renewed", code=error.code, claims=len(claims))
            except Exception:  # noqa: BLE001 - this thread must go on
                _log.exception("leases_not_renewed", claims=len(claims))
