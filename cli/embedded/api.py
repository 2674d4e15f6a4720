"""The API as a child process."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from cli.embedded.child import Child, Command
from cli.embedded.probe import answers_ok

_STOP_GRACE = 15.0
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what to call when it listens everywhere


class Api:
    """uvicorn on a socket that outlives it."""

    spawn: Callable[[Command], Child] = Child

    def __init__(self, listener: socket.socket, env: Mapping[str, str], logs: Path, *, name: str = "api") -> None:
        """`env` is the whole environment of the process; `listener` stays the caller's to close."""
        self.name = name
        self._listener = listener
        self._env = env
        self._log = logs / f"{name}.log"
        self.child: Child | None = None

    @property
    def url(self) -> str:
        """Where a caller on this machine reaches it."""
        host, port = self._address()
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> None:
        """Spawn it."""
        descriptor = self._listener.fileno()
        argv = [sys.executable, "-m", "cli.embedded.run_api", str(descriptor)]
        self.child = self.spawn(Command(argv, self._env, self._log, cwd=Path.cwd(), pass_fds=(descriptor,)))

    def ready(self) -> bool:
        """Whether it finds every dependency."""
        return answers_ok(*self._address(), "/readyz")

    def stop(self) -> None:
        """Answer the waiting callers, then end."""
        if self.child is not None:
            self.child.stop(_STOP_GRACE)
        self.child = None

    def _address(self) -> tuple[str, int]:
        host, port = self._listener.getsockname()[:2]
        return _ANY.get(host, host), port
