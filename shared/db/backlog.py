"""How much work waits, in all and by project: what admission and the gauges look at each second."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Backlog:
    """Messages not yet applied (by lane, by project), their bytes, and the age of the oldest due live event."""

    live: int = 0
    bulk: int = 0
    size: int = 0
    oldest: float = 0.0
    by_project: dict[UUID, int] = field(default_factory=dict)

    @property
    def messages(self) -> int:
        return self.live + self.bulk


_PENDING = sa.text(
    """
    SELECT project_id, sum(pending_live)::bigint AS live, sum(pending_bulk)::bigint AS bulk,
           sum(pending_bytes)::bigint AS size
    FROM scopes WHERE pending_live > 0 OR pending_bulk > 0 GROUP BY project_id
    """
)

_OLDEST = sa.text(
    """
    SELECT extract(epoch FROM clock_timestamp() - accepted_at)::float8 FROM events
    WHERE status IN ('PENDING','RUNNING') AND lane = 'live'
      AND (available_at IS NULL OR available_at <= clock_timestamp())
    ORDER BY accepted_at LIMIT 1
    """
)


def read(session: Session) -> Backlog:
    """The totals now; reads only rows with pending work."""
    rows = session.execute(_PENDING).all()
    oldest = session.execute(_OLDEST).scalar_one_or_none()
    return Backlog(
        sum(row.live for row in rows), sum(row.bulk for row in rows), sum(row.size for row in rows),
        max(0.0, oldest or 0.0), {row.project_id: row.live + row.bulk for row in rows},
    )  # fmt: skip
