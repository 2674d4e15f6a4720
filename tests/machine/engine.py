"""The real vector index behind a bad line: away, deaf after the write, or so slow that a write arrives much later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal
from uuid import UUID

from shared.vectors.failures import away
from shared.vectors.index import VectorIndex
from shared.vectors.types import Hit, Point, Query, Tombstone
from tests.machine.gates import reach

Line = Literal["good", "away", "deaf", "late"]
LINES: tuple[Line, ...] = ("good", "away", "deaf", "late")


class BadLine(VectorIndex):
    """`line`: how the next calls fare. `on_the_way`: writes that nobody waits for any more, not yet arrived."""

    def __init__(self, url: str, api_key: str) -> None:
        super().__init__(url, api_key, timeout=10)
        self.line: Line = "good"
        self.on_the_way: list[Callable[[], None]] = []
        self.delivered_late: set[UUID] = set()  # memories whose points such a write may have touched

    def create(self, collection: str, dimensions: int | None) -> None:
        self._demand()
        super().create(collection, dimensions)

    def collections(self) -> list[str]:
        self._demand()
        return super().collections()

    def search(self, collection: str, queries: Sequence[Query]) -> list[list[Hit]]:
        self._demand()
        return super().search(collection, queries)

    def upsert(self, collection: str, points: Sequence[Point]) -> None:
        if points:
            send = super().upsert
            self._write(lambda: send(collection, points), [point.memory_id for point in points])

    def delete(self, collection: str, tombstones: Sequence[Tombstone]) -> None:
        if tombstones:
            send = super().delete
            self._write(lambda: send(collection, tombstones), [stone.memory_id for stone in tombstones])

    def deliver(self, number: int) -> None:
        """One of the writes on the way arrives, whichever."""
        self.on_the_way.pop(number % len(self.on_the_way))()

    def _demand(self) -> None:
        if self.line == "away":
            raise away("no answer")

    def _write(self, send: Callable[[], None], memories: Sequence[UUID]) -> None:
        reach("index.before")
        self._demand()
        if self.line == "late":
            self.on_the_way.append(send)
            self.delivered_late.update(memories)
            raise away("no answer in time")
        send()
        if self.line == "deaf":
            raise away("the answer was lost")
