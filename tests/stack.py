"""The real parts on a temporary folder, for tests: Postgres, Valkey, the vector engine, on request API and workers.

Each part starts at first use and can be killed and started again by a test. Nothing of the caller's environment that
names a service reaches them.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from itertools import count
from typing import TypeVar, cast
from urllib.parse import urlsplit

import httpx
import psycopg
import redis
from psycopg import sql

from cli.embedded import environment
from cli.embedded.api import Api
from cli.embedded.engine import VectorEngine
from cli.embedded.listener import listen
from cli.embedded.part import Part, wait_ready
from cli.embedded.postgres import Postgres
from cli.embedded.temporary import TemporaryDataDir
from cli.embedded.valkey import Valkey
from cli.embedded.worker import Worker

PEPPER = "pepper-of-the-tests"
QDRANT_KEY = "qdrant-key-of-the-tests"
_TEMPLATE = "flumes_template"

T = TypeVar("T")
P = TypeVar("P", bound=Part)
R = TypeVar("R", Api, Worker)


def wait_until(predicate: Callable[[], T], description: str, timeout: float = 15.0) -> T:
    """The first truthy answer of `predicate`. Raises AssertionError with the description after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        answer = predicate()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {description} (last answer: {answer!r})")
        time.sleep(0.02)


def crash(part: Part) -> None:
    """SIGKILL it and reap it; `part.start()` or `revive` brings it back on the same address and data."""
    assert part.child is not None, f"{part.name} does not run"
    os.kill(part.child.pid, signal.SIGKILL)
    part.child.kill()


def revive(part: Part) -> None:
    """Start a crashed part and wait until it serves."""
    part.start()
    wait_ready(part)


class Stack:
    """One of each part, shared by the tests of a session; databases are cheap and made per module or test."""

    def __init__(self) -> None:
        self.home = TemporaryDataDir("test")
        self._parts: dict[str, Part] = {}
        self._numbers = count(1)
        self._has_template = False

    @property
    def postgres(self) -> Postgres:
        """Running; `postgres.url` is the maintenance database."""
        return self._running("postgres", lambda: Postgres(self.home.layout, database="postgres"))

    @property
    def valkey(self) -> Valkey:
        """Running."""
        return self._running("valkey", lambda: Valkey(self.home.layout))

    @property
    def engine(self) -> VectorEngine:
        """Running, behind `QDRANT_KEY`."""
        return self._running("engine", lambda: VectorEngine(self.home.layout, api_key=QDRANT_KEY))

    def new_database(self, *, migrated: bool = True) -> str:
        """The URL of a new database, with all tables or with none."""
        template = self._template() if migrated else "template0"
        name = f"test_{next(self._numbers)}"
        self._create(name, template)
        return self.postgres.url_of(name)

    def drop_database(self, url: str) -> None:
        """Drop it, connections or not."""
        name = sql.Identifier(urlsplit(url).path.lstrip("/"))
        self._admin(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def environment(self, database_url: str, **settings: object) -> dict[str, str]:
        """The whole environment of an API or worker process; `llm_model="m"` becomes FLUMES_LLM_MODEL.

        Names in capitals (`OPENAI_API_KEY=…`) stay as they are.
        """
        given = {name if name.isupper() else f"FLUMES_{name.upper()}": str(value) for name, value in settings.items()}
        services = {
            "FLUMES_DATABASE_URL": database_url,
            "FLUMES_REDIS_URL": self.valkey.url,
            "FLUMES_QDRANT_URL": self.engine.url,
            "FLUMES_QDRANT_API_KEY": QDRANT_KEY,
            "FLUMES_KEY_PEPPER": PEPPER,
            "FLUMES_LOG_FORMAT": "json",
        }
        clean = environment.isolated(os.environ)
        return environment.program(clean, own_database=True, extra={**services, **given})

    def close(self) -> None:
        """Stop what runs, last started first, and remove the folder."""
        for part in reversed(self._parts.values()):
            part.stop()
        self._parts.clear()
        self.home.close()

    def _running(self, name: str, make: Callable[[], P]) -> P:
        part = self._parts.get(name)
        if part is None:
            part = self._parts[name] = make()
            revive(part)
        return cast("P", part)  # the name fixes the type

    def _template(self) -> str:
        if not self._has_template:
            from shared.db import migrate

            self._create(_TEMPLATE, "template0")
            migrate.upgrade(self.postgres.url_of(_TEMPLATE))
            self._has_template = True
        return _TEMPLATE

    def _create(self, name: str, template: str) -> None:
        words = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        self._admin(words)

    def _admin(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            connection.execute(statement)


def empty_tables(database_url: str) -> None:
    """Delete every row of every table but the migration's own: milliseconds, where TRUNCATE syncs a file a table."""
    with psycopg.connect(database_url) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")  # foreign keys in any order
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        ).fetchall()
        deletes = [sql.SQL("DELETE FROM {}").format(sql.Identifier(name)) for (name,) in tables]
        connection.execute(sql.SQL("; ").join(deletes) if deletes else sql.SQL("SELECT 1"))


def flush_redis(redis_url: str) -> None:
    """Forget every bell and wake-up."""
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()


def drop_collections(qdrant_url: str) -> None:
    """Delete every collection of the engine."""
    with httpx.Client(base_url=qdrant_url, headers={"api-key": QDRANT_KEY}, trust_env=False) as client:
        found = client.get("/collections").raise_for_status().json()["result"]["collections"]
        for collection in found:
            client.delete(f"/collections/{collection['name']}").raise_for_status()


class Service:
    """A database of its own plus the API and worker processes one test starts on it."""

    def __init__(self, stack: Stack) -> None:
        """The shared Valkey and engine are emptied: one `Service` at a time."""
        self.stack = stack
        flush_redis(stack.valkey.url)
        drop_collections(stack.engine.url)
        self.database_url = stack.new_database()
        self._parts: list[Api | Worker] = []
        self._listeners: list[socket.socket] = []

    def start_api(self, **settings: object) -> Api:
        """A ready API process on a free port."""
        listener = listen("127.0.0.1", 0)
        self._listeners.append(listener)
        env = self.stack.environment(self.database_url, **settings)
        return self._start(Api(listener, env, self.stack.home.layout.logs, name=self._name("api")))

    def start_worker(self, **settings: object) -> Worker:
        """A ready worker process; `slots` and `grace` among the settings also shape how it is started and stopped."""
        env = self.stack.environment(self.database_url, **settings)
        slots, grace = int(env.get("FLUMES_SLOTS", "32")), float(env.get("FLUMES_GRACE", "25"))
        return self._start(Worker(self.stack.home.layout, env, slots=slots, grace=grace, name=self._name("worker")))

    def close(self) -> None:
        """Kill the processes (tests that want an orderly end stop them themselves) and drop the database."""
        for part in reversed(self._parts):
            if part.child is not None:
                part.child.kill()
        for listener in self._listeners:
            listener.close()
        self.stack.drop_database(self.database_url)

    def _start(self, part: R) -> R:
        self._parts.append(part)
        revive(part)
        return part

    def _name(self, kind: str) -> str:
        return f"{kind}-{len(self._parts) + 1}-{urlsplit(self.database_url).path.lstrip('/')}"
