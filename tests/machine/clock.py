"""A clock that the machine moves: Postgres' own functions of that name are put in the shade, in one database.

The service takes its time from `clock_timestamp()` inside SQL. A schema in front of `pg_catalog` on the search path
holds functions of the same names that read a row; column defaults, bound when the tables were made, are set again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

_START = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)

_INSTALL = """
    CREATE SCHEMA machine;
    CREATE TABLE machine.clock (now timestamptz NOT NULL);
    INSERT INTO machine.clock VALUES ('2027-01-04 09:00:00+00');
    CREATE FUNCTION machine.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT now FROM machine.clock';
    CREATE FUNCTION machine.statement_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT now FROM machine.clock';
    CREATE FUNCTION machine.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT now FROM machine.clock';
    SET search_path = machine, pg_catalog, public;
    DO $$
    DECLARE made record;
    BEGIN
        FOR made IN SELECT table_name, column_name FROM information_schema.columns
            WHERE table_schema = 'public' AND column_default ~ '(clock_timestamp|now)\\(\\)'
        LOOP
            EXECUTE format('ALTER TABLE public.%I ALTER COLUMN %I SET DEFAULT clock_timestamp()',
                           made.table_name, made.column_name);
        END LOOP;
    END $$;
"""


class Clock:
    """The time of one database, and of `shared.clock` in this process."""

    def __init__(self, database_url: str) -> None:
        """Put the clock into the database, before anything else connects to it."""
        name = sql.Identifier(urlsplit(database_url).path.lstrip("/"))
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(_INSTALL)
            connection.execute(sql.SQL("ALTER DATABASE {} SET search_path = machine, pg_catalog, public").format(name))
        self._connection = psycopg.connect(database_url, autocommit=True)
        self._connection.execute("SET synchronous_commit = off")  # of the clock's hand, of nothing else
        self._now = _START

    def now(self) -> datetime:
        """Stands in for `shared.clock.now`."""
        return self._now

    def advance(self, seconds: float) -> None:
        """From now on everybody reads a later time."""
        self._set(self._now + timedelta(seconds=seconds))

    def reset(self) -> None:
        """Back to the first morning, for the next example."""
        self._set(_START)

    def close(self) -> None:
        self._connection.close()

    def _set(self, moment: datetime) -> None:
        self._now = moment
        self._connection.execute("UPDATE machine.clock SET now = %s", [moment])
