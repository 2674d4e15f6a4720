"""Give the space of deleted rows back, so that what was erased is not left in the files of the tables either."""

from __future__ import annotations

import sqlalchemy as sa

from shared.db.engine import Database
from shared.errors import Forbidden

_LOCK_TIMEOUT = "60s"  # each table is locked while it is written anew

# A VACUUM of somebody else's table is skipped with a warning that nobody would see.
_TABLES = sa.text(
    """
    SELECT quote_ident(tablename) AS name, pg_has_role(current_user, tableowner, 'USAGE') AS ours
    FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename
    """
)


def compact(database: Database) -> int:
    """Write every table anew and its pages to disk; how many tables. Callers wait meanwhile, table by table.

    The write-ahead log keeps older pages until Postgres recycles its segments; backups keep what they have. Raises
    `Forbidden` unless the database's login owns the tables.
    """
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("SET statement_timeout = 0"))
        connection.execute(sa.text(f"SET lock_timeout = '{_LOCK_TIMEOUT}'"))
        rows = connection.execute(_TABLES).all()
        if not all(row.ours for row in rows):
            raise Forbidden("only the owner of the tables may write them anew", code="not_the_owner")
        tables = [row.name for row in rows]
        for name in tables:
            connection.execute(sa.text(f"VACUUM (FULL, ANALYZE) {name}"))
        connection.execute(sa.text("CHECKPOINT"))
        connection.execute(sa.text("RESET ALL"))
    return len(tables)
