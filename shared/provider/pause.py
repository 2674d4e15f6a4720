"""What a provider's `Retry-After` says, and keeping to it: within a process no call leaves before the time is over.

Across processes the breaker in Postgres stops claims; this stops the calls of windows that were claimed already.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from shared.errors import Snooze

LONGEST_WAIT = 3600.0


class Pause:
    """Thread-safe: the end of a pause only ever moves on."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._until = 0.0
        self._code = ""

    def keep(self) -> None:
        """Raises `Snooze` with the seconds that are left of what the provider asked for."""
        left = self._until - time.monotonic()
        if left > 0:
            raise Snooze(
                f"the {self._provider} provider asked to be left alone", code=self._code, provider=self._provider,
                retry_after=left,
            )  # fmt: skip

    def note(self, status: int, headers: Mapping[str, str]) -> None:
        """An error answer; only one that names a time begins a pause."""
        seconds = retry_after(headers)
        if status < 400 or not seconds:
            return
        away = "embeddings_unavailable" if self._provider == "embeddings" else "provider_unavailable"
        self._code = "rate_limited" if status == 429 else away
        self._until = max(self._until, time.monotonic() + seconds)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the provider asks to wait (`retry-after-ms`, seconds or an HTTP date), at most an hour; None: no word."""
    seconds = _number(headers.get("retry-after-ms"), 0.001)
    if seconds is None:
        seconds = _number(headers.get("retry-after"), 1.0)
    if seconds is None:
        seconds = _seconds_until(headers.get("retry-after"))
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return None
    return min(seconds, LONGEST_WAIT)


def _number(value: str | None, factor: float) -> float | None:
    try:
        return float(value) * factor if value else None
    except ValueError:
        return None


def _seconds_until(value: str | None) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time()) if value else None
    except ValueError:
        return None
