"""`python -m tests.chaos`: the long form. Totals add up over runs in the state file; exit code 1: a broken promise."""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos import campaign, totals


def main() -> int:
    """One run and its table."""
    options = _parse()
    plan = campaign.Plan(options.kills, options.adds, options.seconds, options.seed, options.lease, options.keep)
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {line}", flush=True)

    say(f"seed {plan.seed}: {plan.kills} kills, {plan.adds} adds, about {plan.seconds:.0f} s, lease {plan.lease:g} s")
    result = campaign.run(plan, say)
    one = totals.figures(result)
    total = totals.add(totals.load(options.state), one)
    totals.save(options.state, total)
    if options.out:
        options.out.write_text(json.dumps(one, indent=1, sort_keys=True), encoding="utf-8")
    print(totals.table(one, total))
    for kind, examples in {**result.verdict.examples, "notes": result.notes}.items():
        for example in examples:
            print(f"{kind}: {example}")
    print(f"totals are kept in {options.state}")
    return 0 if result.clean else 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--adds", type=int, default=6_000)
    parser.add_argument("--seconds", type=float, default=0.0, help="for the faults; default: 6 for each kill")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--lease", type=float, default=3.0)
    parser.add_argument("--state", type=Path, default=Path(tempfile.gettempdir()) / "flumes-chaos.json")
    parser.add_argument("--out", type=Path, help="this run's figures as JSON")
    parser.add_argument("--keep", type=Path, help="where logs go when a promise was broken; default: beside the state")
    options = parser.parse_args()
    options.keep = options.keep or options.state.with_name(f"{options.state.stem}-{options.seed}")
    options.seconds = options.seconds or options.kills * 6.0
    return options


if __name__ == "__main__":
    sys.exit(main())
