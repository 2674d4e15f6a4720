"""Times and zones as callers write them: ISO 8601 or epoch seconds, IANA names.

Nothing was said in the future: a stamp up to a day ahead comes from a clock that runs fast, or from a local time sent
without its offset.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.errors import BadRequest

_NUMBER = re.compile(r"-?\d{9,}(\.\d+)?")
_ZONE = re.compile(r"[A-Za-z0-9_+\-/]{1,64}")
_OLDEST = datetime(1900, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=1)
_WIDEST = timedelta(hours=15, minutes=59)  # what Postgres takes
_MINUTE = timedelta(minutes=1)


def zone_of(name: str, field: str = "timezone") -> ZoneInfo:
    """The zone of an IANA name. Raises `BadRequest` naming the field."""
    try:
        if _ZONE.fullmatch(name):
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise BadRequest(f"{field} must be an IANA name such as Europe/Rome", field=field)


def moment_of(value: object, field: str, zone: str | None, now: datetime) -> datetime:
    """An aware datetime with the caller's own offset; naive stamps and epoch seconds take the zone's (else UTC).

    One that lies ahead counts as now, by a clock on the wall that shows what it says.
    Raises `BadRequest` naming the field when it is no time, before 1900, or more than a day ahead of `now`.
    """
    try:
        moment = _parsed(value, zone)
        early, late = moment < _OLDEST, moment - now > AHEAD
    except (ValueError, OverflowError, OSError):
        raise BadRequest(f"{field} must be ISO 8601 or seconds since 1970", field=field) from None
    if abs(moment.utcoffset() or timedelta(0)) > _WIDEST:
        raise BadRequest(f"{field} has an offset nobody lives in", field=field)
    if early:
        raise BadRequest(f"{field} lies before 1900", field=field)
    if late:
        raise BadRequest(f"{field} lies more than a day ahead (milliseconds? seconds are expected)", field=field)
    return moment if moment <= now else _now_by_its_clock(moment, now)


def _now_by_its_clock(ahead: datetime, now: datetime) -> datetime:
    """`now`, in the offset where the date and time of `ahead` are read off the wall, as far as anybody lives there."""
    offset = min((ahead.utcoffset() or timedelta(0)) + (ahead - now), _WIDEST)
    return now.astimezone(timezone(timedelta(minutes=offset // _MINUTE)))


def _parsed(value: object, zone: str | None) -> datetime:
    tz = ZoneInfo(zone) if zone else UTC
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        moment = datetime.fromisoformat(value.strip())
        return moment if moment.tzinfo else moment.replace(tzinfo=tz)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("neither text nor number")  # noqa: TRY004 - one except for all bad times
    seconds = float(value)
    if seconds > 253_402_300_799:  # year 9999: surely milliseconds or worse, so far ahead
        return datetime.max.replace(tzinfo=UTC) - AHEAD
    return datetime.fromtimestamp(seconds, tz)
