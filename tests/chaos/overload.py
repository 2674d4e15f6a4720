"""Ten times the load that the service can work off, by one tenant: `python -m tests.chaos.overload --seconds 20`.

One API and one worker process with a model that takes its time. What they work off flat out is measured first; then a
noisy tenant posts at that rate, then at ten times it, while a quiet one posts two messages a second and waits for each.
Prints what was refused and how, the quiet tenant's answer times, and the memory of both processes, beside each other.
"""

from __future__ import annotations

import argparse
import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import orjson
import psycopg

from tests.bench.meter import resident
from tests.bench.names import name
from tests.bench.pace import Missed, Sample, closed, steady
from tests.chaos.recovery import percentile
from tests.e2e.flumes import make_key
from tests.fakes.openai_control import FakeOpenAIProcess
from tests.stack import Service, Stack, wait_until

_MODEL_SECONDS = "0.3"  # for one answer of the model
_SETTINGS = {"embeddings": "none", "slots": 8, "tenant_cap": 6, "backlog_messages_per_project": 200}
_QUIET = 2.0  # posts a second
_CALLERS = 24
_NUMBERS = count()
_IN_LINE = """
    SELECT extract(epoch FROM e.started_at - e.accepted_at)::float8 * 1000 FROM events e
    JOIN projects p ON p.id = e.project_id AND p.name = 'quiet'
    WHERE e.started_at IS NOT NULL AND e.accepted_at > clock_timestamp() - make_interval(secs => %s)
"""


@dataclass(slots=True)
class Answers:
    """Statuses of a phase; refusals that did not say when to come back."""

    statuses: Counter[str] = field(default_factory=Counter)
    without_retry_after: int = 0

    @property
    def server_errors(self) -> int:
        return sum(count for status, count in self.statuses.items() if status.startswith(("5", "lost")))


class Tenant:
    """A caller with a key of its own; every post is for a new user, so that nothing is worked on together."""

    def __init__(self, url: str, key: str) -> None:
        self._url, self._headers = urlsplit(url), {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._local = threading.local()
        self._lock = threading.Lock()
        self.answers = Answers()

    def turn(self, _caller: int, _step: int, *, wait: bool = False) -> None:
        """One post. Raises `Missed` unless it was accepted (and, waited for, worked on)."""
        word = name(next(_NUMBERS))
        body = {"messages": [{"role": "user", "content": f"I own a boat called {word}"}], "user_id": f"user-{word}"}
        prefer = "wait=60" if wait else "respond-async"
        status, retry_after = self._post(orjson.dumps(body), prefer)
        with self._lock:
            self.answers.statuses[status] += 1
            self.answers.without_retry_after += status == "429" and not retry_after
        if status != ("200" if wait else "202"):
            raise Missed(status)

    def _post(self, body: bytes, prefer: str) -> tuple[str, str | None]:
        line: http.client.HTTPConnection | None = getattr(self._local, "line", None)
        if line is None:
            line = http.client.HTTPConnection(self._url.hostname or "", self._url.port, timeout=90)
            self._local.line = line
        try:
            line.request("POST", "/v1/memories/", body, self._headers | {"Prefer": prefer})
            answer = line.getresponse()
            answer.read()
            return str(answer.status), answer.getheader("Retry-After")
        except (OSError, http.client.HTTPException) as error:
            line.close()
            return f"lost: {type(error).__name__}", None


@dataclass(slots=True)
class Phase:
    """What one phase came to."""

    name: str
    noisy: Answers
    quiet: Sample
    in_line: list[float]  # milliseconds from accepted to begun, of the quiet tenant's events
    api: float  # megabytes at its end
    worker: float


class Field:
    """The processes and both tenants."""

    def __init__(self, service: Service, model: FakeOpenAIProcess) -> None:
        settings = {"OPENAI_BASE_URL": model.base_url, "OPENAI_API_KEY": "sk-test", **_SETTINGS}
        self.api, self.worker = service.start_api(**settings), service.start_worker(**settings)
        self.url = service.database_url
        self.noisy = Tenant(self.api.url, make_key(service.database_url, "noisy"))
        self.quiet = Tenant(self.api.url, make_key(service.database_url, "quiet"))

    def saturation(self, seconds: float) -> float:
        """Posts a second that are worked off when every caller posts as soon as it has its answer."""
        return closed(_CALLERS, seconds, lambda *at: self.noisy.turn(*at, wait=True)).per_second

    def phase(self, title: str, per_second: float, seconds: float) -> Phase:
        """The noisy tenant posts at this rate while the quiet one waits for each of its posts."""
        self.noisy.answers = Answers()
        noise = threading.Thread(target=self._noise, args=(per_second, seconds))
        noise.start()
        quiet = steady(_QUIET, seconds, 8, lambda *at: self.quiet.turn(*at, wait=True))
        noise.join()
        api, worker = (self._resident(part.child) for part in (self.api, self.worker))
        return Phase(title, self.noisy.answers, quiet, self._in_line(seconds), api, worker)

    def _in_line(self, seconds: float) -> list[float]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            rows = connection.execute(_IN_LINE, [seconds]).fetchall()
        return [waited for (waited,) in rows]

    def _noise(self, per_second: float, seconds: float) -> None:
        if per_second:
            steady(per_second, seconds, _CALLERS, self.noisy.turn)

    @staticmethod
    def _resident(child: object) -> float:
        return resident(child.pid)  # type: ignore[attr-defined]  # both run

    def calm(self) -> dict[str, int]:
        """Events by status, once none is open any more."""

        def ended() -> dict[str, int] | None:
            with psycopg.connect(self.url, autocommit=True) as connection:
                rows = connection.execute("SELECT status, count(*) FROM events GROUP BY status").fetchall()
            found: dict[str, int] = dict(rows)
            return None if found.keys() & {"PENDING", "RUNNING"} else found

        found = wait_until(ended, "everything accepted to end", 600)
        assert found is not None
        return found


@contextmanager
def field_of_two() -> Iterator[Field]:
    """Everything on a temporary folder."""
    stack = Stack()
    service = Service(stack)
    with TemporaryDirectory() as folder, FakeOpenAIProcess(Path(folder), "--chat-seconds", _MODEL_SECONDS) as model:
        try:
            yield Field(service, model)
        finally:
            service.close()
            stack.close()


def main() -> None:
    """Four phases and a table."""
    parser = argparse.ArgumentParser(prog="tests.chaos.overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="of each phase")
    seconds = parser.parse_args().seconds
    with field_of_two() as both:
        most = both.saturation(seconds)
        both.calm()
        phases = [
            both.phase("quiet alone", 0, seconds),
            both.phase("1x", most, seconds),
            both.phase("10x", most * 10, seconds),
            both.phase("10x again", most * 10, seconds),
        ]
        began = time.monotonic()
        ended = both.calm()
        _print(most, phases, ended, time.monotonic() - began)


def _print(most: float, phases: list[Phase], ended: dict[str, int], seconds: float) -> None:
    alone, normal = phases[0], phases[1]
    print(f"worked off flat out: {most:.1f} posts/s; afterwards {seconds:.0f} s until all had ended: {ended}\n")
    print("| noisy tenant | its answers | 5xx or lost | 429 without Retry-After | quiet: done | p95 ms | / alone"
          " | in line p95 ms"
          " | API MB (/ 1x) | worker MB (/ 1x) |\n|---|---|---|---|---|---|---|---|---|---|")  # fmt: skip
    for phase in phases:
        p95, base = (percentile(one.quiet.milliseconds, 0.95) for one in (phase, alone))
        errors = phase.noisy.server_errors + sum(phase.quiet.errors.values())
        print(
            f"| {phase.name} | {dict(phase.noisy.statuses)} | {errors} | {phase.noisy.without_retry_after} |"
            f" {phase.quiet.count} | {p95:.0f} | {p95 / base:.2f} |"
            f" {percentile(phase.in_line, 0.95):.0f} | {phase.api:.0f} ({phase.api / normal.api:.2f}) |"
            f" {phase.worker:.0f} ({phase.worker / normal.worker:.2f}) |"
        )


if __name__ == "__main__":
    main()
