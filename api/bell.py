"""Rings workers from a thread of its own: an answer never waits for Redis."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from shared.model.scope import ScopeRef
from shared.queue import Bell

_QUEUED = 256  # rings waiting for the thread; beyond that the workers' poll is as fast


class Ringer:
    """Fire and forget; rings that cannot be sent are dropped, the workers poll."""

    def __init__(self, redis_url: str) -> None:
        self._bell = Bell(redis_url)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bell")
        self._waiting = 0

    @property
    def healthy(self) -> bool:
        """False while Redis is left alone after a failure."""
        return self._bell.healthy

    def ring(self, scope: ScopeRef | None = None) -> None:
        """There is due work, perhaps in this scope. Called on the event loop only."""
        if self._waiting >= _QUEUED or not self._bell.healthy:
            return
        self._waiting += 1
        self._thread.submit(self._ring, scope)

    def _ring(self, scope: ScopeRef | None) -> None:
        try:
            self._bell.ring(scope)
        finally:
            self._waiting -= 1  # approximate on purpose: it only bounds the queue

    def close(self) -> None:
        """Drop what was not sent yet."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._bell.close()
