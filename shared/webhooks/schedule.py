"""When a delivery that failed is tried again: the schedule Standard Webhooks proposes, with jitter."""

from __future__ import annotations

import math
import random

_MINUTE, _HOUR = 60.0, 3600.0
# Seconds after the first, second, ... attempt that failed; after the last one the delivery has failed for good.
DELAYS = (
    5.0, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR,
)  # fmt: skip
ATTEMPTS = len(DELAYS) + 1
_LONGEST = 24 * _HOUR
_JITTER = 0.1
_REST_CAP = 300.0


def next_delay(attempts: int, retry_after: float | None = None, luck: float | None = None) -> float | None:
    """Seconds until the next attempt after `attempts` that failed; None: that was the last.

    `retry_after`: what the receiver asked for, kept up to a day. `luck`: 0 to 1, the place within the jitter.
    """
    if attempts >= ATTEMPTS:
        return None
    share = random.random() if luck is None else luck
    planned = DELAYS[attempts - 1] * (1 - _JITTER + 2 * _JITTER * share)
    return max(planned, min(retry_after or 0.0, _LONGEST))


def rest(failures: int) -> float:
    """Seconds a receiver is left alone after so many failures in a row, whatever else is due for it."""
    return _REST_CAP if failures >= math.ceil(math.log2(_REST_CAP)) else float(2**failures)
