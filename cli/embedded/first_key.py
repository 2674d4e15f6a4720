"""The API key a new data directory starts with, kept beside its data and shown at every start."""

from __future__ import annotations

from pathlib import Path

from cli.embedded.keyfile import read_secret, write_secret
from shared.db import keys, projects, tenancy
from shared.db.engine import Database, Session

FILE = "api-key"


def first_key(database_url: str, data_dir: Path, pepper: str) -> str | None:
    """The stored key, made when this database has never seen it; None when its owner revoked it or let it expire."""
    stored = read_secret(data_dir / FILE)
    database = Database(database_url, pool_size=2, name="flumes-up", walls=True)
    try:
        with tenancy.across(tenancy.Role.OPERATOR), database.transaction() as session:
            if stored and keys.find(session, stored, pepper):
                return stored
            if stored and _was_known(session, stored):
                return None
            made = keys.create(session, projects.ensure(session).id, pepper, name="first key")
    finally:
        database.close()
    write_secret(data_dir / FILE, made)
    return made


def _was_known(session: Session, token: str) -> bool:
    parts = keys.parse(token)
    return parts is not None and any(key.public_id == parts[0] for key in keys.listing(session))
