"""Accepted means kept, in any order of events: the machine runs a fixed, small number of examples here.

`python -m tests.machine` runs it for as long as one likes.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machine.machine import Machine
from tests.machine.world import Ground
from tests.stack import Stack


@pytest.fixture
def ground(stack: Stack) -> Iterator[Ground]:
    """A database with a clock of its own, the engine, and the service's modules on them."""
    made = Ground(stack)
    with made.ready():
        yield made
    made.close()


def test_whatever_happens_in_whatever_order(ground: Ground) -> None:
    """Nothing acknowledged is lost, done twice or out of order; leases have one holder; what is deleted stays so."""
    Machine.ground = ground
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=30, stateful_step_count=50, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck), print_blob=False,
        ),
    )  # fmt: skip

    assert Machine.steps.total() > 500
