"""Dependencies that asked to be left alone: while a breaker is open no worker calls that provider."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.errors import Snooze

PAUSING_CODES = ("provider_auth", "quota_exhausted", "model_not_found")
_VISIBLE_PAUSE = 300.0  # a bad key or an empty account is looked at again this often, in seconds


@dataclass(frozen=True, slots=True)
class Breaker:
    """An open breaker and why."""

    provider: str
    code: str
    detail: str
    failures: int
    open_until: datetime
    wait: float  # seconds until it closes by itself


def fail(session: Session, provider: str, code: str, detail: str, *, seconds: float | None) -> None:
    """A call failed. `seconds`: the provider asked to be left alone that long; None: only the third failure in a row
    opens the breaker, for 1 s, then 2 s, up to a minute. Never shortens an earlier pause; while one lasts, what fails
    was under way when it began and counts for nothing.
    """
    session.execute(
        sa.text(
            """
            INSERT INTO breakers AS b (provider, code, detail, failures, open_until)
            VALUES (:provider, :code, :detail, 1,
                    clock_timestamp() + make_interval(secs => coalesce(CAST(:seconds AS float8), 0)))
            ON CONFLICT (provider) DO UPDATE SET code = excluded.code, detail = excluded.detail,
                failures = b.failures + CASE WHEN b.open_until > clock_timestamp() THEN 0 ELSE 1 END,
                open_until = greatest(b.open_until, clock_timestamp() + make_interval(secs => coalesce(
                    CAST(:seconds AS float8),
                    CASE WHEN b.failures < 2 OR b.open_until > clock_timestamp() THEN 0
                         ELSE least(60, power(2, least(b.failures - 2, 6))) END)))
            """
        ),
        {"provider": provider, "code": code, "detail": detail, "seconds": seconds},
    )


def trip(session: Session, provider: str, error: Snooze) -> None:
    """A call failed with this: as long as the provider asked for, five minutes where only an operator can help."""
    seconds = error.retry_after
    if seconds is None and error.code in PAUSING_CODES:
        seconds = _VISIBLE_PAUSE
    fail(session, provider, error.code, error.detail, seconds=seconds)


def reset(session: Session, provider: str) -> None:
    """The provider answered: forget its failures."""
    session.execute(sa.text("DELETE FROM breakers WHERE provider = :provider"), {"provider": provider})


def keep_only(session: Session, kind: str, provider: str | None) -> None:
    """Another key, server or model was configured: what was open for the ones before says nothing any more."""
    session.execute(
        sa.text("DELETE FROM breakers WHERE starts_with(provider, :kind) AND provider IS DISTINCT FROM :provider"),
        {"kind": f"{kind}:", "provider": provider},
    )


def listing(session: Session, *, only_open: bool = True) -> list[Breaker]:
    """Breakers, open ones only unless asked."""
    where = "WHERE open_until > clock_timestamp()" if only_open else ""
    rows = session.execute(
        sa.text(
            "SELECT provider, code, detail, failures, open_until,"
            " greatest(0, extract(epoch FROM open_until - clock_timestamp()))::float8 AS wait"
            f" FROM breakers {where} ORDER BY provider"
        )
    )
    return [Breaker(**row._mapping) for row in rows]
