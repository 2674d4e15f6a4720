"""Rows and values for tests on a real database: plain functions, each with defaults that a test overrides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from shared.db import projects, scopes
from shared.db.accept import Accepted, NewEvent, NewMessage, accept
from shared.db.engine import Database
from shared.db.projects import Project
from shared.db.scopes import Claim
from shared.model.message import Role
from shared.model.scope import ScopeIds, ScopeRef

ALEX = ScopeIds(user_id="alex")


def project(db: Database, name: str = "default", settings: dict[str, Any] | None = None) -> Project:
    """The project of this name."""
    return db.run(lambda session: projects.ensure(session, name, settings))


def said(
    text: str, role: Role = "user", *, at: datetime | None = None, name: str | None = None, stamp: str | None = None
) -> NewMessage:
    """A message as a dialect hands it over."""
    return NewMessage(role, text, at, name, stamp)


def new_event(project_id: UUID, *texts: str | NewMessage, ids: ScopeIds = ALEX, **options: Any) -> NewEvent:
    """A write of these messages; a text alone is said by the user."""
    messages = tuple(said(text) if isinstance(text, str) else text for text in texts)
    return NewEvent(project_id, ids, messages, **options)


def post(db: Database, project_id: UUID, *texts: str | NewMessage, ids: ScopeIds = ALEX, **options: Any) -> Accepted:
    """Accept a write in its own transaction."""
    event = new_event(project_id, *texts, ids=ids, **options)
    return db.run(lambda session: accept(session, event))


def claim(
    db: Database,
    *,
    owner: str = "worker",
    lease: float = 30,
    tenant_cap: int = 100,
    after: UUID | None = None,
    bulk: bool = True,
    hint: ScopeRef | None = None,
) -> Claim | None:
    """The next due scope by policy."""
    return db.run(
        lambda session: scopes.claim(
            session, owner=owner, lease=lease, tenant_cap=tenant_cap, after=after, bulk=bulk, hint=hint
        )
    )


def rows(db: Database, query: str, *values: Any) -> list[dict[str, Any]]:
    """The answer to a query of the test's own."""
    with _cursor(db) as cursor:
        found: list[dict[str, Any]] = cursor.execute(query, values).fetchall()
        return found


def change(db: Database, statement: str, *values: Any) -> None:
    """Set up a state that time or a crash would bring about."""
    with _cursor(db) as cursor:
        cursor.execute(statement, values)


def column(db: Database, query: str, *values: Any) -> list[Any]:
    """The first column of a query's answer."""
    return [next(iter(row.values())) for row in rows(db, query, *values)]


@contextmanager
def _cursor(db: Database) -> Iterator[Any]:
    """A cursor of the driver on a pooled connection; committed at the end."""
    with db.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        with driver.transaction(), driver.cursor(row_factory=dict_row) as cursor:
            yield cursor
