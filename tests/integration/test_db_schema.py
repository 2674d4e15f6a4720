"""The migrations make what the tables say, as often and from as many processes as they are run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from shared.db import migrate
from shared.db.engine import Database, engine_url
from shared.db.tables import metadata
from shared.errors import Unavailable
from tests.factories import column

ROOT = Path(__file__).parents[2]


def test_migrations_make_the_tables(db: Database) -> None:
    """No difference in tables, columns, types, defaults, indexes or constraints."""
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})

        assert compare_metadata(context, metadata) == []


def test_every_key_begins_with_the_project(db: Database) -> None:
    """What belongs to a tenant is found through it: the first column of every primary and foreign key."""
    foreign = {"projects", "breakers", "capabilities", "index_queue", "index_collections"}
    for table in metadata.sorted_tables:
        if table.name in foreign:
            continue
        assert next(iter(table.primary_key.columns)).name == "project_id", table.name
        for constraint in table.foreign_key_constraints:
            assert constraint.column_keys[0] == "project_id", constraint.name


def test_migrating_twice_and_at_once_is_harmless(empty_database_url: str) -> None:
    """Three processes that boot together: one migrates, the others find it done."""
    program = "import sys; from shared.db import migrate; migrate.upgrade(sys.argv[1])"
    booting = [subprocess.Popen([sys.executable, "-c", program, empty_database_url], cwd=ROOT) for _ in range(3)]

    assert [process.wait(timeout=60) for process in booting] == [0, 0, 0]
    migrate.upgrade(empty_database_url)

    engine = sa.create_engine(engine_url(empty_database_url), poolclass=sa.NullPool)
    with engine.connect() as connection:
        assert migrate.current(connection) == migrate.head()
    engine.dispose()


def test_an_empty_database_has_no_revision(empty_database_url: str) -> None:
    """So that a boot can say what is missing."""
    engine = sa.create_engine(engine_url(empty_database_url), poolclass=sa.NullPool)
    with engine.connect() as connection:
        assert migrate.current(connection) is None
    engine.dispose()


@pytest.mark.parametrize("url", ["postgresql://h/d", "postgres://h/d", "postgresql+psycopg://h/d"])
def test_any_spelling_of_a_postgres_url_will_do(url: str) -> None:
    """All name the same driver; something else is refused."""
    assert engine_url(url) == "postgresql+psycopg://h/d"
    with pytest.raises(ValueError, match="must start with postgresql"):
        engine_url("mysql://h/d")


def test_a_database_that_is_away_is_unavailable() -> None:
    """An error of its own, that callers may retry."""
    away = Database("postgresql://postgres@/x?host=/nonexistent&port=1", pool_size=1)

    with pytest.raises(Unavailable) as caught:
        away.run(lambda session: session.execute(sa.text("SELECT 1")))

    assert (caught.value.code, caught.value.retryable) == ("database_unavailable", True)
    away.close()


def test_a_mistake_in_a_query_is_not_taken_for_an_outage(db: Database) -> None:
    """It stays what it is and is not retried."""
    with pytest.raises(sa.exc.ProgrammingError):
        db.run(lambda session: session.execute(sa.text("SELECT nonsense FROM nowhere")))


def test_counts_add_up_key_by_key(db: Database) -> None:
    """The function behind rejections and usage."""
    assert column(db, """SELECT flumes_add_counts('{"a": 1, "b": 2}', '{"b": 3, "c": 4}')""") == [
        {"a": 1, "b": 5, "c": 4}
    ]
    assert column(db, "SELECT flumes_add_counts('{}', '{}')") == [{}]
