"""`python -m tests.walls`: the same play as the test, as long as asked for, and a table of what was tried."""

from __future__ import annotations

import argparse
import os
import sys
import time

from cli.embedded import environment


def main() -> int:
    """Play and print; a breach ends in a traceback that names the call."""
    parser = argparse.ArgumentParser(prog="tests.walls", description=__doc__)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    clean = environment.isolated(os.environ)
    for name in set(os.environ) - set(clean):
        del os.environ[name]
    from tests.stack import Stack
    from tests.walls.matrix import Matrix
    from tests.walls.stage import Stage

    stack = Stack()
    try:
        stage = Stage(stack)
        began = time.monotonic()
        tally = Matrix(stage).play(options.calls, options.seed)
        seconds = time.monotonic() - began
        stage.close()
    finally:
        stack.close()
    answers = ", ".join(f"{status}: {count}" for status, count in sorted(tally.statuses.items()))
    keys = ", ".join(f"{key}: {count}" for key, count in sorted(tally.keys.items()))
    print(f"seed {options.seed}: {tally.calls} calls in {seconds:.0f} s, {tally.foreign} naming another tenant's ids")
    print(f"routes: {len(tally.ways)}, each called {min(tally.ways.values())} to {max(tally.ways.values())} times")
    print(f"keys: {keys}\nanswers: {answers}\nreads across: 0, changes across: 0")
    return 0


if __name__ == "__main__":
    sys.exit(main())
