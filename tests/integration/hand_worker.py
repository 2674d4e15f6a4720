"""A worker that a test moves by hand, through the same query functions as the real one."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from shared.db import events, index_collections, index_queue, messages, scopes
from shared.db.engine import Database
from shared.db.events import Finished, Progress
from shared.db.index_queue import Due
from shared.db.scopes import Claim
from shared.embeddings.openai_embedder import OpenAIEmbedder
from shared.vectors.index import VectorIndex
from shared.vectors.types import Point, Tombstone
from shared.wakeups import Wake, Waker
from tests.stack import QDRANT_KEY, wait_until


class HandWorker:
    """`waker` None: no wake-up is ever sent, as if Redis had dropped it."""

    def __init__(self, database_url: str, redis_url: str | None = None) -> None:
        self.db = Database(database_url, pool_size=4, name="hand-worker")
        self._waker = Waker(redis_url) if redis_url else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._waker:
            self._waker.close()
        self.db.close()

    def claim(self) -> Claim:
        """The next due scope; waits for one."""
        return wait_until(self.due, "a scope to become due")  # type: ignore[return-value]  # never None

    def sweep(self) -> None:
        """End whatever earlier tests left behind."""
        while (claim := self.due()) is not None:
            self.finish(claim)

    def due(self) -> Claim | None:
        """The next due scope, None when nothing is."""
        return self.db.run(lambda session: scopes.claim(session, owner="hand", lease=30, tenant_cap=99))

    def finish(self, claim: Claim, results: Sequence[dict[str, Any]] = (), **traits: Any) -> list[UUID]:
        """All waiting events of the claim end at once, each with these results; their ids."""
        with self.db.transaction() as session:
            assert scopes.hold(session, claim)
            open_messages = messages.waiting(session, claim.scope, claim.lane, 1_000)
            counts: dict[UUID, int] = {}
            for item in open_messages:
                counts[item.message.event_id] = counts.get(item.message.event_id, 0) + 1
            ids = [item.message.id for item in open_messages]
            if traits.get("error_code"):
                size = messages.mark_failed(session, claim.scope, ids[:1], traits["error_code"])
                size += messages.mark_applied(session, claim, claim.scope.scope_id, ids[1:])
            else:
                size = messages.mark_applied(session, claim, claim.scope.scope_id, ids)
            events.start(session, claim.scope.project_id, list(counts))
            steps = [Progress(event_id, count, results=results, **traits) for event_id, count in counts.items()]
            ended = events.advance(session, claim.scope.project_id, steps)
            scopes.settle(session, claim, done=len(ids), done_bytes=size)
        self._tell(ended, 0.0)
        return list(counts)

    def snooze(self, claim: Claim, seconds: float) -> None:
        """All waiting events of the claim go back, due in `seconds`."""
        with self.db.transaction() as session:
            waiting = messages.waiting(session, claim.scope, claim.lane, 1_000)
            ids = list({item.message.event_id for item in waiting})
            events.start(session, claim.scope.project_id, ids)
            told = events.put_back(
                session, claim.scope.project_id, ids, delay=seconds, consumed=False, snoozed=True
            )  # fmt: skip
            scopes.settle(session, claim, done=0, done_bytes=0, delay=seconds)
        self._tell(told, seconds)

    def _tell(self, told: Sequence[Finished], snoozed: float) -> None:
        for event in told:
            if self._waker and event.reply_to:
                self._waker.publish(event.reply_to, [Wake(event.event_id, snoozed)])


class HandIndexer:
    """Makes a collection and applies the index queue when told to; with `model`, dense vectors of that server too."""

    def __init__(
        self,
        db: Database,
        qdrant_url: str,
        name: str = "flumes-bm25-1",
        *,
        model: str | None = None,
        base_url: str | None = None,
    ) -> None:
        self._db = db
        self._name = name
        self._model = model or index_collections.BM25_ONLY
        self._embedder = OpenAIEmbedder(model, base_url=base_url, api_key="sk-test") if model else None
        self.index = VectorIndex(qdrant_url, QDRANT_KEY)

    def close(self) -> None:
        self.index.close()
        if self._embedder:
            self._embedder.close()

    def register(self) -> None:
        """From now on memories are queued for this collection."""
        self._db.run(lambda session: index_collections.ensure(session, self._model, self._name))

    def apply(self) -> int:
        """Write everything that is queued; how many rows."""
        size = self._embedder.dimensions if self._embedder else None
        if size:
            self._db.run(lambda session: index_collections.fix_dimensions(session, self._name, size))
        self.index.create(self._name, size)
        rows = self._db.run(lambda session: index_queue.take(session, limit=1_000))
        self.index.upsert(self._name, [self._point(row) for row in rows if row.text is not None])
        away = [row.change for row in rows if row.text is None]
        gone = [Tombstone(change.memory_id, change.version, change.project_id) for change in away]
        self.index.delete(self._name, gone)
        self._db.run(lambda session: index_queue.done(session, rows))
        return len(rows)

    def _point(self, row: Due) -> Point:
        assert row.created_at is not None
        change = row.change
        dense = self._embedder.embed([row.index_text]).vectors[0] if self._embedder else None
        return Point(
            change.memory_id, change.version, change.project_id, change.scope_id, row.ids, row.kind, row.categories,
            row.created_at, row.expires_on, row.index_text, dense,
        )  # fmt: skip
