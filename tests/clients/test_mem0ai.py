"""mem0ai 2.2.1 as published, both of its platform clients: every public method, against a real API and worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients.accounting import Steps, accounted, walk
from tests.clients.foreign import ClientError, ForeignClient, python_client
from tests.clients.mem0_calls import CALLS

KINDS = ["MemoryClient", "AsyncMemoryClient"]


@pytest.fixture(scope="module", params=KINDS)
def client(
    running: tuple[str, str], request: pytest.FixtureRequest, mem0_home: dict[str, str]
) -> Iterator[ForeignClient]:
    """Each of the package's two platform clients."""
    url, key = running
    with python_client("mem0ai", "mem0", request.param, mem0_home, api_key=key, host=url) as made:
        yield made


def test_every_public_method_is_accounted_for(client: ForeignClient) -> None:
    """Whatever the client offers is called below, or left out for a reason that is written down."""
    assert client.call(".methods", "project") == accounted(CALLS, "mem0ai")


@pytest.mark.parametrize("steps", CALLS, ids=lambda steps: steps.__name__)
def test_method(client: ForeignClient, steps: Steps) -> None:
    """Call, then see the effect by a second read."""
    walk(steps, CALLS, client)


def test_a_bad_key_is_told_at_construction(running: tuple[str, str], mem0_home: dict[str, str]) -> None:
    """The client reads `detail` and raises."""
    bad = python_client("mem0ai", "mem0", "MemoryClient", mem0_home, api_key="wrong", host=running[0])

    with pytest.raises(ClientError) as caught, bad:
        bad.call("users")
    assert "this API key is not known" in caught.value.text
