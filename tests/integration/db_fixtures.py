"""An empty database and a project in it, for tests that call the queries and the pipeline directly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from shared.db.engine import Database
from tests import factories

if TYPE_CHECKING:
    from tests.integration.pipeline_bench import Bench


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """An empty, migrated database with room for many threads."""
    database = Database(database_url, pool_size=32, name="flumes-test")
    yield database
    database.close()


@pytest.fixture
def project_id(db: Database) -> UUID:
    """A project without settings."""
    return factories.project(db).id


@pytest.fixture
def make_bench(db: Database, project_id: UUID, qdrant_url: str, redis_url: str) -> Iterator[Callable[..., Bench]]:
    """Makes benches on an empty engine: `make_bench(embedder=…, window_messages=…)`."""
    from shared.db import tenancy
    from tests.integration.pipeline_bench import Bench
    from tests.stack import drop_collections

    drop_collections(qdrant_url)
    made: list[Bench] = []

    def make(**options: Any) -> Bench:
        bench = Bench(db, project_id, **({"qdrant_url": qdrant_url, "redis_url": redis_url} | options))
        made.append(bench)
        return bench

    with tenancy.tenant(project_id):  # for tests that call a single stage
        yield make
    for bench in made:
        bench.close()


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    """A worker's parts with an extractor that follows a script."""
    return make_bench()
