"""Orderly stops under load cost nothing: no message is lost, and none is shown to the model twice."""

from __future__ import annotations

import pytest

from tests.chaos import restarts
from tests.chaos.wired import Wired

pytestmark = pytest.mark.chaos


@pytest.mark.timeout(300)
def test_rolling_restarts_lose_and_repeat_nothing(wired: Wired) -> None:
    """SIGTERM to one of two workers after the other while callers post; the long form does it 25 times."""
    found = restarts.run(wired, count=4)

    assert found.posted > 0
    assert (found.lost, found.failed, found.redone, found.counted_as_crash) == ([], [], {}, 0)
    assert found.slowest_stop < restarts.GRACE + 5
