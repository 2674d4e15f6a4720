"""A migration never waits for ever: neither for a lock, with all callers queued behind it, nor for its own work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from shared.db import migrate


@contextmanager
def watched() -> Iterator[list[tuple[str, str]]]:
    """(lock_timeout, statement_timeout) as they stand before each statement that changes the schema."""
    seen: list[tuple[str, str]] = []

    def look(connection: sa.Connection, _cursor: object, statement: str, *_: Any) -> None:
        if statement.lstrip().upper().startswith(("CREATE", "ALTER")) and "alembic_version" not in statement:
            with closing(connection.connection.cursor()) as cursor:
                cursor.execute("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")
                seen.extend(cursor.fetchall())

    sa.event.listen(sa.Engine, "before_cursor_execute", look)
    try:
        yield seen
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", look)


def test_every_change_is_made_under_both_timeouts(empty_database_url: str) -> None:
    """Whatever a migration forgets to set, its runner has set."""
    with watched() as seen:
        migrate.upgrade(empty_database_url)

    assert len(seen) > 20
    assert [pair for pair in seen if "0" in pair] == []


def test_a_migration_gives_up_on_a_lock(empty_database_url: str) -> None:
    """A table that somebody holds: the migration ends with an error, and succeeds when it is run again."""
    with psycopg.connect(empty_database_url) as holder:
        holder.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        holder.commit()
        holder.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(OperationalError, match="lock timeout"):
            migrate.upgrade(empty_database_url)
        holder.rollback()

    migrate.upgrade(empty_database_url)
