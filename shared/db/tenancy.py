"""Whose rows a transaction may touch: one tenant's, or those of one named path across tenants.

Said once, where a request is authenticated or a claim is taken up; every transaction of that context begins with it.
Whoever says nothing sees no tenant's rows at all: row-level security in Postgres holds the line (docs/security.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from uuid import UUID

SETTING = "flumes.project_id"


class Role(StrEnum):
    """The database roles work is done in. All but the first see several tenants, each only the tables it needs."""

    APP = "flumes_app"  # one tenant: everything a request or a window reads and writes
    QUEUE = "flumes_queue"  # claims, leases, counters, waiters, old keys: ids and states, no text
    INDEX = "flumes_index"  # the vector index: what is current, its vectors, what waits to be written
    KEYS = "flumes_keys"  # an API key and its project
    OPERATOR = "flumes_operator"  # `flumes keys`, `usage`, `erase`: projects, keys, spend, receipts


def _begin(role: Role, project_id: UUID | None = None) -> str:
    """One message to the server: the transaction, its role and its tenant, all gone when it ends."""
    words = f"BEGIN; SET LOCAL ROLE {role.value}"
    return words if project_id is None else f"{words}; SET LOCAL {SETTING} = '{UUID(int=project_id.int)}'"


_NOBODY = _begin(Role.APP)
_opening: ContextVar[str] = ContextVar("flumes_opening", default=_NOBODY)


def opening() -> str:
    """What begins a transaction now."""
    return _opening.get()


def become(project_id: UUID) -> None:
    """Everything that follows in this context (a request) is this tenant's."""
    _opening.set(_begin(Role.APP, project_id))


@contextmanager
def _saying(words: str) -> Iterator[None]:
    token = _opening.set(words)
    try:
        yield
    finally:
        _opening.reset(token)


@contextmanager
def tenant(project_id: UUID) -> Iterator[None]:
    """The block works for this tenant."""
    with _saying(_begin(Role.APP, project_id)):
        yield


@contextmanager
def across(path: Role) -> Iterator[None]:
    """The block, or the function this decorates, works on a path across tenants; never an `async def`."""
    with _saying(_begin(path)):
        yield


@contextmanager
def nobody() -> Iterator[None]:
    """The block begins without a tenant; what it becomes ends with it."""
    with _saying(_NOBODY):
        yield
