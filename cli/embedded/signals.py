"""SIGINT, SIGTERM and SIGHUP as something to ask about, and a nap that they and a child's death cut short."""

from __future__ import annotations

import select
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopAsked(Exception):
    """Somebody asked to stop while something was still starting."""


class StopSignals:
    """Inside the `with` block the first signal asks for an orderly stop; each further one calls `hurry`."""

    def __init__(self) -> None:
        self.hurry: Callable[[], None] = lambda: None
        self.asked = False
        self._raising = False
        self._before: dict[signal.Signals, Any] = {}

    def check(self) -> None:
        """Raises StopAsked when asked."""
        if self.asked:
            raise StopAsked

    @contextmanager
    def immediate(self) -> Iterator[None]:
        """Inside, a signal raises StopAsked wherever the program stands; for code that starts no processes."""
        self.check()
        self._raising = True
        try:
            yield
        finally:
            self._raising = False

    def nap(self, seconds: float) -> None:
        """Sleep at most so long."""
        if select.select([self._reader], [], [], seconds)[0]:
            self._reader.recv(4096)

    def __enter__(self) -> Self:
        self._reader, self._writer = socket.socketpair()
        for end in (self._reader, self._writer):
            end.setblocking(False)
        self._wakeup = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in _STOP:
            self._before[number] = signal.signal(number, self._on_stop)
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        self._reader.close()
        self._writer.close()

    def _on_stop(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked:
            self.hurry()
        self.asked = True
        if self._raising:
            self._raising = False
            raise StopAsked
