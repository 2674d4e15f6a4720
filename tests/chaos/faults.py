"""What is done to the service: parts killed alone and together, workers paused, links silent or reset, a store emptied.

A fault made of kills is written as the kinds of its victims joined by " + "; they die and are started again together.
Servers serve again before the next fault. APIs and workers take long to start: meanwhile more may be broken.
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
from tests.chaos.rising import runs
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
    *("valkey wiped + postgres killed", "engine + postgres stopped at once", "engine + valkey wiped"),
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
_AT_EDGE = 60.0  # seconds a part may live after it was armed
_BACK = 300.0  # seconds after which the parts a fault needs must be there
_EDGE = " at an edge"


def deal(rng: random.Random, deck: Sequence[str]) -> Iterator[str]:
    """Faults for ever: the deck over and over, shuffled anew each time."""
    while True:
        yield from rng.sample(deck, len(deck))


class Faults:
    """Does one fault at a time and mends it; counts kills by part, kills by how many at once, and the other faults."""

    def __init__(self, fleet: Fleet, recovery: Recovery, rng: random.Random, say: Callable[[str], None]) -> None:
        self.kills: Counter[str] = Counter()
        self.together: Counter[str] = Counter()
        self.others: Counter[str] = Counter()
        self._fleet = fleet
        self._recovery = recovery
        self._rng = rng
        self._say = say
        self._down: set[Part] = set()  # killed, and not started again yet
        self._armed: dict[Program, tuple[str, float]] = {}  # -> its kind, when it must be dead

    def do(self, name: str) -> None:
        """One fault; programs it killed may still be on their way back."""
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

    def finish(self) -> None:
        """Until everything that was killed is back."""
        while self._armed or self._fleet.rising:
            self._tend()
            time.sleep(0.02)

    def rest(self, most: float, least: float = 0.0) -> None:
        """Some seconds in which parts come back."""
        until = time.monotonic() + self._rng.uniform(least, most)
        self._tend()
        while time.monotonic() < until:
            time.sleep(0.02)
            self._tend()

    def _kill(self, kinds: Sequence[str]) -> None:
        victims = self._victims(kinds)
        self._rng.shuffle(victims)
        self._strike(victims)
        if "valkey wiped" in kinds:
            self._fleet.wipe_valkey()
        self.rest(1.0)
        parts = [part for _, part in victims]
        self._fleet.rising.begin(*parts)
        self._down.clear()
        while any(part in self._fleet.rising for part in parts if not isinstance(part, Program)):
            self._tend()
            time.sleep(0.01)

    def _victims(self, kinds: Sequence[str]) -> list[tuple[str, Part]]:
        """A part for each kind, none twice, of those that serve; waits until there are enough."""
        deadline = time.monotonic() + _BACK
        while (found := self._choose(kinds)) is None:
            assert time.monotonic() < deadline, f"no victims for {kinds}"
            self.rest(0.1)
        return found

    def _choose(self, kinds: Sequence[str]) -> list[tuple[str, Part]] | None:
        left = self._standing()
        found: list[tuple[str, Part]] = []
        for kind in kinds:
            fitting = [part for part in left if kind.split(maxsplit=1)[0] in part.name]
            if not fitting:
                return None
            part = self._rng.choice(fitting)
            left.remove(part)
            found.append((kind, part))
        return found

    def _standing(self) -> list[Part]:
        return [
            part
            for part in self._fleet.parts()
            if part not in self._fleet.rising and part not in self._armed and part not in self._down
        ]

    def _strike(self, victims: Sequence[tuple[str, Part]]) -> None:
        """Workers are stopped for the moment that asking Postgres takes: what they hold is what they held at death."""
        workers = [part for kind, part in victims if kind == "worker"]
        self._signal(workers, signal.SIGSTOP)
        held = [item for part in workers if part.child for item in self._recovery.held_by(part.child.pid)]
        self._down.update(part for _, part in victims)
        for kind, part in victims:
            if kind == "postgres stopped at once":
                self._fleet.quit_postgres()
            else:
                self._fleet.kill(part)
            self.kills[kind] += 1
        self.together[f"{len(victims)} at once"] += 1
        self._recovery.watch(held, alone=self._all_else_serves() and len(victims) == 1)

    def _all_else_serves(self) -> bool:
        return not self._fleet.rising and not self._armed

    def _at_edge(self, kinds: Sequence[str]) -> None:
        """Killed, and started with a crash point: dies by its own hand between two steps of its next work."""
        victims = self._victims(kinds)
        self._strike(victims)
        for kind, part in victims:
            assert isinstance(part, Program)
            point = API_POINT if isinstance(part, Api) else self._rng.choice(WORKER_POINTS)
            armed = self._fleet.armed(part, point)
            armed.start()
            self._armed[armed] = (kind, time.monotonic() + _AT_EDGE)
        self._down.clear()

    def _tend(self) -> None:
        self._fleet.rising.tend()
        self._mend()
        for part, (kind, deadline) in list(self._armed.items()):
            if not runs(part):
                assert part.child is not None
                self._recovery.watch(self._recovery.held_by(part.child.pid), alone=False)
                self.kills[f"{kind}{_EDGE}"] += 1
            elif time.monotonic() > deadline:
                self._fleet.kill(part)
                self.kills[kind] += 1
            else:
                continue
            del self._armed[part]
            self._fleet.rising.begin(self._fleet.disarmed(part))

    def _mend(self) -> None:
        """A part that ended although nobody killed it is started again, as a supervisor does; how often is told."""
        for part in self._standing():
            if not runs(part):
                assert part.child is not None
                self.others[f"{part.name.split('-')[0]} ended by itself"] += 1
                self._say(f"{part.name} ended with {part.child.exit_code()}\n{part.child.log_tail(5)}")
                self._fleet.rising.begin(part)

    def _pause(self) -> None:
        """Longer than its lease: when it wakes, another has its work, and what it still writes must not count."""
        [(_, part)] = self._victims(["worker"])
        assert part.child is not None
        self._signal([part], signal.SIGSTOP)
        self._recovery.watch(self._recovery.held_by(part.child.pid), alone=self._all_else_serves())
        self.rest(self._fleet.lease + 2, least=self._fleet.lease + 0.5)
        self._signal([part], signal.SIGCONT)
        self.others["worker paused"] += 1

    def _silence(self, name: str) -> None:
        link = self._fleet.proxies.links[name]
        self._fleet.proxies.do(link.silence)
        self.rest(3, least=1.5)
        self._fleet.proxies.do(link.speak)
        self.others[f"{name} silent"] += 1

    def _reset(self) -> None:
        link = self._fleet.proxies.links[self._rng.choice(LINKS)]
        self._fleet.proxies.do(link.reset)
        self.others["link reset"] += 1

    def _empty(self) -> None:
        flush_redis(self._fleet.stack.valkey.url)
        self.others["valkey emptied"] += 1

    @staticmethod
    def _signal(parts: Sequence[Part], number: signal.Signals) -> None:
        for part in parts:
            assert part.child is not None
            part.child.signal(number)
