"""What is done to the service. A deck holds every fault in its share; dealt again and again, shuffled each time."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator

from cli.embedded.part import Part
from cli.embedded.worker import Worker
from tests.chaos.fleet import LINKS, Fleet, pick
from tests.chaos.recovery import Recovery
from tests.stack import flush_redis

# One deck: twelve kills and seven other faults.
DECK = (
    *("api", "api", "worker", "worker", "worker", "worker", "worker at an edge"),
    *("engine", "valkey", "valkey wiped", "postgres stopped at once", "postgres killed"),
    *("worker paused", "link reset", "valkey emptied"),
    *(f"{link} silent" for link in LINKS),
)
POINTS = (
    "claim.after", "extract.before", "extract.after", "commit.before", "commit.after", "index.written",
    "notify.before",
)  # fmt: skip
_AT_EDGE = 20.0  # seconds a worker may live after it was armed


def deal(rng: random.Random) -> Iterator[str]:
    """Faults for ever."""
    while True:
        deck = list(DECK)
        rng.shuffle(deck)
        yield from deck


class Faults:
    """Does one fault at a time and mends it; counts kills by part and the other faults by name."""

    def __init__(self, fleet: Fleet, recovery: Recovery, rng: random.Random) -> None:
        self.kills: Counter[str] = Counter()
        self.others: Counter[str] = Counter()
        self._fleet = fleet
        self._recovery = recovery
        self._rng = rng

    def do(self, name: str) -> None:
        """One fault from its beginning to its mending."""
        special: dict[str, Callable[[], None]] = {
            "worker at an edge": self._at_edge,
            "worker paused": self._pause,
            "link reset": self._reset,
            "valkey emptied": self._empty,
        }
        if name.endswith(" silent"):
            self._silence(name.removesuffix(" silent"))
        elif name in special:
            special[name]()
        else:
            self._kill(name)

    def _kill(self, name: str) -> None:
        part = pick(self._rng, self._fleet, name.split(maxsplit=1)[0])
        if name == "worker":
            self._kill_worker(part)
        elif name == "postgres stopped at once":
            self._fleet.quit_postgres()
        else:
            self._fleet.kill(part)
        self.kills[name] += 1
        if name == "valkey wiped":
            self._fleet.wipe_valkey()
        self._rest(1.5)
        self._fleet.revive(part)

    def _kill_worker(self, part: Part) -> None:
        """Stopped for the moment that asking Postgres takes, so that what it holds is what it held at its death."""
        assert part.child is not None
        part.child.signal(signal.SIGSTOP)
        held = self._recovery.held_by(part.child.pid)
        self._fleet.kill(part)
        self._recovery.watch(held)

    def _at_edge(self) -> None:
        """A worker that dies by itself between two steps of its next window."""
        worker = self._rng.choice(self._fleet.workers)
        self._kill_worker(worker)
        self.kills["worker"] += 1
        armed = self._fleet.armed(worker, self._rng.choice(POINTS))
        armed.start()
        if self._dies(armed):
            self.kills["worker at an edge"] += 1
        else:
            self._fleet.kill(armed)
            self.kills["worker"] += 1
        self._fleet.revive(self._fleet.disarmed(armed))

    def _dies(self, worker: Worker) -> bool:
        assert worker.child is not None
        deadline = time.monotonic() + _AT_EDGE
        while time.monotonic() < deadline:
            if worker.child.exit_code() is not None:
                return True
            time.sleep(0.05)
        return False

    def _pause(self) -> None:
        """Longer than its lease: when it wakes, another has its work, and what it still writes must not count."""
        part = self._rng.choice(self._fleet.workers)
        assert part.child is not None
        part.child.signal(signal.SIGSTOP)
        self._recovery.watch(self._recovery.held_by(part.child.pid))
        time.sleep(self._fleet.lease + self._rng.uniform(0.5, 2))
        part.child.signal(signal.SIGCONT)
        self.others["worker paused"] += 1

    def _silence(self, name: str) -> None:
        link = self._fleet.proxies.links[name]
        self._fleet.proxies.do(link.silence)
        self._rest(4, least=1.5)
        self._fleet.proxies.do(link.speak)
        self.others[f"{name} silent"] += 1

    def _reset(self) -> None:
        link = self._fleet.proxies.links[self._rng.choice(LINKS)]
        self._fleet.proxies.do(link.reset)
        self.others["link reset"] += 1

    def _empty(self) -> None:
        flush_redis(self._fleet.stack.valkey.url)
        self.others["valkey emptied"] += 1

    def _rest(self, most: float, least: float = 0.0) -> None:
        time.sleep(self._rng.uniform(least, most))
