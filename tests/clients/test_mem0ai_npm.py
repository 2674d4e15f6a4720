"""mem0ai 3.3.1 as published on npm: every public method, against a real API and worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients.accounting import Steps, accounted, walk
from tests.clients.foreign import ClientError, ForeignClient, npm_client
from tests.clients.npm_calls import CALLS


@pytest.fixture(scope="module")
def client(running: tuple[str, str], mem0_home: dict[str, str]) -> Iterator[ForeignClient]:
    """The package's platform client."""
    url, key = running
    with npm_client("mem0ai-npm", "mem0ai", "MemoryClient", mem0_home, apiKey=key, host=url) as made:
        yield made


def test_every_public_method_is_accounted_for(client: ForeignClient) -> None:
    """Whatever the client offers is called below, or left out for a reason that is written down."""
    assert client.call(".methods") == accounted(CALLS, "mem0ai-npm")


@pytest.mark.parametrize("steps", CALLS, ids=lambda steps: steps.__name__)
def test_method(client: ForeignClient, steps: Steps) -> None:
    """Call, then see the effect by a second read."""
    walk(steps, CALLS, client)


def test_a_bad_key_is_told_at_the_first_call(running: tuple[str, str], mem0_home: dict[str, str]) -> None:
    """By the class the client has for it."""
    with npm_client("mem0ai-npm", "mem0ai", "MemoryClient", mem0_home, apiKey="wrong", host=running[0]) as bad:
        with pytest.raises(ClientError) as caught:
            bad.call("users")
        with pytest.raises(ClientError) as unpinged:
            bad.call("ping")

    assert (caught.value.kind, unpinged.value.kind) == ("AuthenticationError", "AuthenticationError")
