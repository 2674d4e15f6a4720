"""mem0ai 2.2.1 as published, both of its platform clients: every public method, against a real API and worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.db import keys, projects
from shared.db.engine import Database
from tests.clients.foreign import ClientError, ForeignClient
from tests.clients.mem0_calls import CALLS, LEFT_OUT, Client
from tests.stack import PEPPER, Service, Stack

KINDS = ["MemoryClient", "AsyncMemoryClient"]


class Noting:
    """A client that notes which methods were called."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.called: set[str] = set()

    def call(self, method: str, *args: Any, **keywords: Any) -> Any:
        """What the method returns."""
        self.called.add(method)
        return self._client.call(method, *args, **keywords)


@pytest.fixture(scope="module")
def running(stack: Stack) -> Iterator[tuple[str, str]]:
    """URL and key of a running service."""
    service = Service(stack)
    database = Database(service.database_url, pool_size=1, name="test")
    key = database.run(lambda session: keys.create(session, projects.ensure(session).id, PEPPER))
    database.close()
    api = service.start_api()
    service.start_worker(slots=4)
    yield api.url, key
    service.close()


@pytest.fixture(scope="module", params=KINDS)
def client(
    running: tuple[str, str], request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ForeignClient]:
    """Each of the package's two platform clients, with a home of its own and without telemetry."""
    home = str(tmp_path_factory.mktemp("mem0"))
    env = {"MEM0_TELEMETRY": "false", "MEM0_DIR": home, "HOME": home}
    with ForeignClient("mem0ai", "mem0", request.param, env, api_key=running[1], host=running[0]) as made:
        yield made


def test_every_public_method_is_accounted_for(client: ForeignClient) -> None:
    """Whatever the client offers is called below, or left out for a reason that is written down."""
    listed = [method for methods in CALLS.values() for method in methods]

    assert sorted([*listed, *LEFT_OUT]) == client.call(".methods", "project")


@pytest.mark.parametrize("steps", CALLS, ids=lambda steps: steps.__name__)
def test_method(client: ForeignClient, steps: Callable[[Client], None]) -> None:
    """Call, then see the effect by a second read."""
    noting = Noting(client)
    steps(noting)

    assert set(CALLS[steps]) <= noting.called


def test_a_bad_key_is_told_at_construction(running: tuple[str, str], tmp_path: Path) -> None:
    """The client reads `detail` and raises."""
    env = {"MEM0_TELEMETRY": "false", "MEM0_DIR": str(tmp_path), "HOME": str(tmp_path)}
    bad = ForeignClient("mem0ai", "mem0", "MemoryClient", env, api_key="wrong", host=running[0])

    with pytest.raises(ClientError) as caught, bad:
        bad.call("users")
    assert "this API key is not known" in caught.value.text
