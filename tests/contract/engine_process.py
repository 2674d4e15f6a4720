"""A vector engine as a process of its own, that tests may stop, kill and start again on the same folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

START_DEADLINE = 30.0


class EngineProcess:
    """`python -m cli.vector_engine` on a free port of 127.0.0.1, data below `folder`."""

    def __init__(self, folder: Path, *options: str, env: dict[str, str] | None = None) -> None:
        self.data_dir = folder / "data"
        self.log = folder / "log"
        self._port_file = folder / "port"
        self._options = options
        self._env = {**os.environ, **(env or {})}
        self._port = "0"
        self.process = self.start()

    @property
    def url(self) -> str:
        """Where it serves, the same after every start."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> subprocess.Popen[bytes]:
        """Spawns it and waits until it serves."""
        self._port_file.unlink(missing_ok=True)
        self.process = self.spawn("--port-file", str(self._port_file), log=self.log)
        deadline = time.monotonic() + START_DEADLINE
        while not self._port_file.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the engine did not start: {self.log.read_text()}")
            time.sleep(0.01)
        self._port = self._port_file.read_text().strip()
        return self.process

    def spawn(self, *options: str, log: Path | None = None) -> subprocess.Popen[bytes]:
        """One process on the same folder, not waited for; without a log file its stderr is a pipe."""
        command = [sys.executable, "-m", "cli.vector_engine", "--data-dir", str(self.data_dir), "--port", self._port]
        command += [*self._options, *options]
        if log is None:
            return subprocess.Popen(command, env=self._env, stderr=subprocess.PIPE)
        with log.open("ab") as stderr:
            return subprocess.Popen(command, env=self._env, stderr=stderr)

    def kill(self) -> None:
        """No goodbye: SIGKILL."""
        self.process.kill()
        self._reap()

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self._reap()

    def close(self) -> None:
        """Gone, whatever state it was in."""
        if self.process.poll() is None:
            self.stop()

    def _reap(self) -> int:
        return self.process.wait(timeout=START_DEADLINE)
