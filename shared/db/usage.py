"""What each project spent at the providers, by day: written in the commit that used it, so that nothing is missed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.model.record import Usage

_SHARDS = 8  # rows a day, so that parallel commits of one project seldom wait for the same row

_ADD = sa.text(
    """
    INSERT INTO project_usage AS u (project_id, day, shard, calls, prompt_tokens, completion_tokens, cached_tokens,
                                    embedding_calls, embedding_tokens)
    VALUES (:project_id, (clock_timestamp() AT TIME ZONE 'UTC')::date, :shard, :calls, :prompt_tokens,
            :completion_tokens, :cached_tokens, :embedding_calls, :embedding_tokens)
    ON CONFLICT (project_id, day, shard) DO UPDATE SET
        calls = u.calls + excluded.calls, prompt_tokens = u.prompt_tokens + excluded.prompt_tokens,
        completion_tokens = u.completion_tokens + excluded.completion_tokens,
        cached_tokens = u.cached_tokens + excluded.cached_tokens,
        embedding_calls = u.embedding_calls + excluded.embedding_calls,
        embedding_tokens = u.embedding_tokens + excluded.embedding_tokens
    """
)


def add(session: Session, project_id: UUID, usage: Usage) -> None:
    """Add one window's cost to today; the last statement of its transaction, for the row is shared."""
    if usage == Usage():
        return
    session.execute(_ADD, {"project_id": project_id, "shard": random.randrange(_SHARDS), **usage.as_dict()})


@dataclass(frozen=True, slots=True)
class Spent:
    """A project's cost of one day (UTC)."""

    project: str
    day: date
    usage: Usage


def by_day(session: Session, days: int, project: str | None = None) -> list[Spent]:
    """The last `days` days of all projects (or the named one), newest first."""
    rows = session.execute(
        sa.text(
            """
            SELECT p.name, u.day, sum(u.calls)::bigint AS calls, sum(u.prompt_tokens)::bigint AS prompt_tokens,
                   sum(u.completion_tokens)::bigint AS completion_tokens,
                   sum(u.cached_tokens)::bigint AS cached_tokens, sum(u.embedding_calls)::bigint AS embedding_calls,
                   sum(u.embedding_tokens)::bigint AS embedding_tokens
            FROM project_usage u JOIN projects p ON p.id = u.project_id
            WHERE u.day > (clock_timestamp() AT TIME ZONE 'UTC')::date - :days
              AND (CAST(:project AS text) IS NULL OR p.name = :project)
            GROUP BY p.name, u.day ORDER BY u.day DESC, p.name
            """
        ),
        {"days": days, "project": project},
    )
    names = Usage.__slots__
    return [Spent(row.name, row.day, Usage(*(getattr(row, name) for name in names))) for row in rows]
