"""`python -m tests.chaos`: the long form. Totals add up over runs in the state file; exit code 1: a broken promise."""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.chaos import campaign, hole, restarts, resume, totals, waits
from tests.chaos.recovery import percentile
from tests.chaos.wired import Wired, wire
from tests.stack import Stack


def main() -> int:
    """The kills and their table; with options, rolling restarts and waits after them."""
    options = _parse()
    signal.signal(signal.SIGTERM, _end_faults)
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {line}", flush=True)

    clean = _attack(options, say) if options.kills else True
    if options.restarts:
        clean = _restart(options.restarts) and clean
    if options.waits:
        clean = _wait(options.waits) and clean
    if options.hole:
        clean = _hole(options.hole) and clean
    if options.resumes:
        clean = _resume(options.resumes) and clean
    return 0 if clean else 1


def _end_faults(*_: object) -> None:
    """The first SIGTERM ends the faults, as Ctrl-C does; the check is done all the same, and no other one stops it."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def _attack(options: argparse.Namespace, say: Callable[[str], None]) -> bool:
    plan = campaign.Plan(options.kills, options.adds, options.seconds, options.seed, options.lease, options.keep)
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
    return result.clean


def _restart(count: int) -> bool:
    with _service() as wired:
        found = restarts.run(wired, count)
    print(
        f"{found.restarts} rolling restarts, {found.posted} adds: {len(found.lost)} lost, {len(found.failed)} failed, "
        f"{len(found.redone)} redone, {found.counted_as_crash} called crashes, "
        f"slowest stop {found.slowest_stop:.1f} s"
    )
    return not (found.lost or found.failed or found.redone or found.counted_as_crash)


def _wait(count: int) -> bool:
    with _service() as wired:
        found = waits.run(wired, count=count, callers=32)
    print(
        f"{len(found.seconds)} waits, {found.lost_wakeups} wake-ups lost: {len(found.wrong)} wrong answers, "
        f"{found.later} had to poll, {found.refused} refusals (503, tried again); "
        f"p50 {found.p50:.2f} s, p99 {found.p99:.2f} s"
    )
    for line in found.wrong[:10]:
        print(line)
    return not found.wrong


def _hole(seconds: float) -> bool:
    with _service() as wired:
        found = hole.run(wired, seconds)
    print(
        f"Redis half-open for {found.seconds:.0f} s: {found.posted} posts, p50 {found.p50 * 1000:.0f} ms (before "
        f"{found.before_p50 * 1000:.0f} ms), p99 {found.p99 * 1000:.0f} ms, worst {found.worst:.2f} s, "
        f"{found.slow} over 1 s; {found.waits} waits, {len(found.wrong)} wrong; {len(found.not_succeeded)} not "
        f"SUCCEEDED, {found.stuck} scopes stuck; seen again after {found.back:.1f} s"
    )
    return not (found.wrong or found.not_succeeded or found.stuck)


def _resume(kills: int) -> bool:
    with _service() as wired:
        found = resume.run(wired, kills)
    print(
        f"{kills} workers killed at the default lease, {len(found.seconds)} events in work: resumed after p50 "
        f"{percentile(found.seconds, 0.5):.1f} s, max {max(found.seconds):.1f} s; {found.never} never, "
        f"{len(found.not_succeeded)} not SUCCEEDED"
    )
    return not (found.never or found.not_succeeded)


@contextmanager
def _service() -> Iterator[Wired]:
    stack = Stack()
    try:
        with wire(stack) as wired:
            yield wired
    finally:
        stack.close()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--adds", type=int, default=6_000)
    parser.add_argument("--seconds", type=float, default=0.0, help="for the faults; default: 3 for each kill")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--lease", type=float, default=3.0)
    parser.add_argument("--state", type=Path, default=Path(tempfile.gettempdir()) / "flumes-chaos.json")
    parser.add_argument("--restarts", type=int, default=0, help="so many rolling restarts after the kills")
    parser.add_argument("--waits", type=int, default=0, help="so many waits with a tenth of the wake-ups lost")
    parser.add_argument("--hole", type=float, default=0.0, help="so many seconds with Redis half-open")
    parser.add_argument("--resumes", type=int, default=0, help="so many workers killed with the default lease")
    parser.add_argument("--out", type=Path, help="this run's figures as JSON")
    parser.add_argument("--keep", type=Path, help="where logs go when a promise was broken; default: beside the state")
    options = parser.parse_args()
    options.keep = options.keep or options.state.with_name(f"{options.state.stem}-{options.seed}")
    options.seconds = options.seconds or options.kills * 3.0
    return options


if __name__ == "__main__":
    sys.exit(main())
