"""Starts the parts, starts a dead one again, stops all in reverse order.

Runs in the main thread and has no other: the kernel ties each child to the thread that spawned it.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cli.embedded.errors import EmbeddedError
from cli.embedded.part import Part, wait_ready
from cli.embedded.signals import StopSignals

_SETTLED = 30.0  # seconds of life after which an earlier death is forgotten
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0
_NAP = 1.0


@dataclass(slots=True)
class _Watched:
    """A part under supervision; `start_at` is set while it is down and waits for its next start."""

    part: Part
    started: float
    deaths: int = 0
    start_at: float | None = None

    def pause(self, now: float) -> float:
        """How long to wait after this death: nothing at first, then doubling."""
        self.deaths = 1 if now - self.started > _SETTLED else self.deaths + 1
        return 0.0 if self.deaths == 1 else min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (self.deaths - 2))


class Supervisor:
    """Owns the parts from `spawn` to `shut_down`."""

    def __init__(self, signals: StopSignals, say: Callable[[str], None]) -> None:
        """`say` gets one line whenever a part died or came back."""
        self._signals = signals
        self._say = say
        self._watched: list[_Watched] = []
        signals.hurry = self._hurry

    def spawn(self, parts: Sequence[Part]) -> None:
        """Start these, without waiting. Raises EmbeddedError, or StopAsked when a signal came meanwhile."""
        for part in parts:
            self._signals.check()
            self._watched.append(_Watched(part, time.monotonic()))
            part.start()

    def wait(self, parts: Sequence[Part]) -> None:
        """Until each of these serves. Raises PartError with the end of its log, or StopAsked."""
        for part in parts:
            wait_ready(part, check=self._signals.check)

    def watch(self) -> None:
        """Keep the parts alive until a signal asks to stop."""
        while not self._signals.asked:
            now = time.monotonic()
            waits = [self._tend(watched, now) for watched in self._watched]
            self._signals.nap(min(waits, default=_NAP))

    def shut_down(self) -> None:
        """Stop what was spawned, last first; a part that fails to stop does not keep the others running."""
        while self._watched:
            part = self._watched.pop().part
            try:
                part.stop()
            except (EmbeddedError, OSError) as error:
                self._say(f"{part.name} did not stop cleanly: {error}")

    def _tend(self, watched: _Watched, now: float) -> float:
        """Look after one part; seconds until it needs the next look."""
        if watched.start_at is None:
            child = watched.part.child
            code = child.exit_code() if child else 0
            if child is not None and code is None:
                child.trim_log()
                return _NAP
            pause = watched.pause(now)
            watched.start_at = now + pause
            self._say(f"{watched.part.name} ended ({_reason(code or 0)}), starting it again" + _in(pause))
        if now < watched.start_at:
            return watched.start_at - now
        self._start_again(watched)
        return 0.0

    def _start_again(self, watched: _Watched) -> None:
        watched.started = time.monotonic()
        watched.start_at = None
        try:
            watched.part.start()
        except (EmbeddedError, OSError) as error:
            pause = watched.pause(watched.started)
            watched.start_at = watched.started + max(pause, _FIRST_PAUSE)
            self._say(f"{watched.part.name} could not be started: {error}")

    def _hurry(self) -> None:
        """A second Ctrl-C: our programs lose their grace (all they hold is in Postgres), the servers keep theirs."""
        for watched in self._watched:
            child = watched.part.child
            if child is not None and watched.part.name not in ("postgres", "valkey"):
                child.signal(signal.SIGKILL)


def _reason(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _in(pause: float) -> str:
    return f" in {pause:g} s" if pause else ""
