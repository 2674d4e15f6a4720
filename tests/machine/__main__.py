"""The state machine for as long as one likes: `python -m tests.machine --minutes 20`; each round has a seed of its own.

A failing round prints the shortest sequence of steps that fails, and the seed that finds it again.
"""

from __future__ import annotations

import argparse
import random
import time

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machine.machine import Machine
from tests.machine.world import Ground
from tests.stack import Stack

_ROUND = 25  # examples between two looks at the time


def main() -> None:
    """Rounds until the time is over; ends with an exception at the first one that fails."""
    options = _options()
    stack = Stack()
    try:
        ground = Ground(stack)
        with ground.ready():
            Machine.ground = ground
            _rounds(options.minutes * 60, options.steps, options.seed)
        ground.close()
    finally:
        _table()
        stack.close()


def _rounds(seconds: float, steps: int, seed: int) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        print(f"seed {seed}: {Machine.examples} examples, {Machine.steps.total()} steps so far", flush=True)
        hypothesis.seed(seed)(Machine)
        run_state_machine_as_test(Machine, settings=_settings(steps))
        seed += 1


def _settings(steps: int) -> settings:
    return settings(
        max_examples=_ROUND, stateful_step_count=steps, deadline=None, database=None, print_blob=False,
        report_multiple_bugs=False, suppress_health_check=list(HealthCheck), phases=(Phase.generate, Phase.shrink),
    )  # fmt: skip


def _table() -> None:
    print(f"\n{Machine.examples} examples, {Machine.steps.total()} steps")
    for name, count in sorted((Machine.steps + Machine.outcomes).items()):
        print(f"{count:8}  {name}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.machine", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20, help="how long")
    parser.add_argument("--steps", type=int, default=60, help="most steps of an example")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of the first round")
    return parser.parse_args()


if __name__ == "__main__":
    main()
