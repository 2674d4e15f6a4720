"""The stack under test and what loads it: one API process, two workers, their servers, the chat server, the load."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import orjson

from cli.embedded import environment
from cli.embedded.api import Api
from cli.embedded.child import Child, Command
from cli.embedded.part import Part
from cli.embedded.worker import Worker
from tests.bench import meter
from tests.bench.pace import Sample
from tests.e2e.flumes import make_key
from tests.fakes.openai_control import Control
from tests.stack import Service, Stack, wait_until

CHAT_SECONDS, EMBEDDINGS_SECONDS = 0.5, 0.05
WORKERS = 2
PROJECTS = 4  # callers belong to different tenants; one tenant alone may not take every slot (FLUMES_TENANT_CAP)
_ROOT = Path(__file__).resolve().parents[2]

P = TypeVar("P", Api, Worker)


class Load:
    """The load generator's process; it ends with this one."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.load"],
            cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        self.pid = self._process.pid

    def order(self, order: str, **details: Any) -> Sample:
        """Have it done and wait. Raises RuntimeError with the reason when it could not be done."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the load generator has no pipes")
        self._process.stdin.write(orjson.dumps({"order": order, **details}) + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        answer = orjson.loads(line) if line else {"failed": "the load generator ended"}
        if "failed" in answer:
            raise RuntimeError(f"{order}: {answer['failed']}")
        return Sample(**answer)

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


class Stage:
    """Everything a measurement needs; use it as a context manager. Starting times are kept in `ready_after`."""

    def __init__(self) -> None:
        self.stack = Stack()
        self.ready_after: dict[str, float] = {}
        self._llm: Child | None = None
        self._load: Load | None = None
        self._service: Service | None = None
        self.workers: list[Worker] = []

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def _open(self) -> None:
        self.llm = self._start_llm()
        self._load = Load()
        self._service = Service(self.stack)
        self.api = self._timed("api", lambda: self.service.start_api(**self.settings))
        self.start_workers()
        self.keys = [make_key(self.service.database_url, f"tenant-{number}") for number in range(PROJECTS)]

    @property
    def service(self) -> Service:
        """The service under test."""
        assert self._service is not None
        return self._service

    @property
    def load(self) -> Load:
        """The load generator."""
        assert self._load is not None
        return self._load

    @property
    def settings(self) -> dict[str, object]:
        """What API and workers are started with; everything else is the default."""
        return {"OPENAI_BASE_URL": self.llm.base_url, "OPENAI_API_KEY": "sk-bench"}

    def start_workers(self, **settings: object) -> None:
        """Workers, with other settings if asked."""
        while len(self.workers) < WORKERS:
            made = self._timed("worker", lambda: self.service.start_worker(**self.settings, **settings))
            self.workers.append(made)

    def stop_workers(self) -> None:
        """Let them finish and end."""
        for worker in self.workers:
            worker.stop()
        self.workers.clear()

    @contextmanager
    def workers_held(self) -> Iterator[None]:
        """Inside the block the workers stand still; idle ones lose nothing by it."""
        held = [worker.child for worker in self.workers if worker.child is not None]
        try:
            for child in held:
                child.signal(signal.SIGSTOP)
            yield
        finally:
            for child in held:
                child.signal(signal.SIGCONT)

    def groups(self) -> dict[str, list[int]]:
        """Pids by process group."""
        stack = self.stack
        parts: dict[str, Sequence[Part]] = {
            "api": [self.api],
            "workers": self.workers,
            "postgres": [stack.postgres],
            "valkey": [stack.valkey],
            "engine": [stack.engine],
        }
        pids = {name: [part.child.pid for part in found if part.child] for name, found in parts.items()}
        assert self._llm is not None
        return pids | {"chat server": [self._llm.pid], "load": [self.load.pid]}

    @contextmanager
    def metered(self) -> Iterator[list[meter.Spent]]:
        """CPU spent inside the block; the list holds it afterwards."""
        spent: list[meter.Spent] = []
        before = meter.read(self.groups())
        yield spent
        spent.append(meter.between(before, meter.read(self.groups())))

    def close(self) -> None:
        """Stop all processes and remove the folder."""
        if self._service is not None:
            self._service.close()
        if self._load is not None:
            self._load.close()
        if self._llm is not None:
            self._llm.kill()
        self.stack.close()
        self._service = self._load = self._llm = None

    def _start_llm(self) -> Control:
        layout = self.stack.home.layout
        port_file = layout.run / "chat-server-port"
        argv = [sys.executable, "-m", "tests.fakes.openai_server", "--port-file", str(port_file)]
        argv += ["--chat-seconds", str(CHAT_SECONDS), "--embeddings-seconds", str(EMBEDDINGS_SECONDS)]
        env = environment.program(environment.isolated(os.environ), own_database=True, extra={})
        self._llm = Child(Command(argv, env, layout.logs / "chat-server.log", cwd=_ROOT))
        wait_until(port_file.exists, "the chat server to start")
        return Control(f"http://127.0.0.1:{port_file.read_text(encoding='utf-8')}")

    def _timed(self, name: str, start: Callable[[], P]) -> P:
        began = time.perf_counter()
        part = start()
        self.ready_after.setdefault(name, time.perf_counter() - began)
        return part
