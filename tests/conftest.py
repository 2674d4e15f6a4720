"""Fixtures every tier may use. A test names the parts it needs; only those are started, once a session."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from cli.embedded import environment

if TYPE_CHECKING:
    from tests.stack import Service, Stack

_clean = environment.isolated(os.environ)
for _name in set(os.environ) - set(_clean):  # before any settings are read: a caller's key or database is never used
    del os.environ[_name]


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The parts of this test process, stopped and removed at its end."""
    from tests.stack import Stack

    parts = Stack()
    yield parts
    parts.close()


@pytest.fixture(scope="session")
def postgres_url(stack: Stack) -> str:
    """The cluster's maintenance database; tables belong into `database_url`."""
    return stack.postgres.url


@pytest.fixture(scope="session")
def redis_url(stack: Stack) -> str:
    """The Valkey of the session, in redis-py's form."""
    return stack.valkey.url


@pytest.fixture(scope="session")
def qdrant_url(stack: Stack) -> str:
    """The vector engine of the session; its key is `tests.stack.QDRANT_KEY`."""
    return stack.engine.url


@pytest.fixture(scope="module")
def _module_database(stack: Stack) -> Iterator[str]:
    url = stack.new_database()
    yield url
    stack.drop_database(url)


@pytest.fixture
def database_url(_module_database: str) -> str:
    """A migrated database of the test module, emptied before each test."""
    from tests.stack import empty_tables

    empty_tables(_module_database)
    return _module_database


@pytest.fixture
def empty_database_url(stack: Stack) -> Iterator[str]:
    """A new database without tables."""
    url = stack.new_database(migrated=False)
    yield url
    stack.drop_database(url)


@pytest.fixture
def service(stack: Stack) -> Iterator[Service]:
    """A database of its own, empty Valkey and engine, and `start_api`, `start_worker` for real processes on them."""
    from tests.stack import Service

    running = Service(stack)
    yield running
    running.close()
