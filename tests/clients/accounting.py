"""Every public method of a client, found by introspection, is called, or stands here with the reason why not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

LEFT_OUT: dict[str, dict[str, str]] = {
    "flumes-ai": {},
    "flumes-ai agents": {},
    "mem0ai": {
        "chat": "the client itself says that it is not made yet",
    },
    "mem0ai-npm": {},
}


class Client(Protocol):
    """A client of any language."""

    def call(self, method: str, *args: Any, **keywords: Any) -> Any:
        """What the method returns. Raises `ClientError`."""


Steps = Callable[[Client], None]
Calls = Mapping[Steps, Collection[str]]


class Noting:
    """A client that notes which methods were called."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.called: set[str] = set()

    def call(self, method: str, *args: Any, **keywords: Any) -> Any:
        """What the method returns."""
        self.called.add(method)
        return self._client.call(method, *args, **keywords)


def accounted(calls: Calls, name: str) -> list[str]:
    """What introspection must find: the methods that are called, and those of `name` that are left out."""
    return sorted([*(method for methods in calls.values() for method in methods), *LEFT_OUT[name]])


def walk(steps: Steps, calls: Calls, client: Client) -> None:
    """Take the steps; each method they stand for was called on the way."""
    noting = Noting(client)
    steps(noting)

    assert set(calls[steps]) <= noting.called
