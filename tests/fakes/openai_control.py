"""Driving a fake server: the same calls whether it runs in this process or in its own."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from tests.fakes.llm_script import Json, Script
from tests.fakes.openai_server import make_server

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Control:
    """The control API of a fake server at `url` (without /v1)."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.base_url = f"{url}/v1"

    def script(self, *rules: Json, replace: bool = False) -> None:
        """Push rules: `{"match": ..., "action": ..., "times": 1}`."""
        self._call("script", {"rules": list(rules), "replace": replace})

    def settings(self, **changes: Any) -> Json:
        """Change latencies, dimensions, supports, ignores, refuses, facts; returns all."""
        return dict(self._call("settings", changes))

    def log(self, kind: str | None = None) -> list[Json]:
        """Every request so far, oldest first."""
        return [line for line in self._call("log") if kind in (None, line["kind"])]

    def hanging(self) -> int:
        """How many requests hang now."""
        return int(self._call("hanging")["count"])

    def wait_hanging(self, count: int, seconds: float = 10.0) -> None:
        """Until at least `count` requests hang; TimeoutError otherwise."""
        deadline = time.monotonic() + seconds
        while self.hanging() < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.hanging()} of {count} requests hang")
            threading.Event().wait(0.02)

    def release(self) -> int:
        """Let everything go that hangs; returns how many."""
        return int(self._call("release", {})["released"])

    def reset(self) -> None:
        """No rules, no log, nothing hanging, the options of the start."""
        self._call("reset", {})

    def _call(self, path: str, body: Any = None) -> Any:
        data = None if body is None else orjson.dumps(body)
        request = urllib.request.Request(f"{self.url}/_control/{path}", data)
        with _DIRECT.open(request, timeout=10) as answer:
            return orjson.loads(answer.read())


class FakeOpenAI(Control):
    """A fake server in a thread of this process; use as a context manager."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=2048)
        self._server = make_server(Script())
        self._thread = threading.Thread(target=self._serve, name="fake-openai", daemon=True)
        super().__init__(f"http://127.0.0.1:{self._socket.getsockname()[1]}")

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])

    def __enter__(self) -> Self:
        self._thread.start()
        _wait_ready(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.release()
        self._server.should_exit = True
        self._thread.join(timeout=5)
        self._socket.close()


class FakeOpenAIProcess(Control):
    """A fake server in a process of its own, so that its CPU is metered apart; use as a context manager."""

    def __init__(self, folder: Path, *options: str) -> None:
        port_file = folder / "fake-openai.port"
        port_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "tests.fakes.openai_server", "--port-file", str(port_file), *options]
        self.process = subprocess.Popen(command, cwd=Path(__file__).parents[2])
        deadline = time.monotonic() + 15
        while not port_file.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise RuntimeError("the fake server did not start")
            threading.Event().wait(0.02)
        super().__init__(f"http://127.0.0.1:{port_file.read_text(encoding='utf-8')}")

    def __enter__(self) -> Self:
        _wait_ready(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _wait_ready(control: Control, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            control.hanging()
        except OSError:
            if time.monotonic() > deadline:
                raise
            threading.Event().wait(0.02)
        else:
            return
