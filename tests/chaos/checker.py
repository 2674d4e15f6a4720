"""Compares what was promised with what is served. Reads the ledger, the public HTTP API and the order of the history.

It shares no code with the service: what it counts, it counts from answers, and the order things must have is that in
which the callers were given their promises. (Whether the index agrees with Postgres is asked of `flumes verify`'s own
function, and that of the points themselves.)
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.ledger import Promise
from tests.chaos.served import Row, Served

_OPEN = ("PENDING", "RUNNING")
_SHOWN = 10  # examples kept of each kind of fault

Scope = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Verdict:
    """What was found. `lost`: promised and not served. `doubled`: done more than once. `inverted`: out of order.

    `silent`: ended well without its facts. `failed`: ended FAILED. `stuck`: never ended, or left something behind.
    """

    adds: int = 0
    facts: int = 0
    edits: int = 0
    lost: int = 0
    doubled: int = 0
    inverted: int = 0
    silent: int = 0
    failed: int = 0
    stuck: int = 0
    index_faults: int = 0
    examples: dict[str, list[str]] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        return not (
            self.lost or self.doubled or self.inverted or self.silent or self.failed or self.stuck or self.index_faults
        )

    def note(self, kind: str, what: str) -> None:
        """Count one fault and keep some of them to look at."""
        setattr(self, kind, getattr(self, kind) + 1)
        kept = self.examples.setdefault(kind, [])
        if len(kept) < _SHOWN:
            kept.append(what)


@dataclass(slots=True)
class _Expected:
    """What one scope must show: texts that must stand there once, and texts that must not be there."""

    present: Counter[str] = field(default_factory=Counter)
    absent: set[str] = field(default_factory=set)
    patched: dict[str, str] = field(default_factory=dict)  # memory id -> text
    deleted: set[str] = field(default_factory=set)  # memory ids


class Checker:
    """One check of one run."""

    def __init__(self, promises: Iterable[Promise], served: Served) -> None:
        self.verdict = Verdict()
        self._promises = list(promises)
        self._served = served

    def check(self, patience: float) -> Verdict:
        """Wait until every promised event ended (at most `patience` seconds in which none does), then compare."""
        events = self._ended(patience)
        self._check_events(events)
        failed = {event_id for event_id, event in events.items() if event["status"] == "FAILED"}
        for scope, expected in self._expected(failed).items():
            self._check_scope(scope, expected)
        self._check_order()
        self._check_leftovers()
        return self.verdict

    def _adds(self) -> Iterator[Promise]:
        return (promise for promise in self._promises if promise.kind in ("add", "raw"))

    def _ended(self, patience: float) -> dict[str, dict[str, Any]]:
        """Every promised event as it is served."""
        open_ids = {promise.event_id: None for promise in self._adds()}
        found: dict[str, dict[str, Any]] = {}
        deadline = time.monotonic() + patience
        while open_ids and time.monotonic() < deadline:
            before = len(open_ids)
            for event_id in list(open_ids):
                if self._has_ended(event_id, found):
                    del open_ids[event_id]
            if len(open_ids) < before:
                deadline = time.monotonic() + patience
            time.sleep(0.2 if open_ids else 0)
        for event_id in open_ids.keys() - found.keys():
            self.verdict.note("stuck", f"event {event_id} is not answered")
        return found

    def _has_ended(self, event_id: str, found: dict[str, dict[str, Any]]) -> bool:
        """True as well for an event nobody knows."""
        try:
            event = self._served.event(event_id)
        except LookupError:
            return False
        if event is None:
            self.verdict.note("lost", f"event {event_id} is not known")
            return True
        found[event_id] = event
        return event["status"] not in _OPEN

    def _check_events(self, events: dict[str, dict[str, Any]]) -> None:
        keys = Counter(promise.key for promise in self._adds())
        assert max(keys.values(), default=1) == 1, "the ledger holds a key twice"
        for promise in self._adds():
            self.verdict.adds += 1
            self.verdict.facts += len(promise.facts)
            event = events.get(promise.event_id)
            if event is None:
                continue
            if event["status"] in _OPEN:
                self.verdict.note("stuck", f"event {promise.event_id} is still {event['status']}")
            elif event["status"] == "FAILED":
                self.verdict.note("failed", f"event {promise.event_id}: {event['code']}")
            else:
                self._check_results(promise, event)
        shared = [event_id for event_id, count in Counter(p.event_id for p in self._adds()).items() if count > 1]
        for event_id in shared:
            self.verdict.note("lost", f"two adds were given the same event {event_id}")

    def _check_results(self, promise: Promise, event: dict[str, Any]) -> None:
        """An event's results name each of its facts once, and what a waiting caller was told is what stands there."""
        told = Counter(bare(result["memory"]) for result in event["results"])
        wanted = Counter(promise.facts)
        for fact in wanted - told:
            self.verdict.note("silent", f"event {promise.event_id} says nothing of {fact!r}")
        for fact in told - wanted:
            self.verdict.note("doubled", f"event {promise.event_id} says {fact!r} too often")
        if promise.status == 200 and not promise.results:
            self.verdict.note("silent", f"event {promise.event_id} was answered with nothing")
        given = {result["id"] for result in promise.results}
        if promise.results and given != {result["id"] for result in event["results"]}:
            self.verdict.note("lost", f"event {promise.event_id} answered other ids than it shows now")

    def _expected(self, failed: set[str]) -> dict[Scope, _Expected]:
        """What an event that ended FAILED would have brought is not asked for again."""
        scopes: dict[Scope, _Expected] = defaultdict(_Expected)
        for promise in self._promises:
            scope = scopes[tuple(sorted(promise.scope.items()))]
            if promise.kind in ("add", "raw"):
                scope.present.update(() if promise.event_id in failed else promise.facts)
                continue
            self.verdict.edits += 1
            scope.present[bare(promise.before)] -= 1
            scope.absent.add(bare(promise.before))
            if promise.kind == "delete":
                scope.deleted.add(promise.memory_id)
            else:
                scope.present.update(promise.facts)
                scope.patched[promise.memory_id] = promise.facts[0]
        return scopes

    def _check_scope(self, scope: Scope, expected: _Expected) -> None:
        served = [memory for memory in self._served.memories(dict(scope)) if ids_of(memory) == scope]
        texts = Counter(bare(memory["memory"]) for memory in served)
        wanted = +expected.present
        for text, count in (wanted - texts).items():
            self.verdict.note("lost", f"{scope}: {text!r} is served {count} times too few")
        for text, count in (texts - wanted).items():
            what = "came back" if text in expected.absent else "is served too often"
            self.verdict.note("doubled", f"{scope}: {text!r} {what} ({count})")
        for memory in served:
            if memory["evidence_count"] > 1:
                self.verdict.note("doubled", f"{scope}: {memory['memory']!r} was committed again")
        self._check_edits(expected, {memory["id"]: bare(memory["memory"]) for memory in served})

    def _check_edits(self, expected: _Expected, served: dict[str, str]) -> None:
        for memory_id, text in expected.patched.items():
            if served.get(memory_id) != text:
                self.verdict.note("lost", f"memory {memory_id} is not what it was changed to")
        for memory_id in expected.deleted:
            if self._served.serves(memory_id):
                self.verdict.note("doubled", f"deleted memory {memory_id} is served")

    def _check_order(self) -> None:
        """A writer posts to its scopes one after the other: what it was promised first must stand and end first."""
        turn = {promise.event_id: number for number, promise in enumerate(self._adds())}
        for where in inversions(self._served.history(), turn):
            self.verdict.note("inverted", f"history of scope {where}")
        for where in inversions(self._served.endings(), turn):
            self.verdict.note("inverted", f"endings of scope and lane {where}")

    def _check_leftovers(self) -> None:
        for memory_id, op in self._served.twice():
            self.verdict.note("doubled", f"memory {memory_id} has {op} twice in its history")
        for event_id in self._served.accepted() - {promise.event_id for promise in self._adds()}:
            self.verdict.note("doubled", f"event {event_id} was promised to nobody")
        for scope_id, *_ in self._served.left():
            self.verdict.note("stuck", f"scope {scope_id} still counts pending work or is leased")


def inversions(rows: Iterable[Row], turn: Mapping[str, int]) -> Iterator[Any]:
    """Of (group, event) rows, each group that goes back, once for each step back; events of no turn do not count."""
    last: dict[Any, int] = {}
    for group, event_id in rows:
        now = turn.get(event_id)
        if now is None:
            continue
        if now < last.get(group, 0):
            yield group
        last[group] = now


def bare(text: str) -> str:
    """A sentence without its full stop."""
    return text.rstrip(".")


def ids_of(memory: dict[str, Any]) -> Scope:
    """The ids of a memory as the ledger writes them."""
    names = ("user_id", "agent_id", "app_id", "run_id")
    return tuple(sorted((name, memory[name]) for name in names if memory[name]))
