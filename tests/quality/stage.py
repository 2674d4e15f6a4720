"""What is measured: the embedded parts, one API process and one worker on a database of its own, and a caller."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from shared.db import index_queue, keys, projects
from shared.db.engine import Database
from tests.stack import PEPPER, Service, Stack, wait_until

_PATIENCE = 240.0  # seconds a measurement may take to settle


class Running:
    """A service at work, with a key of the project it is asked about."""

    def __init__(self, service: Service, **settings: object) -> None:
        self.service = service
        self.db = Database(service.database_url, pool_size=4, name="quality")
        self.api = service.start_api(**settings)
        self.worker = service.start_worker(**settings)

    def caller(self, project: str, **settings: Any) -> httpx.Client:
        """A client with a key of this project, made when it is not there."""
        with self.db.transaction() as session:
            found = projects.ensure(session, project, settings)
            key = keys.create(session, found.id, PEPPER)
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.Client(base_url=self.api.url, headers=headers, timeout=90, trust_env=False)

    def settle(self) -> None:
        """Wait until every event ended and the index holds all of it."""
        wait_until(self._quiet, "the service to come to rest", _PATIENCE)

    def _quiet(self) -> bool:
        with self.db.transaction() as session:
            return not index_queue.backlog(session) and not _open_events(session)

    def close(self) -> None:
        """Give the connections back; the service is ended by who started it."""
        self.db.close()


def _open_events(session: Any) -> bool:
    import sqlalchemy as sa

    found = session.execute(sa.text("SELECT 1 FROM events WHERE status IN ('PENDING', 'RUNNING') LIMIT 1"))
    return found.one_or_none() is not None


@contextmanager
def running(stack: Stack, **settings: object) -> Iterator[Running]:
    """A service with these settings (capitals as they are, others FLUMES_*), gone afterwards."""
    service = Service(stack)
    try:
        made = Running(service, **settings)
        try:
            yield made
        finally:
            made.close()
    finally:
        service.close()


def forget_services() -> None:
    """Nothing of the caller's environment that names a service may reach what is measured."""
    from cli.embedded import environment

    for name in set(os.environ) - set(environment.isolated(os.environ)):
        del os.environ[name]
