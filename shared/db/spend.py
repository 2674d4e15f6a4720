"""Ceilings on the tokens a project may spend: reserved before a window's calls, settled after them.

A window is let through while what was spent and what others have reserved lie below the ceiling; its reservation is no
less than it can cost. So however many workers ask at once, a project ends at its ceiling and at most one window.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.db import projects, usage
from shared.model.record import Usage

PREFIX = "spend:"  # of the breakers that keep projects from being claimed
CODE = "spend_ceiling"
_SOON = 1.0  # seconds until a window may ask again when only reservations are in its way


@dataclass(frozen=True, slots=True)
class Ceilings:
    """Tokens (prompt, completion and embedding) of a UTC day and month; 0 = no ceiling."""

    day: int = 0
    month: int = 0

    def __bool__(self) -> bool:
        return self.day > 0 or self.month > 0

    @classmethod
    def of(cls, settings: Mapping[str, Any], defaults: Ceilings) -> Ceilings:
        """A project's own values where it has any; its own 0 lifts the default."""
        return cls(
            int(settings.get("tokens_per_day", defaults.day)), int(settings.get("tokens_per_month", defaults.month))
        )


@dataclass(frozen=True, slots=True)
class Spent:
    """Tokens of this UTC day and month; `reserved`: by windows in work. Seconds until the periods end."""

    day: int
    month: int
    reserved: int
    day_left: float
    month_left: float

    def pause(self, ceilings: Ceilings) -> float:
        """Seconds until a ceiling that was reached lets work through again; 0 = none was."""
        over_day = ceilings.day > 0 and self.day >= ceilings.day
        over_month = ceilings.month > 0 and self.month >= ceilings.month
        return max(self.day_left if over_day else 0.0, self.month_left if over_month else 0.0)

    def full(self, ceilings: Ceilings) -> bool:
        """Whether reservations leave no room below a ceiling."""
        return (0 < ceilings.day <= self.day + self.reserved) or (0 < ceilings.month <= self.month + self.reserved)


# A reservation that outlived its attempt belongs to a dead worker; its calls may have been made, so it counts as spent
# in the period it was made in.
_SPENT = sa.text(
    """
    WITH now AS (SELECT clock_timestamp() AS at, date_trunc('day', clock_timestamp(), 'UTC') AS day,
                        date_trunc('month', clock_timestamp(), 'UTC') AS month),
    used AS (
        SELECT coalesce(sum(t.tokens) FILTER (WHERE u.day = (now.day AT TIME ZONE 'UTC')::date), 0) AS day,
               coalesce(sum(t.tokens), 0) AS month
        FROM now CROSS JOIN project_usage u
        CROSS JOIN LATERAL (SELECT u.prompt_tokens + u.completion_tokens + u.embedding_tokens AS tokens) t
        WHERE u.project_id = :p AND u.day >= (now.month AT TIME ZONE 'UTC')::date
    ), held AS (
        SELECT coalesce(sum(r.tokens) FILTER (WHERE r.at >= d.since), 0) AS live,
               coalesce(sum(r.tokens) FILTER (WHERE r.at < d.since AND r.at >= now.day), 0) AS dead_day,
               coalesce(sum(r.tokens) FILTER (WHERE r.at < d.since AND r.at >= now.month), 0) AS dead_month
        FROM now CROSS JOIN LATERAL (SELECT now.at - make_interval(secs => :lapse) AS since) d
        CROSS JOIN spend_reservations r WHERE r.project_id = :p AND r.id <> :own
    )
    SELECT used.day + held.dead_day AS day, used.month + held.dead_month AS month, held.live AS reserved,
           extract(epoch FROM now.day + interval '1 day' - now.at)::float8 AS day_left,
           extract(epoch FROM now.month + interval '1 month' - now.at)::float8 AS month_left
    FROM now, used, held
    """
)
_NONE = UUID(int=0)


def spent(session: Session, project_id: UUID, *, lapse: float, own: UUID = _NONE) -> Spent:
    """What a project has spent; `lapse`: seconds after which a reservation's worker is dead. `own` does not count."""
    row = session.execute(_SPENT, {"p": project_id, "lapse": lapse, "own": own}).one()
    return Spent(int(row.day), int(row.month), int(row.reserved), row.day_left, row.month_left)


def reserve(
    session: Session, project_id: UUID, reservation: UUID, tokens: int, defaults: Ceilings, *, lapse: float
) -> float:
    """Hold up to `tokens` for one window: 0.0, or the seconds it must wait. Nothing is held without a ceiling.

    When a ceiling is reached the whole project is kept from being claimed until the period ends.
    """
    project = projects.get(session, project_id)
    ceilings = Ceilings.of(project.settings if project else {}, defaults)
    if not ceilings:
        return 0.0
    # One window of a project at a time: what it sees is what it adds to.
    session.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": _name(project_id)})
    found = spent(session, project_id, lapse=lapse, own=reservation)
    wait = found.pause(ceilings)
    if wait > 0:
        _pause(session, project_id, wait)
        return wait
    if found.full(ceilings):
        return _SOON
    session.execute(
        sa.text(
            "INSERT INTO spend_reservations (project_id, id, tokens) VALUES (:p, :id, :tokens)"
            " ON CONFLICT (project_id, id) DO UPDATE SET tokens = excluded.tokens, at = clock_timestamp()"
        ),
        {"p": project_id, "id": reservation, "tokens": tokens},
    )
    return 0.0


def settle(session: Session, project_id: UUID, reservation: UUID, unpaid: Usage) -> None:
    """The window is over: what it cost beyond what its commit wrote down, and its reservation back."""
    session.execute(
        sa.text("DELETE FROM spend_reservations WHERE project_id = :p AND id = :id"),
        {"p": project_id, "id": reservation},
    )
    usage.add(session, project_id, unpaid)


def set_ceilings(session: Session, project_id: UUID, day: int | None, month: int | None) -> None:
    """A project's own ceilings; None: the service's default. Work that waits is looked at again at once."""
    projects.change(session, project_id, {"tokens_per_day": day, "tokens_per_month": month})
    session.execute(sa.text("DELETE FROM breakers WHERE provider = :name"), {"name": _name(project_id)})
    for lane in ("live", "bulk"):
        session.execute(
            sa.text(
                f"UPDATE scopes SET available_{lane} = clock_timestamp() WHERE project_id = :p"
                f" AND pending_{lane} > 0 AND available_{lane} > clock_timestamp()"
            ),
            {"p": project_id},
        )


def look_again(session: Session) -> None:
    """Forget who is at a ceiling: the defaults may have been changed. The next window of each finds out."""
    session.execute(sa.text("DELETE FROM breakers WHERE provider LIKE :names"), {"names": f"{PREFIX}%"})


def paused(session: Session) -> dict[UUID, float]:
    """Projects that are at a ceiling, with the seconds until their period ends."""
    rows = session.execute(
        sa.text(
            "SELECT provider, extract(epoch FROM open_until - clock_timestamp())::float8 AS wait FROM breakers"
            " WHERE provider LIKE :names AND open_until > clock_timestamp()"
        ),
        {"names": f"{PREFIX}%"},
    )
    return {UUID(row.provider.removeprefix(PREFIX)): row.wait for row in rows}


def _pause(session: Session, project_id: UUID, seconds: float) -> None:
    session.execute(
        sa.text(
            """
            INSERT INTO breakers (provider, code, detail, failures, open_until)
            VALUES (:name, :code, 'the project has reached its ceiling', 0,
                    clock_timestamp() + make_interval(secs => :seconds))
            ON CONFLICT (provider) DO UPDATE SET open_until = excluded.open_until
            """
        ),
        {"name": _name(project_id), "code": CODE, "seconds": seconds},
    )


def _name(project_id: UUID) -> str:
    return f"{PREFIX}{project_id}"
