"""One run: a service, writers, faults until enough were done, then peace, and the check."""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg

from shared.errors import ServiceError
from tests.chaos.checker import Checker, Verdict
from tests.chaos.faults import DECK, Faults, deal
from tests.chaos.fleet import Fleet
from tests.chaos.ledger import Ledger, read
from tests.chaos.recovery import Recovery
from tests.chaos.served import Service
from tests.chaos.writers import Pace, Writer
from workers import maintenance

_WRITERS = 24
_LATE = 6.0  # times the planned seconds: on a busy machine parts start slowly
_PATIENCE = 150.0  # seconds without any progress that end a wait for peace: a breaker may stay open for a minute

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of it: `kills` and `adds`, in about `seconds`; six times as many end the run whatever was reached."""

    kills: int
    adds: int
    seconds: float
    seed: int
    lease: float = 3.0
    keep: Path | None = None  # where logs go when a promise was broken
    deck: tuple[str, ...] = DECK


@dataclass(slots=True)
class Result:
    """What a run did and found."""

    verdict: Verdict
    seed: int
    kills: Counter[str]
    together: Counter[str]
    others: Counter[str]
    statuses: Counter[str]
    unanswered: int
    recovery: list[float]  # seconds from the death of one worker alone to the next progress of what it held
    outages: list[float]  # the same where other parts died with it
    never_recovered: int
    attacked: float  # seconds in which the faults were done
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
    faults = Faults(fleet, recovery, rng, say)
    ledger_file = fleet.stack.home.layout.data_dir / "ledger.jsonl"
    ledger = Ledger(ledger_file)
    notes: list[str] = []
    try:
        writers = _start_writers(plan, fleet, ledger)
        attacked = _attack(plan, faults, writers, ledger, rng, say)
        fleet.calm()
        _finish_writers(writers, notes)
        verdict = _settle(fleet, ledger, say)
        if not verdict.clean or notes:
            _keep(fleet, plan.keep, say)
        return Result(
            verdict, plan.seed, faults.kills, faults.together, faults.others,
            sum((w.statuses for w in writers), Counter()), sum(w.unanswered for w in writers),
            recovery.alone, recovery.with_others, recovery.stop(), attacked, time.monotonic() - began, notes,
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


def _attack(plan: Plan, faults: Faults, writers: list[Writer], ledger: Ledger, rng: random.Random, say: Say) -> float:
    """Seconds it took. The deck is played to its end at least once."""
    began = time.monotonic()
    dealt = deal(rng, plan.deck)
    left = len(plan.deck)
    try:
        while time.monotonic() < began + plan.seconds * _LATE and all(writer.is_alive() for writer in writers):
            enough = faults.kills.total() >= plan.kills and left <= 0
            if enough and ledger.adds >= plan.adds:
                break
            if enough:
                faults.rest(0.1)
                continue
            name = next(dealt)
            say(f"{faults.kills.total():4d} kills {ledger.adds:6d} adds   {name}")
            faults.do(name)
            left -= 1
            faults.rest(0.6, least=0.1)
    except KeyboardInterrupt:
        say("interrupted: no more faults")
    faults.finish()
    return time.monotonic() - began


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
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # whoever is in a hurry: what was promised is compared
    say(f"peace: checking {ledger.adds} adds and {ledger.edits} edits")
    served = Service(fleet.urls[0], fleet.key, fleet.database_url)
    try:
        verdict = Checker(read(fleet.stack.home.layout.data_dir / "ledger.jsonl"), served).check(_PATIENCE)
        say("checking the index")
        _check_index(fleet, verdict)
    finally:
        served.close()
        signal.signal(signal.SIGTERM, before)
    return verdict


def _check_index(fleet: Fleet, verdict: Verdict) -> None:
    """Whatever was still to be written is written by itself; then every point agrees with its memory."""
    left = least = _queued(fleet.database_url)
    deadline = time.monotonic() + _PATIENCE
    while left and time.monotonic() < deadline:
        time.sleep(0.2)
        left = _queued(fleet.database_url)
        if left < least:
            least, deadline = left, time.monotonic() + _PATIENCE
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
    """What every part logged, what was promised and how ready the API is, for whoever looks for the reason."""
    say(httpx.get(f"{fleet.urls[0]}/readyz", trust_env=False).text)
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
