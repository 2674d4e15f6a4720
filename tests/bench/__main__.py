"""`make bench`: measures the service on a stack of its own and prints one table a subject. It never asserts.

`python -m tests.bench [--quick] [--only adds,drain] [--callers 1,16,64] [--seconds 10] [--json FILE]`
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType

from cli.embedded import environment
from tests.bench import adds, drain, enqueue, machine, reads, report, starting
from tests.bench.plan import PARTS, QUICK, Plan, Point
from tests.bench.result import Table
from tests.bench.stage import CHAT_SECONDS, EMBEDDINGS_SECONDS, PROJECTS, WORKERS, Stage

_MEASURES: dict[str, Callable[[Stage, Plan], list[Table]]] = {
    "start": starting.measure,
    "adds": adds.measure,
    "reads": reads.measure,
    "drain": drain.measure,
    "enqueue": enqueue.measure,
}


def main() -> int:
    """130 after Ctrl-C, else 0."""
    asked = _arguments()
    _forget_services()
    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        run(_plan(asked), asked.json)
    except KeyboardInterrupt:
        print("interrupted; everything was stopped")
        return 130
    return 0


def run(plan: Plan, json: Path | None) -> None:
    """Start the stack, measure part by part, stop it."""
    console, tables = report.screen(), []
    began = time.perf_counter()
    console.print(
        f"1 API process, {WORKERS} worker processes, Postgres, Valkey, vector engine; {PROJECTS} tenants;"
        f" chat {CHAT_SECONDS * 1000:.0f} ms, embeddings {EMBEDDINGS_SECONDS * 1000:.0f} ms (scripted)"
    )
    stage = Stage()
    try:
        before = machine.look(stage.stack.home.layout.run)
        report.show_machine(console, before)
        with stage:
            for part in plan.parts:
                console.print(f"measuring: {part}", style="dim")
                found = _measured(part, stage, plan)
                tables += found
                for table in found:
                    report.show(console, table)
        after = machine.look(stage.stack.home.layout.data_dir.parent)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not cut the stopping short
        stage.close()
    report.show_machine(console, after)
    seconds = time.perf_counter() - began
    console.print(f"took {seconds:.0f} s")
    if json is not None:
        report.write(json, before, after, tables, seconds)


def _measured(part: str, stage: Stage, plan: Plan) -> list[Table]:
    """The part's tables; a part that could not be measured says why and leaves the others their turn."""
    try:
        return _MEASURES[part](stage, plan)
    except (RuntimeError, AssertionError) as error:
        return [Table(part, f"could not be measured: {error}")]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under 90 s, to see that all of it works")
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts, comma separated, of {','.join(PARTS)}")
    parser.add_argument("--callers", help="waiting callers, comma separated; 16f: users that have memories")
    parser.add_argument("--seconds", type=float, help="seconds a point is measured")
    parser.add_argument("--json", type=Path, help="write everything there")
    asked = parser.parse_args()
    unknown = set(asked.only.split(",")) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    return asked


def _plan(asked: argparse.Namespace) -> Plan:
    plan = QUICK if asked.quick else Plan()
    plan = replace(plan, parts=tuple(part for part in PARTS if part in asked.only.split(",")))
    if asked.callers:
        points = [Point(int(word.rstrip("f")), word.endswith("f")) for word in asked.callers.split(",")]
        plan = replace(plan, points=tuple(points))
    return replace(plan, seconds=asked.seconds) if asked.seconds else plan


def _forget_services() -> None:
    """A key, database or proxy of the caller's environment is never used."""
    for name in set(os.environ) - set(environment.isolated(os.environ)):
        del os.environ[name]


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    raise SystemExit(main())
