"""Connections that died in the pool, rows that stay locked: nobody hears of the first or is stuck on the second."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.db import breakers
from shared.db.engine import ApiDatabase, Database
from shared.errors import Unavailable
from tests.factories import change, column
from tests.integration.pipeline_bench import Bench

_END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"


def _one(session: Session) -> int:
    return int(session.execute(sa.text("SELECT 1")).scalar_one())


@pytest.fixture
def pooled(database_url: str) -> Iterator[Database]:
    """A pool of its own, whose connections can be ended by name."""
    database = Database(database_url, pool_size=4, name="flumes-pooled", walls=True)
    yield database
    database.close()


def _end(url: str, name: str) -> None:
    """As a restart of Postgres does it to everybody."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_END, [name])


def test_a_worker_does_not_notice_that_its_connections_died(pooled: Database, database_url: str) -> None:
    """The work is done once more, on a new connection."""
    for _ in range(3):
        assert pooled.run(_one) == 1
        _end(database_url, "flumes-pooled")


def test_no_caller_of_the_api_notices_it_either(database_url: str) -> None:
    """All connections of the pool are dead, every request gets its answer."""

    async def ask() -> None:
        database = ApiDatabase(database_url, pool_size=4, name="flumes-asked")
        try:
            await asyncio.gather(*(database.run(_one) for _ in range(4)))
            await asyncio.to_thread(_end, database_url, "flumes-asked")
            assert await asyncio.gather(*(database.run(_one) for _ in range(8))) == [1] * 8
        finally:
            await database.close()

    asyncio.run(ask())


def test_work_that_loses_its_connection_every_time_is_told(pooled: Database) -> None:
    """Tried twice, then `Unavailable` with a time to wait."""
    tries = []

    def fatal(session: Session) -> None:
        tries.append(1)
        session.execute(sa.text("SET LOCAL ROLE NONE; SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(Unavailable) as caught:
        pooled.run(fatal)
    assert (caught.value.code, caught.value.retry_after, len(tries)) == ("database_unavailable", 1, 2)


def test_a_scope_that_stays_locked_holds_up_one_look_at_most(bench: Bench, database_url: str) -> None:
    """A delete-all has the row for long: the drain ends without a fault, finds the work later, and loses nothing."""
    event_id = bench.post("I live in Rome")
    with psycopg.connect(database_url) as other:
        other.execute("SELECT 1 FROM scopes FOR UPDATE")
        assert bench.drain() == 0
        assert bench.dispatcher._waiting.acquire(blocking=False)  # noqa: SLF001 - somebody else waits already
        assert bench.drain() == 0
        bench.dispatcher._waiting.release()  # noqa: SLF001
        other.rollback()

    assert bench.drain() == 1
    assert bench.results(event_id) == [("ADD", "I live in Rome")]


def test_a_lock_that_is_not_given_has_a_code_of_its_own(pooled: Database, bench: Bench, database_url: str) -> None:
    """Busy, not away: the connection is fine."""
    bench.post("I live in Rome")

    def wait(session: Session) -> None:
        session.execute(sa.text("SET LOCAL ROLE NONE; SET LOCAL lock_timeout = '50ms'"))
        session.execute(sa.text("SELECT 1 FROM scopes FOR UPDATE"))

    with psycopg.connect(database_url) as other:
        other.execute("SELECT 1 FROM scopes FOR UPDATE")
        with pytest.raises(Unavailable) as caught:
            pooled.run(wait)
    assert (caught.value.code, caught.value.retry_after) == ("database_busy", 1)


def test_another_configuration_starts_with_its_breaker_closed(bench: Bench) -> None:
    """What was open for the key or model before says nothing any more; other kinds are left alone."""
    for provider in ("llm:old", "llm:new", "spend:x"):
        bench.db.run(lambda session, name=provider: breakers.fail(session, name, "x", "", seconds=60))  # type: ignore[misc]
    bench.db.run(lambda session: breakers.keep_only(session, "llm", "llm:new"))
    assert column(bench.db, "SELECT provider FROM breakers ORDER BY provider") == ["llm:new", "spend:x"]

    bench.db.run(lambda session: breakers.keep_only(session, "llm", None))
    assert column(bench.db, "SELECT provider FROM breakers") == ["spend:x"]
    change(bench.db, "DELETE FROM breakers")
