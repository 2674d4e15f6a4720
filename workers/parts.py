"""What a worker process works with, made once by lifecycle and handed to every stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from shared.db.engine import Database
from shared.db.scopes import Claim
from shared.embeddings.port import Embedder
from shared.model.message import Window
from shared.model.record import Candidate, Extraction, Record
from shared.settings import Settings
from shared.vectors.index import VectorIndex
from shared.wakeups import Waker
from workers import epochs
from workers.work import Done, Suspect

FaultsOf = Callable[[tuple[Record, ...]], list[str]]


class Extract(Protocol):
    """An extractor. `faults_of` tells what is wrong when every record is at fault; [] when at least one stands.

    Raises `Snooze`, `Narrow` or `PermanentFailure`; an empty answer is only ever a valid one.
    """

    def __call__(self, window: Window, candidates: Sequence[Candidate], faults_of: FaultsOf) -> Extraction: ...


Apart = Callable[[Claim, Suspect], Done]


@dataclass(frozen=True, slots=True)
class Parts:
    """`owner`: this process's name on leases. `provider`: what a breaker guards, None for the rules extractor.

    `apart`: works on a suspect in a process of its own; None = here. `hang_up`: closes the extractor's connections.
    """

    settings: Settings
    db: Database
    index: VectorIndex
    embedder: Embedder | None
    extract: Extract
    waker: Waker
    owner: str
    background: ThreadPoolExecutor
    provider: str | None = None
    apart: Apart | None = None
    hang_up: Callable[[], object] = bool
    made: set[str] = field(default_factory=set)  # collections this process has seen in the index

    def ensure_collection(self, name: str, dimensions: int | None) -> None:
        """Make sure the index has this collection; asks it once, and again after `forget_collections`.

        Making one that held points before has them all written again.
        """
        if name not in self.made:
            epochs.ensure(self.db, self.index, name, dimensions)
            self.made.add(name)

    def close(self) -> None:
        """Close every connection; nothing may be in work any more."""
        self.hang_up()
        self.waker.close()
        self.index.close()
        if self.embedder is not None:
            self.embedder.close()
        self.db.close()

    def forget_collections(self) -> None:
        """The index failed: what it holds must be looked at again."""
        self.made.clear()
