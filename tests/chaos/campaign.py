"""One run: a service, writers, faults until enough were done, then peace, and the check."""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from shared.errors import ServiceError
from tests.chaos.checker import Checker, Verdict
from tests.chaos.faults import Faults, deal
from tests.chaos.fleet import Fleet
from tests.chaos.ledger import Ledger
from tests.chaos.recovery import Recovery
from tests.chaos.writers import Pace, Writer
from workers import maintenance

_WRITERS = 6
_LATE = 4.0  # times the planned seconds: on a busy machine parts start slowly
_SETTLING = 120.0  # seconds in which everything accepted must have ended after the last fault
_INDEX_SETTLING = 120.0  # a dead worker's index rows come back after up to a minute

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of it: `kills` and `adds`, in about `seconds`; four times as many end the run whatever was reached."""

    kills: int
    adds: int
    seconds: float
    seed: int
    lease: float = 3.0
    keep: Path | None = None  # where logs go when a promise was broken


@dataclass(slots=True)
class Result:
    """What a run did and found."""

    verdict: Verdict
    kills: Counter[str]
    others: Counter[str]
    statuses: Counter[str]
    unanswered: int
    recovery: list[float]
    never_recovered: int
    seconds: float
    notes: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return self.verdict.clean and not self.never_recovered and not self.notes


def run(plan: Plan, say: Say) -> Result:
    """Raises nothing for a broken promise: the result tells. An interrupt ends the faults early."""
    rng = random.Random(plan.seed)
    began = time.monotonic()
    fleet = Fleet(lease=plan.lease)
    recovery = Recovery(fleet.database_url)
    recovery.start()
    faults = Faults(fleet, recovery, rng)
    ledger_file = fleet.stack.home.layout.data_dir / "ledger.jsonl"
    ledger = Ledger(ledger_file)
    notes: list[str] = []
    try:
        writers = _start_writers(plan, fleet, ledger)
        _attack(plan, faults, writers, ledger, rng, say)
        fleet.calm()
        _finish_writers(writers, notes)
        verdict = _settle(fleet, ledger, say)
        if not verdict.clean or notes:
            _keep(fleet, plan.keep, say)
        return Result(
            verdict, faults.kills, faults.others, sum((w.statuses for w in writers), Counter()),
            sum(w.unanswered for w in writers), list(recovery.seconds), recovery.stop(),
            time.monotonic() - began, notes,
        )  # fmt: skip
    finally:
        ledger.close()
        fleet.close()


def _start_writers(plan: Plan, fleet: Fleet, ledger: Ledger) -> list[Writer]:
    pace = Pace(plan.adds / plan.seconds)
    writers = [Writer(number, fleet.urls, fleet.key, ledger, pace, plan.seed) for number in range(1, _WRITERS + 1)]
    for writer in writers:
        writer.start()
    return writers


def _attack(plan: Plan, faults: Faults, writers: list[Writer], ledger: Ledger, rng: random.Random, say: Say) -> None:
    until = time.monotonic() + plan.seconds * _LATE
    deck = deal(rng)
    try:
        while time.monotonic() < until and all(writer.is_alive() for writer in writers):
            enough = faults.kills.total() >= plan.kills
            if enough and ledger.adds >= plan.adds:
                return
            if enough:
                time.sleep(0.1)
                continue
            name = next(deck)
            say(f"{faults.kills.total():4d} kills {ledger.adds:6d} adds   {name}")
            faults.do(name)
            time.sleep(rng.uniform(0.2, 1.0))
    except KeyboardInterrupt:
        say("interrupted: no more faults")


def _finish_writers(writers: list[Writer], notes: list[str]) -> None:
    for writer in writers:
        if not writer.is_alive():
            notes.append(f"{writer.name} was given an answer nobody may get")
        writer.stopping.set()
    for writer in writers:
        writer.join(60)
        if writer.is_alive():
            notes.append(f"{writer.name} was never answered")


def _settle(fleet: Fleet, ledger: Ledger, say: Say) -> Verdict:
    say(f"peace: checking {ledger.adds} adds and {ledger.edits} edits")
    checker = Checker(fleet.stack.home.layout.data_dir / "ledger.jsonl", fleet.urls[0], fleet.key, fleet.database_url)
    try:
        verdict = checker.check(_SETTLING)
    finally:
        checker.close()
    _check_index(fleet, verdict)
    return verdict


def _check_index(fleet: Fleet, verdict: Verdict) -> None:
    """Whatever was still to be written is written by itself; then every point agrees with its memory."""
    deadline = time.monotonic() + _INDEX_SETTLING
    while (left := _queued(fleet.database_url)) and time.monotonic() < deadline:
        time.sleep(0.2)
    if left:
        verdict.note("stuck", f"{left} changes never reached the index")
    try:
        report = maintenance.verify(fleet.settings())
    except ServiceError as error:
        verdict.note("index_faults", f"verify failed: {error.code}")
        return
    for kind in ("missing", "extra", "stale"):
        for memory_id in getattr(report, kind):
            verdict.note("index_faults", f"{kind}: {memory_id}")


def _keep(fleet: Fleet, folder: Path | None, say: Say) -> None:
    """What every part logged, and what was promised, for whoever looks for the reason."""
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(fleet.logs, folder)
        shutil.copy(fleet.stack.home.layout.data_dir / "ledger.jsonl", folder)
        say(f"logs and ledger are kept in {folder}")


def _queued(database_url: str) -> int:
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT count(*) FROM index_queue").fetchone()
        assert row is not None
        return int(row[0])
