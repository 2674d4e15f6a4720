"""Tokens by project and day."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from shared.db import projects, usage
from shared.db.engine import Database
from shared.model.record import Usage


def test_parallel_windows_add_up_by_project(database_url: str) -> None:
    """Nothing is lost between commits at once; projects are kept apart; free work writes nothing."""
    database = Database(database_url, pool_size=8)
    try:
        ours = database.run(lambda session: projects.ensure(session, "ours"))
        other = database.run(lambda session: projects.ensure(session, "other"))
        cost = Usage(calls=1, prompt_tokens=100, completion_tokens=20)
        with ThreadPoolExecutor(8) as pool:
            for _ in pool.map(lambda _: database.run(lambda s: usage.add(s, ours.id, cost)), range(40)):
                pass
        database.run(lambda session: usage.add(session, other.id, cost))
        database.run(lambda session: usage.add(session, other.id, Usage()))

        spent = {row.project: row.usage for row in database.run(lambda session: usage.by_day(session, 1))}

        assert spent == {"ours": Usage(40, 4_000, 800), "other": cost}
        assert [row.project for row in database.run(lambda session: usage.by_day(session, 1, "ours"))] == ["ours"]
    finally:
        database.close()
