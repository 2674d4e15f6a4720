"""Fixtures of the chaos tests: a service whose links can be cut."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.wired import Wired, wire
from tests.stack import Stack


@pytest.fixture
def wired(stack: Stack) -> Iterator[Wired]:
    """A service of the test's own."""
    with wire(stack) as made:
        yield made


@pytest.fixture(scope="module")
def shared_wired(stack: Stack) -> Iterator[Wired]:
    """One service for a module whose tests use users of their own."""
    with wire(stack) as made:
        yield made
