"""Partial ISO 8601 dates as extractors write them (`2026`, `2026-05`, `2026-05-06`, `2026-05-06T15:00Z`).

A calendar date is the same day wherever it is read, so it stands for its midnight in UTC; only a time of day is an
instant, in the zone where it was said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Literal

Precision = Literal["year", "month", "day", "minute"]

_PARTIAL = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2})"
    r"(?:[T ](?P<time>\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?(?P<zone>Z|[+-]\d{2}:?\d{2})?)?)?)?"
)
_SANE_YEARS = range(1800, 2201)


@dataclass(frozen=True, slots=True)
class Moment:
    """The start of a partial date, aware, and how precise it is."""

    at: datetime
    precision: Precision

    def iso(self) -> str:
        """Written back as precise as it is known."""
        pattern = {"year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d"}.get(self.precision)
        if pattern:
            return self.at.strftime(pattern)
        return self.at.isoformat(timespec="minutes").replace("+00:00", "Z")


def parse_partial(text: str, zone: tzinfo = UTC) -> Moment | None:
    """The moment a partial ISO date starts; None when it is no sane date.

    zone: of a time of day that names no offset of its own; years, months and days start at midnight UTC.
    """
    match = _PARTIAL.fullmatch(text.strip())
    if match is None or int(match["year"]) not in _SANE_YEARS:
        return None
    precision: Precision = (
        "minute" if match["time"] else "day" if match["day"] else "month" if match["month"] else "year"
    )
    hour, minute = (int(part) for part in (match["time"] or "00:00").split(":"))
    zone = zone if match["time"] else UTC
    try:
        if match["zone"]:
            zone = datetime.fromisoformat(f"2000-01-01T00:00{match['zone'].replace('Z', '+00:00')}").tzinfo or zone
        at = datetime(int(match["year"]), int(match["month"] or 1), int(match["day"] or 1), hour, minute, tzinfo=zone)
    except ValueError:
        return None
    return Moment(at, precision)
