"""The service under attack: real processes on one temporary folder, with a proxy on each link that can be cut."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

from cli.embedded import environment
from cli.embedded.api import Api
from cli.embedded.child import Child, Command
from cli.embedded.listener import listen
from cli.embedded.part import Part
from cli.embedded.worker import Worker
from shared.settings import Settings
from tests.chaos.nursery import Nursery
from tests.chaos.proxy import Address, Proxies
from tests.chaos.rising import Rising, runs
from tests.e2e.flumes import make_key
from tests.fakes.openai_control import Control
from tests.stack import QDRANT_KEY, Stack, wait_until

Program = Api | Worker
LINKS = ("api-redis", "worker-redis", "worker-engine", "worker-llm")
_READY = 90.0  # seconds the scripted model may need to start
_THINKING = (0.005, 0.075)  # the scripted model answers after the first, and up to the second more


class Fleet:
    """Parts are started and killed from the main thread only: the kernel ties a child to the thread that spawned it."""

    def __init__(self, *, lease: float, apis: int = 2, workers: int = 2, **settings: object) -> None:
        self.lease = lease
        self.stack = Stack()
        self.proxies = Proxies()
        self._settings = {
            "lease": lease, "llm_timeout": 5, "embeddings_timeout": 3, "attempt_deadline": 10, "slots": 8, "chaos": 1,
            "grace": 8, **settings,
        }  # fmt: skip
        self._listeners: list[socket.socket] = []
        self.llm = self._start_llm()
        self.database_url = self.stack.new_database()
        self._make_links()
        self._nursery = self._start_nursery()
        self._listeners.extend(listen("127.0.0.1", 0) for _ in range(apis))
        self.apis = [self._api(number) for number in range(1, apis + 1)]
        self.workers = [self._worker(number) for number in range(1, workers + 1)]
        self.key = make_key(self.database_url)
        self.rising = Rising()
        self.rising.begin(*self.apis, *self.workers)
        self.rising.wait()

    @property
    def urls(self) -> list[str]:
        """Of the API processes."""
        return [api.url for api in self.apis]

    @property
    def logs(self) -> Path:
        """Where every part writes."""
        return self.stack.home.layout.logs

    def parts(self) -> list[Part]:
        """All that can be killed."""
        return [self.stack.postgres, self.stack.valkey, self.stack.engine, *self.apis, *self.workers]

    def kill(self, part: Part) -> None:
        """SIGKILL, reaped; nothing when it ended before."""
        assert part.child is not None
        part.child.signal(signal.SIGKILL)
        part.child.kill()

    def quit_postgres(self) -> None:
        """An immediate stop: no checkpoint, no goodbye, recovery from the log at the next start."""
        child = self.stack.postgres.child
        assert child is not None
        child.signal(signal.SIGQUIT)
        child.result(30)

    def wipe_valkey(self) -> None:
        """Between a kill and the next start: all its files."""
        shutil.rmtree(self.stack.home.layout.valkey, ignore_errors=True)

    def calm(self) -> None:
        """Everything runs and every link speaks, wherever a fault was cut short."""
        for link in self.proxies.links.values():
            self.proxies.do(link.speak)
        for part in self.parts():
            if part.child is not None:
                part.child.signal(signal.SIGCONT)
        programs: list[Program] = [*self.apis, *self.workers]
        for part in programs:
            if not runs(part):
                self.disarmed(part)
        self.rising.begin(*(part for part in self.parts() if not runs(part)))
        self.rising.wait()

    def armed(self, part: Program, point: str) -> Program:
        """The same API or worker, made to die at a named crash point at its next start."""
        return self._replace(part, crash_at=point)

    def disarmed(self, part: Program) -> Program:
        """The same API or worker without a crash point."""
        return self._replace(part)

    def settings(self) -> Settings:
        """As the programs see them, without the proxies: for the check at the end."""
        url = urlsplit(self.stack.engine.url)
        return Settings(
            database_url=self.database_url, redis_url=self.stack.valkey.url, qdrant_url=url.geturl(),
            qdrant_api_key=QDRANT_KEY, openai_base_url=self.llm.base_url, openai_api_key="sk-test",
        )  # fmt: skip

    def close(self) -> None:
        """Kill the programs, stop the servers, remove the folder."""
        programs: list[Part] = [*self.workers, *self.apis]
        for part in programs:
            if part.child is not None:
                part.child.signal(signal.SIGCONT)
                part.child.kill()
        for listener in self._listeners:
            listener.close()
        self._nursery.close()
        self._llm.kill()
        self.proxies.close()
        self.stack.close()

    def _start_llm(self) -> Control:
        """In a session of its own: what interrupts the runner must not reach it."""
        layout = self.stack.home.layout
        layout.run.mkdir(mode=0o700, parents=True, exist_ok=True)
        port_file = layout.run / "llm.port"
        argv = [sys.executable, "-m", "tests.fakes.openai_server", "--port-file", str(port_file)]
        env = environment.program(environment.isolated(os.environ), own_database=True, extra={})
        self._llm = Child(Command(argv, env, layout.logs / "llm.log", cwd=Path.cwd()))
        wait_until(port_file.exists, "the scripted model listens", _READY)
        llm = Control(f"http://127.0.0.1:{port_file.read_text(encoding='utf-8')}")
        least, spread = _THINKING
        llm.settings(chat_seconds=least, chat_jitter=spread, embeddings_seconds=0.005, log_text=False)
        return llm

    def _start_nursery(self) -> Nursery:
        env = environment.program(environment.isolated(os.environ), own_database=True, extra={})
        address = self.stack.home.layout.run / "nursery.sock"
        return Nursery(address, Command((), env, self.logs / "nursery.log", cwd=Path.cwd()))

    def _make_links(self) -> None:
        run = self.stack.home.layout.run
        valkey, engine, llm = self.stack.valkey.socket, urlsplit(self.stack.engine.url), urlsplit(self.llm.url)
        for name in ("api-redis", "worker-redis"):
            self.proxies.unix(name, run / f"{name}.sock", valkey)
        self.proxies.tcp("worker-engine", (str(engine.hostname), int(engine.port or 0)))
        self.proxies.tcp("worker-llm", (str(llm.hostname), int(llm.port or 0)))

    def _url(self, link: str) -> str:
        where: Address | None = self.proxies.links[link].listening
        assert where is not None
        return f"unix://{where}?db=0" if isinstance(where, Path) else f"http://{where[0]}:{where[1]}"

    def _environment(self, role: str, **more: object) -> dict[str, str]:
        model = {"OPENAI_BASE_URL": f"{self._url('worker-llm')}/v1", "OPENAI_API_KEY": "sk-test"}
        links = {"redis_url": self._url(f"{role}-redis"), "qdrant_url": self._url("worker-engine")}
        return self.stack.environment(self.database_url, **{**model, **links, **self._settings, **more})

    def _api(self, number: int, **more: object) -> Api:
        listener = self._listeners[number - 1]
        api = Api(listener, self._environment("api", **more), self.logs, name=f"api-{number}")
        api.spawn = self._nursery.spawn
        return api

    def _worker(self, number: int, **more: object) -> Worker:
        slots, grace = int(str(self._settings["slots"])), float(str(self._settings["grace"]))
        env = self._environment("worker", **more)
        worker = Worker(self.stack.home.layout, env, slots=slots, grace=grace, name=f"worker-{number}")
        worker.spawn = self._nursery.spawn
        return worker

    def _replace(self, part: Program, **more: object) -> Program:
        fresh: Program
        if isinstance(part, Api):
            index = self.apis.index(part)
            fresh = self.apis[index] = self._api(index + 1, **more)
        else:
            index = self.workers.index(part)
            fresh = self.workers[index] = self._worker(index + 1, **more)
        return fresh
