"""The scopes this process holds: one thread renews all their leases in one statement, each up to its deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from shared.db import scopes, tenancy
from shared.db.engine import Database
from shared.db.scopes import Claim
from shared.errors import ServiceError
from shared.logs import get_logger

_log = get_logger(__name__)


class Leases:
    """Thread-safe. A claim that outlives `deadline` seconds is no longer renewed: another worker may take over."""

    def __init__(self, db: Database, *, lease: float, deadline: float) -> None:
        self._db = db
        self._lease = lease
        self._deadline = deadline
        self._held: dict[Claim, float] = {}
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

    def _renewable(self) -> list[Claim]:
        now = time.monotonic()
        with self._lock:
            return [claim for claim, deadline in self._held.items() if deadline > now]

    def _renew_for_ever(self) -> None:
        while not self._stop.wait(self._lease / 3):
            claims = self._renewable()
            if not claims:
                continue
            try:
                with tenancy.across(tenancy.Role.QUEUE):
                    self._db.run(lambda session, claims=claims: scopes.heartbeat(session, claims, self._lease))  # type: ignore[misc]
            except ServiceError as error:
                _log.warning("leases_not_renewed", code=error.code, claims=len(claims))
