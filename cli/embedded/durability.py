"""Accepted means kept only on a Postgres that syncs; one that does not is refused by name."""

from __future__ import annotations

import psycopg

from cli.embedded.errors import EmbeddedError

_MUST_BE_ON = ("fsync", "full_page_writes", "synchronous_commit")


def refuse_unsafe(database_url: str) -> None:
    """Raises EmbeddedError naming each setting that is off on this connection, or when there is no connection."""
    try:
        with psycopg.connect(_for_libpq(database_url), connect_timeout=10) as connection:
            off = [name for name in _MUST_BE_ON if _value(connection, name) == "off"]
    except psycopg.OperationalError as error:
        raise EmbeddedError(f"cannot reach the database of FLUMES_DATABASE_URL: {error}") from None
    if off:
        raise EmbeddedError(f"the database has {', '.join(off)} off and could lose accepted messages; turn it on")


def _for_libpq(url: str) -> str:
    """Without the driver's name that SQLAlchemy allows in the scheme."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def _value(connection: psycopg.Connection, name: str) -> str:
    row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    return str(row[0]) if row else ""
