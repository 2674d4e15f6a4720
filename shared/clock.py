"""Wall-clock reads in one place, so that tests can freeze them.

Leases and availability never use this clock: they compare inside Postgres with `clock_timestamp()`.
"""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)
