"""Fixtures of the integration tier."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.api_support import LiveApi
from tests.integration.db_fixtures import bench, db, make_bench, project_id  # noqa: F401 - for db and pipeline tests
from tests.integration.hand_worker import HandIndexer, HandWorker
from tests.stack import Stack


@pytest.fixture(scope="module")
def live(stack: Stack, request: pytest.FixtureRequest) -> Iterator[LiveApi]:
    """An API process for the module; its `SETTINGS` are the process's settings."""
    running = LiveApi(stack, **getattr(request.module, "SETTINGS", {}))
    yield running
    running.close()


@pytest.fixture
def worker(live: LiveApi, redis_url: str) -> Iterator[HandWorker]:
    """A worker moved by the test, with wake-ups."""
    with HandWorker(live.service.database_url, redis_url) as made:
        made.sweep()
        yield made


@pytest.fixture
def indexer(live: LiveApi, qdrant_url: str) -> Iterator[HandIndexer]:
    """Applies the index queue when the test says so."""
    made = HandIndexer(live.db, qdrant_url)
    yield made
    made.close()
