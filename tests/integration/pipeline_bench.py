"""The pipeline on real parts without Celery: a worker's parts made by hand, the extractor follows a script."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from shared.db import events, index_collections, index_queue, memories
from shared.db.accept import Accepted, NewMessage
from shared.db.engine import Database
from shared.db.events import Event
from shared.db.index_collections import BM25_ONLY
from shared.db.memories import Page
from shared.db.scopes import Claim
from shared.embeddings.port import Embedder
from shared.model.memory import Memory
from shared.model.message import Window
from shared.model.record import Candidate, Extraction, Extractor, Op, Record, Usage
from shared.model.scope import ScopeIds
from shared.settings import Settings
from shared.vectors.index import VectorIndex
from shared.vectors.layout import collection_name
from shared.vectors.types import Query, Where
from shared.wakeups import Waker
from tests import factories
from tests.factories import ALEX, change
from tests.stack import QDRANT_KEY, wait_until
from workers.dispatch import Dispatcher
from workers.leases import Leases
from workers.parts import FaultsOf, Parts
from workers.pipeline.index import index
from workers.pipeline.run import run
from workers.work import Done

_SETTINGS: dict[str, Any] = {"extractor": "rules", "slots": 8, "index_raw": False}


@dataclass(frozen=True, slots=True)
class Says:
    """A message containing `match` yields this record; `target`: words of the known memory it is about."""

    match: str
    op: Op = "ADD"
    text: str | None = None  # None: the message's own words
    target: str | None = None


@dataclass(slots=True)
class Scripted:
    """An extractor: one ADD a message, its words as they are, unless a rule says otherwise.

    `before` runs first on every call and may block or raise; `windows` and `shown` keep what each call was given.
    """

    rules: list[Says] = field(default_factory=list)
    before: Callable[[Window], object] = bool
    windows: list[list[str]] = field(default_factory=list)
    shown: list[list[str]] = field(default_factory=list)

    def __call__(self, window: Window, candidates: Sequence[Candidate], faults_of: FaultsOf) -> Extraction:
        self.windows.append([message.text for message in window.messages])
        self.shown.append([candidate.text for candidate in candidates])
        self.before(window)
        records = [
            record
            for index, message in enumerate(window.messages)
            for record in self._of(index, message.text, candidates)
        ]
        return Extraction(tuple(records), Extractor("openai", "scripted", "1"), Usage(calls=1, prompt_tokens=100))

    def _of(self, index: int, text: str, candidates: Sequence[Candidate]) -> list[Record]:
        matching = [rule for rule in self.rules if rule.match in text] or [Says("")]
        return [self._record(rule, index, text, candidates) for rule in matching if rule.text != ""]

    def _record(self, rule: Says, index: int, text: str, candidates: Sequence[Candidate]) -> Record:
        known = next((one.n for one in candidates if rule.target is not None and rule.target in one.text), None)
        quote = " ".join(text.split()[:12])
        return Record((index,), quote, rule.text or text, op=rule.op, target=known)


class Gate:
    """Holds every call that comes to it until it is opened."""

    def __init__(self) -> None:
        self._entered = threading.Semaphore(0)
        self._open = threading.Event()

    def __call__(self, window: Window) -> None:
        self._entered.release()
        assert self._open.wait(20), "the gate was never opened"

    def wait_entered(self) -> None:
        """Until one more call waits here."""
        assert self._entered.acquire(timeout=20), "nobody came to the gate"

    def open(self) -> None:
        self._open.set()


class Bench:
    """One worker's parts on a database, the engine and Valkey, moved step by step by the test."""

    def __init__(
        self,
        db: Database,
        project_id: UUID,
        *,
        qdrant_url: str,
        redis_url: str,
        embedder: Embedder | None = None,
        **settings: Any,
    ) -> None:
        self.db, self.project_id = db, project_id
        self.script = Scripted()
        model = embedder.model if embedder else None
        self.collection = collection_name(model, 1)
        db.run(lambda session: index_collections.ensure(session, model or BM25_ONLY, self.collection))
        self._background = ThreadPoolExecutor(1)
        self._walled = Database(db.engine.url.render_as_string(hide_password=False), pool_size=32, walls=True)
        self.parts = Parts(
            settings=Settings(**(_SETTINGS | settings)),
            db=self._walled,
            index=VectorIndex(qdrant_url, QDRANT_KEY, timeout=2),
            embedder=embedder,
            extract=self.script,
            waker=Waker(redis_url),
            owner="bench",
            background=self._background,
        )
        self.leases = Leases(self._walled, lease=30, deadline=75)
        self.dispatcher = Dispatcher(self.parts, self.leases, run)

    def close(self) -> None:
        self._background.shutdown(wait=True)
        self.parts.index.close()
        self.parts.waker.close()
        self._walled.close()

    # --- moving

    def post(self, *texts: str | NewMessage, ids: ScopeIds = ALEX, **options: Any) -> UUID:
        """Accept a write; its event's id."""
        return self.accept(*texts, ids=ids, **options).event_id

    def accept(self, *texts: str | NewMessage, ids: ScopeIds = ALEX, **options: Any) -> Accepted:
        """Accept a write."""
        return factories.post(self.db, self.project_id, *texts, ids=ids, **options)

    def claim(self, **options: Any) -> Claim:
        """The next due scope, which must be there."""
        found = factories.claim(self.db, **({"owner": self.parts.owner} | options))
        assert found is not None, "nothing is due"
        return found

    def step(self) -> Done:
        """One window of the next due scope."""
        return run(self.parts, self.claim())

    def drain(self) -> int:
        """Windows until nothing is due."""
        return self.dispatcher.drain()

    def drain_all(self) -> int:
        """Windows until nothing is pending: pauses of lanes are skipped."""
        windows = 0
        while True:
            done = self.drain()
            windows += done
            change(self.db, "UPDATE scopes SET available_live = clock_timestamp(), available_bulk = clock_timestamp()")
            if not done and factories.column(self.db, "SELECT sum(pending_live + pending_bulk) FROM scopes") == [0]:
                return windows
            assert windows < 200, "the pipeline does not come to an end"

    # --- looking

    def event(self, event_id: UUID) -> Event:
        """As a caller reads it."""
        found = self.db.run(lambda session: events.get(session, self.project_id, event_id))
        assert found is not None
        return found

    def results(self, event_id: UUID) -> list[tuple[str, str]]:
        """(event, memory) of an event that succeeded."""
        event = self.event(event_id)
        assert event.status == "SUCCEEDED", (event.status, event.error_code, event.error_detail)
        return [(result["event"], result["memory"]) for result in event.results]

    def memories(self, ids: ScopeIds = ALEX) -> list[Memory]:
        """What a list serves, oldest first."""
        return self.db.run(lambda session: memories.newest(session, self.project_id, ids, Page(500)))[::-1]

    def texts(self, ids: ScopeIds = ALEX) -> list[str]:
        """The texts a list serves, sorted."""
        return sorted(memory.text for memory in self.memories(ids))

    def memory(self, text: str) -> Memory:
        """The served memory of this text."""
        (found,) = [memory for memory in self.memories() if memory.text == text]
        return found

    def history(self, memory: Memory) -> list[tuple[int, str, str | None]]:
        """(version, op, text) of every version."""
        found = self.db.run(lambda session: memories.history(session, self.project_id, memory.id))
        return [(row.version, row.op, row.new_text) for row in found]

    def sources(self, memory: Memory) -> list[str]:
        """The messages behind the present version, in accept order."""
        found = self.db.run(lambda session: memories.sources(session, self.project_id, memory.id))
        return [row.text for row in found]

    def wait_background(self) -> None:
        """Until the index write of the last window has ended, well or not."""
        self._background.submit(lambda: None).result(timeout=30)

    def wait_indexed(self) -> None:
        """What a worker's poll does: apply rows until none is left."""
        self.wait_background()

        def empty() -> bool:
            index(self.parts)
            return self.db.run(index_queue.backlog) == 0

        wait_until(empty, "the index queue to run empty")

    def indexed(self) -> dict[UUID, int]:
        """Memory and version of every point the index holds, once nothing is queued for it."""
        self.wait_indexed()
        return dict(self.parts.index.scan(self.collection, self.project_id))

    def found(self, words: str) -> list[UUID]:
        """What a BM25 search finds, once nothing is queued for the index."""
        self.wait_indexed()
        asked = Query(words, Where(self.project_id), bm25_limit=5)
        return [hit.memory_id for hit in self.parts.index.search(self.collection, [asked])[0]]
