"""Bring a database to the present schema; safe to run from several processes at once."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from shared.db.engine import engine_url

_FOLDER = Path(__file__).parent / "migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def upgrade(database_url: str) -> None:
    """Run all pending migrations."""
    config = _config()
    engine = sa.create_engine(engine_url(database_url), poolclass=sa.NullPool)
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def head() -> str | None:
    """The revision this code expects."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def known() -> frozenset[str]:
    """Every revision this code knows; another one was made by a newer release."""
    return frozenset(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def current(connection: sa.Connection) -> str | None:
    """The revision a database stands at; None when it was never migrated."""
    return MigrationContext.configure(connection).get_current_revision()
