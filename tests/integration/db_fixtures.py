"""An empty database and a project in it, for tests that call the queries and the pipeline directly."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from shared.db.engine import Database
from tests import factories


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
