"""What is done to the service: parts killed alone and together, workers paused, links silent or reset, a store emptied.

A fault made of kills is written as the kinds of its victims joined by " + "; they die together and come back together.
"""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from cli.embedded.api import Api
from cli.embedded.part import Part
from tests.chaos.fleet import LINKS, Fleet, Program
from tests.chaos.recovery import Recovery
from tests.stack import flush_redis

EVERYTHING = "api + api + worker + worker + engine + valkey wiped + postgres killed"

OTHERS = ("worker paused", "link reset", "valkey emptied", *(f"{link} silent" for link in LINKS))
# One deck: each part alone, the worst mixes, and whatever is no kill.
DECK = (
    *("api", "worker", "worker", "engine", "valkey", "valkey wiped", "postgres stopped at once", "postgres killed"),
    *("api at an edge", "worker at an edge", "worker at an edge + worker at an edge"),
    *("worker + engine", "worker + worker", "api + postgres killed", "worker + postgres stopped at once"),
    *("api + valkey wiped", "worker + worker + valkey wiped", "api + api + engine"),
    *("worker + engine + postgres killed", EVERYTHING, *OTHERS),
)
# The same in small: fourteen kills, each kind of part, the mixes that found most.
SHORT = (
    *("worker at an edge", "worker + engine", "worker + worker", "api + postgres killed"),
    *("api + valkey wiped", "worker + postgres stopped at once", "api at an edge", *OTHERS),
)
WORKER_POINTS = (
    "claim.after", "extract.before", "extract.after", "commit.before", "commit.after", "index.written",
    "notify.before",
)  # fmt: skip
API_POINT = "accept.after"
_AT_EDGE = 20.0  # seconds a part may live after it was armed
_EDGE = " at an edge"


def deal(rng: random.Random, deck: Sequence[str]) -> Iterator[str]:
    """Faults for ever: the deck over and over, shuffled anew each time."""
    while True:
        yield from rng.sample(deck, len(deck))


class Faults:
    """Does one fault at a time and mends it; counts kills by part, kills by how many at once, and the other faults."""

    def __init__(self, fleet: Fleet, recovery: Recovery, rng: random.Random) -> None:
        self.kills: Counter[str] = Counter()
        self.together: Counter[str] = Counter()
        self.others: Counter[str] = Counter()
        self._fleet = fleet
        self._recovery = recovery
        self._rng = rng

    def do(self, name: str) -> None:
        """One fault from its beginning to its mending."""
        special: dict[str, Callable[[], None]] = {
            "worker paused": self._pause,
            "link reset": self._reset,
            "valkey emptied": self._empty,
        }
        kinds = name.split(" + ")
        if name in special:
            special[name]()
        elif name.endswith(" silent"):
            self._silence(name.removesuffix(" silent"))
        elif kinds[0].endswith(_EDGE):
            self._at_edge([kind.removesuffix(_EDGE) for kind in kinds])
        else:
            self._kill(kinds)

    def _kill(self, kinds: Sequence[str]) -> None:
        victims = self._victims(kinds)
        self._rng.shuffle(victims)
        self._strike(victims)
        for kind, _ in victims:
            if kind == "valkey wiped":
                self._fleet.wipe_valkey()
        self._rest(1.2)
        self._fleet.revive(*(part for _, part in victims))

    def _victims(self, kinds: Sequence[str]) -> list[tuple[str, Part]]:
        """A part for each kind, none twice."""
        left = self._fleet.parts()
        found: list[tuple[str, Part]] = []
        for kind in kinds:
            part = self._rng.choice([part for part in left if kind.split(maxsplit=1)[0] in part.name])
            left.remove(part)
            found.append((kind, part))
        return found

    def _strike(self, victims: Sequence[tuple[str, Part]]) -> None:
        """Workers are stopped for the moment that asking Postgres takes: what they hold is what they held at death."""
        workers = [part for kind, part in victims if kind == "worker"]
        self._signal(workers, signal.SIGSTOP)
        held = [item for part in workers if part.child for item in self._recovery.held_by(part.child.pid)]
        for kind, part in victims:
            if kind == "postgres stopped at once":
                self._fleet.quit_postgres()
            else:
                self._fleet.kill(part)
            self.kills[kind] += 1
        self.together[f"{len(victims)} at once"] += 1
        self._recovery.watch(held, alone=len(victims) == 1)

    def _at_edge(self, kinds: Sequence[str]) -> None:
        """Killed, started again with a crash point, and dead by their own hand between two steps of their next work."""
        victims = self._victims(kinds)
        self._strike(victims)
        armed: list[Program] = []
        for _, part in victims:
            assert isinstance(part, Program)
            point = API_POINT if isinstance(part, Api) else self._rng.choice(WORKER_POINTS)
            armed.append(self._fleet.armed(part, point))
        for part in armed:
            part.start()
        died = self._wait_dead(armed)
        for (kind, _), part in zip(victims, armed, strict=True):
            self.kills[f"{kind}{_EDGE}" if part in died else kind] += 1
            if part not in died:
                self._fleet.kill(part)
        self.together[f"{len(died)} at an edge"] += 1
        self._fleet.revive(*(self._fleet.disarmed(part) for part in armed))

    def _wait_dead(self, armed: Sequence[Program]) -> list[Program]:
        """Those that died by themselves."""
        deadline = time.monotonic() + _AT_EDGE
        died: list[Program] = []
        while len(died) < len(armed) and time.monotonic() < deadline:
            for part in armed:
                if part not in died and part.child is not None and part.child.exit_code() is not None:
                    died.append(part)
                    self._recovery.watch(self._recovery.held_by(part.child.pid), alone=len(armed) == 1)
            time.sleep(0.02)
        return died

    def _pause(self) -> None:
        """Longer than its lease: when it wakes, another has its work, and what it still writes must not count."""
        part = self._rng.choice(self._fleet.workers)
        assert part.child is not None
        self._signal([part], signal.SIGSTOP)
        self._recovery.watch(self._recovery.held_by(part.child.pid), alone=True)
        time.sleep(self._fleet.lease + self._rng.uniform(0.5, 2))
        self._signal([part], signal.SIGCONT)
        self.others["worker paused"] += 1

    def _silence(self, name: str) -> None:
        link = self._fleet.proxies.links[name]
        self._fleet.proxies.do(link.silence)
        self._rest(3, least=1.5)
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

    @staticmethod
    def _signal(parts: Sequence[Part], number: signal.Signals) -> None:
        for part in parts:
            assert part.child is not None
            part.child.signal(number)
