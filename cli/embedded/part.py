"""What every part looks like to the supervisor and to the tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from cli.embedded.child import Child
from cli.embedded.errors import PartError


class Part(Protocol):
    """A program that can be started, asked whether it serves, and stopped; startable again after its death."""

    @property
    def name(self) -> str:
        """How it is called on screen; its log is `<name>.log`."""

    @property
    def url(self) -> str:
        """Where it serves; "" for a part nobody connects to."""

    @property
    def child(self) -> Child | None:
        """The running process; None before `start` and after `stop`."""

    def start(self) -> None:
        """Spawn it, without waiting. Raises EmbeddedError when that is hopeless."""

    def ready(self) -> bool:
        """Whether it serves now; returns within a second or so."""

    def stop(self) -> None:
        """End it in its orderly way and wait for that; nothing when it does not run."""


def wait_ready(part: Part, timeout: float = 60.0, check: Callable[[], None] = lambda: None) -> None:
    """Block until `part` serves; `check` runs in between and may raise to give up.

    Raises PartError, with the end of its log, when it ended or the time is over.
    """
    deadline = time.monotonic() + timeout
    while not part.ready():
        child = part.child
        if child is None:
            raise PartError(part.name, "was stopped while it started")
        code = child.exit_code()
        if code is not None:
            raise PartError(part.name, f"ended with code {code} while it started", child.log_tail())
        if time.monotonic() > deadline:
            raise PartError(part.name, f"was not ready after {timeout:.0f} s", child.log_tail())
        check()
        time.sleep(0.01)
