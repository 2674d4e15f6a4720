"""Compares what was promised with what is served. Reads the ledger, the public HTTP API and the order of the history.

It shares no code with the service: what it counts, it counts from answers. (Whether the index agrees with Postgres is
asked of `flumes verify`'s own function, and that of the points themselves.)
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests.chaos.ledger import Promise, read

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

    def __init__(self, ledger: Path, url: str, key: str, database_url: str) -> None:
        self.verdict = Verdict()
        self._promises = list(read(ledger))
        self._database_url = database_url
        headers = {"Authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def check(self, timeout: float) -> Verdict:
        """Wait until every promised event ended, at most `timeout` seconds, then compare."""
        events = self._ended(timeout)
        self._check_events(events)
        for scope, expected in self._expected().items():
            self._check_scope(scope, expected)
        self._check_database()
        return self.verdict

    def _adds(self) -> Iterator[Promise]:
        return (promise for promise in self._promises if promise.kind in ("add", "raw"))

    def _ended(self, timeout: float) -> dict[str, dict[str, Any]]:
        """Every promised event as it is served."""
        deadline = time.monotonic() + timeout
        open_ids = {promise.event_id for promise in self._adds()}
        found: dict[str, dict[str, Any]] = {}
        while open_ids:
            for event_id in list(open_ids):
                answer = self._http.get(f"/v1/event/{event_id}/")
                if answer.status_code == 404:
                    self.verdict.note("lost", f"event {event_id} is not known")
                    open_ids.discard(event_id)
                elif answer.status_code == 200:
                    found[event_id] = answer.json()
                    if found[event_id]["status"] not in _OPEN:
                        open_ids.discard(event_id)
            if time.monotonic() > deadline:
                break
            time.sleep(0.2 if open_ids else 0)
        return found

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
        wanted = Counter(promise.facts if promise.kind == "add" else raw_texts(promise))
        for fact in wanted - told:
            self.verdict.note("silent", f"event {promise.event_id} says nothing of {fact!r}")
        for fact in told - wanted:
            self.verdict.note("doubled", f"event {promise.event_id} says {fact!r} too often")
        given = {result["id"] for result in promise.results}
        if promise.results and given != {result["id"] for result in event["results"]}:
            self.verdict.note("lost", f"event {promise.event_id} answered other ids than it shows now")

    def _expected(self) -> dict[Scope, _Expected]:
        scopes: dict[Scope, _Expected] = defaultdict(_Expected)
        for promise in self._promises:
            scope = scopes[tuple(sorted(promise.scope.items()))]
            if promise.kind in ("add", "raw"):
                scope.present.update(promise.facts if promise.kind == "add" else raw_texts(promise))
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
        served = [memory for memory in self._list(dict(scope)) if ids_of(memory) == scope]
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
            if self._http.get(f"/v1/memories/{memory_id}").status_code != 404:
                self.verdict.note("doubled", f"deleted memory {memory_id} is served")

    def _list(self, scope: dict[str, str]) -> Iterator[dict[str, Any]]:
        cursor: str | None = None
        while True:
            query = {**scope, "limit": "200"} | ({"cursor": cursor} if cursor else {})
            page = self._http.get("/v1/memories/", params=query).raise_for_status().json()
            yield from page["results"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def _check_database(self) -> None:
        """Order and leftovers, which no route shows."""
        with psycopg.connect(self._database_url) as connection:
            for where in inversions(connection.execute(_HISTORY)):
                self.verdict.note("inverted", f"history of scope {where}")
            for where in inversions(connection.execute(_ENDINGS)):
                self.verdict.note("inverted", f"endings of scope and lane {where}")
            for memory_id, op in connection.execute(_TWICE):
                self.verdict.note("doubled", f"memory {memory_id} has {op} twice in its history")
            known = {str(row[0]) for row in connection.execute("SELECT id FROM events WHERE kind IN ('add', 'raw')")}
            for event_id in known - {promise.event_id for promise in self._adds()}:
                self.verdict.note("doubled", f"event {event_id} was promised to nobody")
            for scope_id, *_ in connection.execute(_LEFT):
                self.verdict.note("stuck", f"scope {scope_id} still counts pending work or is leased")


# What is kept word for word is stored inside its accept transaction, before what was accepted earlier.
_HISTORY = """
    SELECT v.scope_id, v.seq FROM memory_versions v JOIN events e ON e.project_id = v.project_id AND e.id = v.event_id
    WHERE e.kind = 'add' ORDER BY v.commit_order
"""
_ENDINGS = "SELECT scope_id::text || lane, seq FROM events WHERE kind = 'add' ORDER BY completed_at, seq"
_TWICE = "SELECT memory_id, op FROM memory_versions GROUP BY memory_id, op HAVING count(*) > 1"
_LEFT = "SELECT id FROM scopes WHERE pending_live + pending_bulk <> 0 OR pending_bytes <> 0 OR lease_owner IS NOT NULL"


def inversions(rows: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
    """Of (group, seq) rows, each group that goes back, once for each step back."""
    last: dict[Any, int] = {}
    for group, seq in rows:
        if seq < last.get(group, 0):
            yield group
        last[group] = seq


def raw_texts(promise: Promise) -> list[str]:
    """What is kept word for word: one memory a message. Writers send one fact in one message."""
    return promise.facts


def bare(text: str) -> str:
    """A sentence without its full stop."""
    return text.rstrip(".")


def ids_of(memory: dict[str, Any]) -> Scope:
    """The ids of a memory as the ledger writes them."""
    names = ("user_id", "agent_id", "app_id", "run_id")
    return tuple(sorted((name, memory[name]) for name in names if memory[name]))
