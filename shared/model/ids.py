"""UUIDv7: ids that sort by the time they were made (RFC 9562, section 5.7)."""

from __future__ import annotations

import os
import threading
import time
from uuid import UUID

_TICKS = 4096  # of a millisecond: the twelve bits behind the milliseconds go on counting time (section 6.2, method 3)


class _Clock:
    """Unix time in ticks, never the same twice in a process: ids of one moment still sort as they were made."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def next(self) -> int:
        now = time.time_ns() * _TICKS // 1_000_000
        with self._lock:
            self._last = max(now, self._last + 1)
            return self._last


_clock = _Clock()


def uuid7() -> UUID:
    """A new UUIDv7; ids of one process sort strictly, those of several to the tick."""
    millis, tick = divmod(_clock.next(), _TICKS)
    value = (millis & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | tick << 64
    return UUID(int=value | 0x2 << 62 | int.from_bytes(os.urandom(8), "big") >> 2)
