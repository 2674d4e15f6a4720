"""Bring a database to the present schema; safe to run from several processes at once."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from shared.db import walls
from shared.db.engine import engine_url

ADVISORY_LOCK = 7_262_819_045  # not the migrations' own: that is held on another connection

_FOLDER = Path(__file__).parent / "migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def upgrade(database_url: str, runtime_url: str | None = None) -> None:
    """Run all pending migrations, then raise the walls for the role that `runtime_url` names (None: the same)."""
    config = _config()
    engine = sa.create_engine(engine_url(database_url), poolclass=sa.NullPool)
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            _raise_walls(connection, runtime_url)
    finally:
        engine.dispose()


def _raise_walls(connection: sa.Connection, runtime_url: str | None) -> None:
    """One process at a time, every statement for itself: no table stays locked while another is waited for."""
    connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
    connection.execute(sa.text("SET lock_timeout = '4s'"))
    connection.execute(sa.text("SET statement_timeout = '30s'"))
    walls.settle(connection, runtime_url)  # the connection is closed next, and the lock with it


def head() -> str | None:
    """The revision this code expects."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def known() -> frozenset[str]:
    """Every revision this code knows; another one was made by a newer release."""
    return frozenset(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def current(connection: sa.Connection) -> str | None:
    """The revision a database stands at; None when it was never migrated."""
    return MigrationContext.configure(connection).get_current_revision()
