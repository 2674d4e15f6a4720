"""Alembic's entry: one migration at a time, under an advisory lock and with short timeouts."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, text

from shared.db.tables import metadata

# Any constant: all processes that migrate the same database must use the same one.
_ADVISORY_LOCK = 7_262_819_044


def run(connection: Connection) -> None:
    """Run the pending migrations on a connection given by `shared.db.migrate`."""
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
    connection.execute(text("SET lock_timeout = '4s'"))
    connection.execute(text("SET statement_timeout = '30s'"))
    connection.commit()
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
    try:
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _ADVISORY_LOCK})
        connection.commit()


run(context.config.attributes["connection"])
