"""A service whose links can be cut: API and workers are real processes, each with a proxy before Valkey and engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cli.embedded.api import Api
from cli.embedded.worker import Worker
from tests.chaos.proxy import Link, Proxies
from tests.e2e.flumes import Caller, make_key
from tests.fakes.openai_control import FakeOpenAI
from tests.stack import Service, Stack, crash

LEASE = {"lease": 3, "poll": 0.3}


@dataclass(slots=True)
class Wired:
    """A service with its model and its links; `start_api` and `start_worker` go through the links."""

    service: Service
    llm: FakeOpenAI
    links: Proxies
    key: str
    callers: list[Caller] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)

    @property
    def api_redis(self) -> Link:
        return self.links.links["api-redis"]

    @property
    def worker_redis(self) -> Link:
        return self.links.links["worker-redis"]

    @property
    def engine(self) -> Link:
        return self.links.links["engine"]

    def silence(self, *links: Link) -> None:
        """Half-open from now on."""
        for link in links:
            self.links.do(link.silence)

    def speak(self, *links: Link) -> None:
        """New connections are served again."""
        for link in links:
            self.links.do(link.speak)

    def start_api(self, **settings: object) -> Api:
        return self.service.start_api(**self._settings("api"), **settings)

    def start_worker(self, **settings: object) -> Worker:
        worker = self.service.start_worker(**self._settings("worker"), **settings)
        self.workers.append(worker)
        return worker

    def crash_workers(self) -> None:
        """Whoever still runs."""
        for worker in self.workers:
            if worker.child is not None and worker.child.exit_code() is None:
                crash(worker)
        self.workers.clear()

    def caller(self, api: Api) -> Caller:
        """With a key of the default project; closed at the end of the test."""
        made = Caller(api.url, self.key)
        self.callers.append(made)
        return made

    def _settings(self, role: str) -> dict[str, object]:
        engine = self.engine.listening
        assert isinstance(engine, tuple)
        return {
            "OPENAI_BASE_URL": self.llm.base_url, "OPENAI_API_KEY": "sk-test", "embeddings": "none",
            "redis_url": f"unix://{self.links.links[f'{role}-redis'].listening}?db=0",
            "qdrant_url": f"http://{engine[0]}:{engine[1]}", "chaos": 1,
        }  # fmt: skip


@contextmanager
def wire(stack: Stack) -> Iterator[Wired]:
    """Valkey, engine and model are up; API and workers are started by the test."""
    service, links = Service(stack), Proxies()
    run = stack.home.layout.run
    for name in ("api-redis", "worker-redis"):
        (run / f"{name}.sock").unlink(missing_ok=True)
        links.unix(name, run / f"{name}.sock", stack.valkey.socket)
    engine = urlsplit(stack.engine.url)
    links.tcp("engine", (str(engine.hostname), int(engine.port or 0)))
    with FakeOpenAI() as llm:
        made = Wired(service, llm, links, make_key(service.database_url))
        try:
            yield made
        finally:
            for caller in made.callers:
                caller.http.close()
            service.close()
            links.close()
