"""A real `flumes up` in a process of its own, for tests: started, killed in part or whole, interrupted."""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

import httpx
import psutil

from cli.embedded import environment
from cli.embedded.child import Child, Command
from tests.stack import wait_until

PARTS = ("postgres", "valkey", "vector-engine", "api", "worker")
_MARKS = {
    "postgres": "bin/postgres",
    "valkey": "valkey-server",
    "vector-engine": "cli.vector_engine",
    "api": "cli.embedded.run_api",
    "worker": "cli.embedded.run_worker",
}


def run_flumes(*words: str, env: dict[str, str] | None = None, folder: Path, timeout: float = 60) -> tuple[int, str]:
    """Run a `flumes` command to its end: exit code and everything it wrote."""
    log = folder / "command.log"
    log.unlink(missing_ok=True)
    code = spawn_flumes(words, log, env or {}).result(timeout)
    return code, log.read_text(encoding="utf-8")


class Up:
    """One `flumes up` on a data directory; `start` may follow any kind of end."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        """`settings` are environment variables by their full names."""
        self.data_dir = data_dir
        self.settings = settings
        self.log = data_dir.with_name(f"{data_dir.name}.screen")
        self.child: Child | None = None

    def start(self, *options: str) -> None:
        """Until it serves."""
        self.log.unlink(missing_ok=True)
        words = ("up", "--data-dir", str(self.data_dir), "--port", "0", *options)
        self.child = spawn_flumes(words, self.log, self.settings)
        wait_until(lambda: "Ctrl-C stops" in self.screen or self.ended, "flumes up serves", timeout=60)
        assert not self.ended, self.screen

    @property
    def screen(self) -> str:
        """What it shows so far."""
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    @property
    def ended(self) -> bool:
        """Whether the supervisor is gone."""
        return self.child is None or self.child.exit_code() is not None

    @property
    def address(self) -> str:
        """Where the API listens."""
        return self._shown("address")

    @property
    def key(self) -> str:
        """The first API key."""
        return self._shown("API key")

    @property
    def pids(self) -> dict[str, int]:
        """Pid by part, of the parts that run now."""
        assert self.child is not None
        children = psutil.Process(self.child.pid).children()
        return {name: child.pid for child in children if (name := _part(child)) is not None}

    def family(self) -> list[psutil.Process]:
        """Supervisor, parts and everything below them."""
        assert self.child is not None
        top = psutil.Process(self.child.pid)
        return [top, *top.children(recursive=True)]

    def kill(self, part: str) -> None:
        """Kill -9 one part, wait until another process has taken its place."""
        before = self.pids[part]
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: self.pids.get(part, before) != before, f"{part} was started again")

    def kill_everything(self) -> list[psutil.Process]:
        """Kill -9 supervisor and all below it at once; who they were."""
        family = self.family()
        for process in family:
            process.kill()
        self._reap()
        return family

    def stop(self) -> float:
        """One Ctrl-C; the exit code."""
        assert self.child is not None
        self.child.signal(signal.SIGINT)
        return self.child.result(60)

    def close(self) -> None:
        """Whatever state it is in, nothing of it runs afterwards."""
        if not self.ended:
            family = self.kill_everything()
            wait_gone(family)

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request with the first key."""
        headers = {"Authorization": f"Bearer {self.key}", **options.pop("headers", {})}
        with httpx.Client(base_url=self.address, trust_env=False, timeout=30) as client:
            return client.request(method, path, headers=headers, **options)

    def _shown(self, name: str) -> str:
        found = re.search(rf"^  {name} +(\S+)$", self.screen, re.MULTILINE)
        assert found, self.screen
        return found[1]

    def _reap(self) -> None:
        assert self.child is not None
        self.child.kill()


def wait_gone(processes: list[psutil.Process]) -> None:
    """Until none of these runs any more; a zombie that nobody reaps counts as gone."""
    wait_until(lambda: not [p for p in processes if _alive(p)], "no process is left", timeout=30)


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _part(process: psutil.Process) -> str | None:
    try:
        line = " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return None
    if "tether.py" in line:  # not yet the program it will be
        return None
    return next((name for name, mark in _MARKS.items() if mark in line), None)


def spawn_flumes(words: tuple[str, ...], log: Path, settings: dict[str, str]) -> Child:
    """A `flumes` command that writes to `log`; of the environment it sees `settings` and no other service variable."""
    env = environment.program(environment.isolated(os.environ), own_database=True, extra=settings)
    return Child(Command([sys.executable, "-m", "cli", *words], env, log))
