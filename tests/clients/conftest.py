"""A running service for third-party clients, and clients that note what was called."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.db import keys, projects
from shared.db.engine import Database
from tests.stack import PEPPER, Service, Stack

WEBHOOKS = {"webhooks": True, "webhook_http": True, "webhook_allow": "127.0.0.1"}


@pytest.fixture(scope="module")
def running(stack: Stack) -> Iterator[tuple[str, str]]:
    """URL and key of a real API and a worker with the rules extractor."""
    service = Service(stack)
    database = Database(service.database_url, pool_size=1, name="test")
    key = database.run(lambda session: keys.create(session, projects.ensure(session).id, PEPPER))
    database.close()
    api = service.start_api(**WEBHOOKS)
    service.start_worker(slots=4, **WEBHOOKS)
    yield api.url, key
    service.close()


@pytest.fixture(scope="module")
def mem0_home(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of a mem0 client: a home of its own, without telemetry."""
    home = str(tmp_path_factory.mktemp("mem0"))
    return {"MEM0_TELEMETRY": "false", "MEM0_DIR": home, "HOME": home}
