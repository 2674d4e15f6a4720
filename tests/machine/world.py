"""The service in one process: workers whose threads stand still, a clock, an engine behind a bad line, a guest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from unittest.mock import patch

import workers.dispatch
import workers.outcomes
import workers.pipeline.commit
import workers.pipeline.extract
import workers.pipeline.index
import workers.pipeline.notify
from shared import clock as service_clock
from shared.db import index_collections, projects, scopes
from shared.db.engine import Database
from shared.db.index_collections import BM25_ONLY
from shared.db.scopes import Claim
from shared.model.scope import ScopeIds
from shared.settings import Settings
from shared.vectors.layout import collection_name
from shared.wakeups import Wake, Waker
from tests.machine.clock import Clock
from tests.machine.engine import BadLine
from tests.machine.gates import Fatal, Run, current, gated
from tests.machine.guest import Answer, Guest
from tests.machine.rows import Reader
from tests.stack import QDRANT_KEY, Stack, empty_tables
from workers.dispatch import Dispatcher
from workers.lifecycle import Worker
from workers.parts import Apart, Parts
from workers.pipeline.index import index
from workers.pipeline.run import run as work_on
from workers.pipeline.run import work_on as work_here
from workers.quarantine import blame
from workers.work import Done, Suspect

COLLECTION = collection_name(None, 1)
LEASE = 30.0
_SETTINGS = Settings(extractor="rules", slots=2, tenant_cap=2, lease=LEASE, candidates=2, window_messages=4,
                     backlog_window_messages=6)  # fmt: skip
_GATED = (
    workers.dispatch, workers.pipeline.extract, workers.pipeline.commit, workers.pipeline.index,
    workers.pipeline.notify,
)  # fmt: skip
_LOGGING = (workers.dispatch, workers.outcomes, workers.pipeline.index)


class _AtOnce(ThreadPoolExecutor):
    """Work in the background is done by who asked for it, so that one thread runs at a time."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class _Wakes(Waker):
    """Keeps what was published."""

    def __init__(self) -> None:
        self.told: list[Wake] = []

    def publish(self, channel: str, wakes: Sequence[Wake]) -> bool:
        self.told.extend(wakes)
        return True

    def close(self) -> None:
        """Nothing is open."""


class _Faults:
    """A log that counts what nobody expected."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def exception(self, event: str, **_: object) -> None:
        self.seen.append(event)

    def warning(self, event: str, **_: object) -> None:
        """Expected: the machine makes such weather."""

    info = warning


@dataclass(slots=True)
class Process:
    """A worker process; `runs`: its threads that have not ended."""

    worker: Worker
    runs: list[Run]

    @property
    def owner(self) -> str:
        return self.worker.parts.owner


class Ground:
    """What outlives an example: the database with its clock, the engine's collection, the patched modules."""

    def __init__(self, stack: Stack) -> None:
        self.url = stack.new_database()
        self.clock = Clock(self.url)
        self.db = Database(self.url, pool_size=12, name="machine")
        self.reader = Reader(self.url)
        self.line = BadLine(stack.engine.url, QDRANT_KEY)
        self._stack = stack

    @contextmanager
    def ready(self) -> Iterator[None]:
        """While the block runs, the service's modules stand on this ground."""
        self.faults = _Faults()
        with ExitStack() as undo:
            undo.enter_context(gated(_GATED))
            undo.enter_context(patch.object(service_clock, "now", self.clock.now))
            undo.enter_context(patch.object(workers.dispatch, "_BREAKER_AGE", -1.0))
            for module in _LOGGING:
                undo.enter_context(patch.object(module, "_log", self.faults))
            yield

    def close(self) -> None:
        self.reader.close()
        self.clock.close()
        self.line.close()
        self.db.close()
        self._stack.drop_database(self.url)


class World:
    """One example: empty tables, two tenants, two worker processes."""

    def __init__(self, ground: Ground) -> None:
        self.ground, self.db, self.clock, self.line = ground, ground.db, ground.clock, ground.line
        empty_tables(ground.url)
        self.clock.reset()
        self.line.line, self.line.on_the_way = "good", []
        self.line.delivered_late.clear()
        ground.faults.seen.clear()
        self.guest = Guest(_die, _heard)
        self.wakes = _Wakes()
        self.projects = [
            self.db.run(lambda session, name=name, raw=raw: projects.ensure(session, name, {"index_raw": raw})).id  # type: ignore[misc]
            for name, raw in (("one", False), ("two", True))
        ]
        self.db.run(lambda session: index_collections.ensure(session, BM25_ONLY, COLLECTION))
        self._names = 0
        self.processes = [self._process(), self._process()]

    @property
    def runs(self) -> list[Run]:
        """All threads that stand somewhere."""
        return [run for process in self.processes for run in process.runs]

    def start(self, number: int, work: Callable[[Parts, Dispatcher], object]) -> Run:
        """A new thread in a process; it stands before its first step."""
        process = self.processes[number % len(self.processes)]
        run = Run(process.owner, lambda: work(process.worker.parts, process.worker.dispatcher))
        process.runs.append(run)
        return run

    def step(self, run: Run, *, hold_commit: bool = False, doom: str | None = None) -> None:
        """A thread goes on; when it dies, its process does."""
        run.step(hold_commit=hold_commit, doom=doom)
        self.clean_up(run)

    def clean_up(self, run: Run) -> None:
        """Forget a thread that ended, with its process if that died."""
        process = next(process for process in self.processes if run in process.runs)
        if run.died:
            self.crash(process)
        elif run.ended:
            process.runs.remove(run)

    def crash(self, process: Process) -> None:
        """As kill -9: all its threads die where they stand; another process starts."""
        for run in process.runs:
            run.kill()
        process.runs.clear()
        self.processes[self.processes.index(process)] = self._process()

    def stop(self, process: Process) -> None:
        """SIGTERM, and the grace is over: leases are given back, then it is gone."""
        process.worker.stop_claiming()
        process.worker.release()
        self.crash(process)

    def renew(self, process: Process) -> None:
        """A beat of its heart."""
        held = process.worker.leases.held()
        self.db.run(lambda session: scopes.heartbeat(session, held, LEASE))

    def close(self) -> None:
        """Every thread ends."""
        for run in self.runs:
            run.kill()

    def _process(self) -> Process:
        self._names += 1
        parts = Parts(
            settings=_SETTINGS, db=self.db, index=self.line, embedder=None, extract=self.guest, waker=self.wakes,
            owner=f"worker-{self._names}", background=_AtOnce(1), provider="llm:machine",
        )  # fmt: skip
        worker = Worker(_SETTINGS, parts)
        worker.dispatcher = Dispatcher(replace(parts, apart=_apart(parts)), worker.leases, _watched)
        return Process(worker, [])


def leftovers(parts: Parts, _: Dispatcher) -> object:
    """What a poll does for the index."""
    return index(parts)


def _watched(parts: Parts, claim: Claim) -> Done:
    run = current()
    assert run is not None
    run.working_on(claim)
    return work_on(parts, claim)


def _heard(answer: Answer) -> None:
    run = current()
    assert run is not None
    run.answer, run.asked = answer, run.asked + 1


def _die() -> None:
    raise Fatal


def _apart(parts: Parts) -> Apart:
    """A process of its own for suspects: work that ends it does not end the worker, which sees it."""

    def work(claim: Claim, suspect: Suspect) -> Done:
        try:
            return work_here(parts, claim)
        except Fatal:
            parts.db.run(partial(blame, claim=claim, suspect=suspect))
            return Done((), ())

    return work


def given(user: str, agent: str | None = None) -> ScopeIds:
    """Ids of a scope, or of several."""
    return ScopeIds(user_id=user, agent_id=agent)
