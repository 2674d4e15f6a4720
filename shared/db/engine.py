"""Engines, sessions and transactions. One transaction per unit of work, committed at the edge that opened it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import orjson
import sqlalchemy as sa
from psycopg import OperationalError as PsycopgOperationalError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from shared.db import tenancy
from shared.errors import Unavailable
from shared.logs import get_logger

__all__ = ["ApiDatabase", "Database", "Session", "engine_url"]

T = TypeVar("T")

_log = get_logger(__name__)

# Short limits: nothing here may hold a lock across a network call, so anything slow is a fault.
_SERVER_SETTINGS = (
    "-c statement_timeout=30000 -c lock_timeout=10000 -c idle_in_transaction_session_timeout=15000 -c timezone=UTC"
)


def engine_url(url: str) -> str:
    """A libpq URL (`postgresql://`, `postgres://`) in the form that names SQLAlchemy's psycopg 3 driver."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise ValueError("the database URL must start with postgresql://")
    return urlunsplit(parts._replace(scheme="postgresql+psycopg"))


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


def _options(pool_size: int, name: str, *, walls: bool) -> dict[str, Any]:
    return {
        "pool_size": pool_size,
        "max_overflow": 0,
        "pool_timeout": 20,
        "pool_pre_ping": False,
        "pool_recycle": 1800,
        "hide_parameters": True,  # the text of an error may end in a log; what users wrote must not
        "json_serializer": _dumps,
        "json_deserializer": orjson.loads,
        "connect_args": {
            "autocommit": walls,  # the driver would send a BEGIN of its own; ours says whose transaction it is
            "options": _SERVER_SETTINGS,
            "connect_timeout": 5,
            "application_name": name,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
        },
    }


# Whether this login may take the roles of `shared.db.tenancy`, in a database whose walls stand.
_STANDING = f"""
    SELECT count(*) = {len(tenancy.Role)} FROM pg_catalog.pg_roles r
    WHERE r.rolname IN ({", ".join(f"'{role}'" for role in tenancy.Role)})
      AND pg_has_role(current_user, r.oid, 'MEMBER')
      AND EXISTS (SELECT 1 FROM pg_catalog.pg_policy p WHERE p.polname = 'flumes_across')
"""


def _stand_behind_walls(engine: sa.Engine) -> None:
    """Every transaction begins in the role and for the tenant `tenancy` tells, in the message that begins it anyway.

    Where the roles are not there, work goes on as whoever logged in: the queries' own filters are the wall then.
    """

    @sa.event.listens_for(engine, "connect")
    def look(connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(_STANDING)
        record.info["walls"] = bool(cursor.fetchone()[0])
        cursor.close()
        if not record.info["walls"]:
            _log.warning("row_level_security_off", why="the roles it needs are not there; run `flumes migrate`")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        words = tenancy.opening() if connection.info["walls"] else "BEGIN"
        connection.exec_driver_sql(words, execution_options={"no_parameters": True})


class Database:
    """The synchronous side, for workers and commands: a pool sized by concurrent transactions.

    `walls`: each transaction sees what `tenancy` allows, else whatever the role that logs in may see.
    """

    def __init__(self, url: str, *, pool_size: int = 8, name: str = "flumes-worker", walls: bool = False) -> None:
        self.engine = sa.create_engine(engine_url(url), **_options(pool_size, name, walls=walls))
        if walls:
            _stand_behind_walls(self.engine)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One transaction: commits on success, rolls back on any error. Raises `Unavailable` when Postgres is away."""
        try:
            with Session(self.engine, expire_on_commit=False) as session, session.begin():
                yield session
        except _AWAY as error:
            raise _translated(error) from error

    def run(self, work: Callable[[Session], T]) -> T:
        """`work` in one transaction; once more on a new connection where the old one turned out to be dead.

        A transaction that never came to its commit left nothing behind.
        """
        done = False

        def once(session: Session) -> T:
            nonlocal done
            result = work(session)
            done = True
            return result

        try:
            with self.transaction() as session:
                return once(session)
        except Unavailable as error:
            if done or not _is_dead_connection(error):
                raise
        with self.transaction() as session:
            return work(session)

    def close(self) -> None:
        self.engine.dispose()


class ApiDatabase:
    """The asynchronous side, always behind the walls: the same query functions, run with `AsyncSession.run_sync`."""

    def __init__(self, url: str, *, pool_size: int = 10, name: str = "flumes-api", walls: bool = True) -> None:
        """`walls=False` is for measuring what they cost."""
        self.engine: AsyncEngine = create_async_engine(engine_url(url), **_options(pool_size, name, walls=walls))
        if walls:
            _stand_behind_walls(self.engine.sync_engine)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One transaction: commits on success, rolls back on any error. Raises `Unavailable` when Postgres is away."""
        try:
            async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
                yield session
        except _AWAY as error:
            raise _translated(error) from error

    async def run(self, work: Callable[[Session], T]) -> T:
        """`work`, a synchronous query function, in one transaction; once more where a connection proved dead."""
        done = False

        def once(session: Session) -> T:
            nonlocal done
            result = work(session)
            done = True
            return result

        try:
            async with self.transaction() as session:
                return await session.run_sync(once)
        except Unavailable as error:
            if done or not _is_dead_connection(error):
                raise
        async with self.transaction() as session:
            return await session.run_sync(work)

    async def close(self) -> None:
        await self.engine.dispose()


_AWAY = (PoolTimeout, PsycopgOperationalError, DBAPIError)
_AWAY_DETAIL = "the database is not reachable"


_BUSY_STATES = ("55P03", "57014", "40P01")  # lock timeout, statement timeout, deadlock


def _translated(error: Exception) -> Exception:
    """Lost connections, full pools, timeouts and deadlocks; a constraint or a bad statement stays what it is."""
    cause = getattr(error, "orig", None) or error
    if getattr(cause, "sqlstate", None) in _BUSY_STATES:
        return Unavailable("the database did not answer in time", code="database_busy", retry_after=1)
    lost = isinstance(error, (OperationalError, PoolTimeout, PsycopgOperationalError))
    if lost or (isinstance(error, DBAPIError) and error.connection_invalidated):
        return Unavailable(_AWAY_DETAIL, code="database_unavailable", retry_after=1)
    return error


def _is_dead_connection(error: Unavailable) -> bool:
    """Whether a connection of the pool had died, as all do when Postgres restarts; the pool drops the others too."""
    return isinstance(error.__cause__, DBAPIError) and error.__cause__.connection_invalidated
