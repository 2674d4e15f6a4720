"""A Celery worker as a child process."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from cli.embedded.child import Child, Command
from cli.embedded.paths import Layout


class Worker:
    """One worker with the threads pool; says that it is ready by touching a file."""

    url = ""
    spawn: Callable[[Command], Child] = Child

    def __init__(
        self, layout: Layout, env: Mapping[str, str], *, slots: int, grace: float = 25.0, name: str = "worker"
    ) -> None:
        """`grace` is the worker's own drain time in seconds; it is killed five seconds later."""
        self.name = name
        self._layout = layout
        self._env = env
        self._slots = slots
        self._grace = grace
        self._ready_file = layout.run / f"{name}-ready"
        self.child: Child | None = None

    def start(self) -> None:
        """Spawn it."""
        self._ready_file.unlink(missing_ok=True)
        argv = [sys.executable, "-m", "cli.embedded.run_worker", "worker", "--pool", "threads"]
        argv += ["--concurrency", str(self._slots), "--without-gossip", "--without-mingle", "-l", "WARNING"]
        argv += ["--hostname", f"{self.name}@%h"]
        env = {**self._env, "FLUMES_READY_FILE": str(self._ready_file)}
        self.child = self.spawn(Command(argv, env, self._layout.logs / f"{self.name}.log", cwd=Path.cwd()))

    def ready(self) -> bool:
        """Whether it consumes and polls."""
        return self._ready_file.exists()

    def stop(self) -> None:
        """Let running windows finish, then end."""
        if self.child is not None:
            self.child.stop(self._grace + 5)
        self.child = None
