"""Threads of a worker that stand still at every named point until the machine lets them go on, or never does.

Only one of them runs at a time, so that a failing sequence of steps can be told again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType

from shared.db.scopes import Claim
from tests.machine.guest import Answer

_PATIENCE = 60.0  # seconds for one step of a run before it counts as stuck
IN_TRANSACTION = "commit.before"  # whoever stands here keeps the scope's row locked

_here = threading.local()


class Killed(BaseException):
    """The process died here: nothing of ours runs after it, transactions roll back."""


class Fatal(Killed):
    """What was worked on ended the process."""


class Run:
    """One thread of a worker process. `place`: the point where it stands, None once it ended."""

    def __init__(self, owner: str, work: Callable[[], object]) -> None:
        self.owner = owner
        self.place: str | None = "start"
        self.claim: Claim | None = None  # the last one it began to work on
        self.answer: Answer | None = None  # what the guest said to it last, in this claim
        self.asked = 0  # how often it asked in this claim
        self.died = False
        self._work = work
        self._stop_at: frozenset[str] = frozenset()
        self._doom: str | None = None
        self._error: BaseException | None = None
        self._go = threading.Semaphore(0)
        self._stands = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._body, daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        return self.place is None

    def step(self, *, hold_commit: bool = False, doom: str | None = None) -> str | None:
        """Let it go on to its next point; where it stands then. `doom`: it dies when it comes to that point."""
        self._stop_at = frozenset((IN_TRANSACTION,)) if hold_commit else frozenset()
        self._doom = doom
        self._go.release()
        assert self._stands.acquire(timeout=_PATIENCE), f"{self.owner} is stuck behind {self.place}"
        if self._error is not None:
            raise self._error
        return self.place

    def kill(self) -> None:
        """It dies where it stands."""
        if not self.ended:
            self.step(doom=self.place)

    def working_on(self, claim: Claim) -> None:
        """A new claim begins."""
        self.claim, self.answer, self.asked = claim, None, 0

    def arrive(self, name: str) -> None:
        """Called by the thread itself at each point."""
        if self._doom == name:
            raise Killed
        if name == IN_TRANSACTION and name not in self._stop_at:
            return
        self.place = name
        self._stands.release()
        self._go.acquire()
        if self._doom == name:
            raise Killed

    def _body(self) -> None:
        self._go.acquire()
        _here.run = self
        try:
            if self._doom != "start":
                self._work()
        except Killed:
            self.died = True
        except BaseException as error:  # noqa: BLE001 - handed to the machine, which fails with it
            self._error = error
        self.died = self.died or self._doom == "start"
        self.place = None
        self._stands.release()


def current() -> Run | None:
    """The run that this thread is."""
    return getattr(_here, "run", None)


def reach(name: str, texts: Iterable[str] = ()) -> None:
    """Stands in for `shared.crashpoints.reach`."""
    run = current()
    if run is not None:
        run.arrive(name)


@contextmanager
def gated(modules: Iterable[ModuleType]) -> Iterator[None]:
    """While the block runs, every named point of these modules is a place to stand."""
    saved = [(module, module.__dict__["reach"]) for module in modules]
    for module, _ in saved:
        module.__dict__["reach"] = reach
    try:
        yield
    finally:
        for module, real in saved:
            module.__dict__["reach"] = real
