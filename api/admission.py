"""Says no before work piles up: totals sampled each second plus what this process accepted since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from shared.db import backlog, index_queue, spend, tenancy
from shared.db.backlog import Backlog
from shared.db.engine import ApiDatabase
from shared.errors import Overloaded
from shared.metrics import INDEX_BACKLOG, OLDEST, PENDING, SPEND_CAPPED
from shared.settings import Settings

SAMPLE = 1.0  # seconds
_COUNT_INDEX = 10  # samples between two counts of the index queue, which may be long
_IN_HAND = 2_000  # accepts of this process at a time: a queue the pool works off well within its timeout
_LONGEST = 3_600.0  # seconds a caller is asked to leave before polling
_RETRY = 5.0  # seconds a refused caller is asked to stay away


class Admission:
    """Backlog limits, per project and in all; never a row that every request would have to lock."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sampled = Backlog()
        self._since: Counter[UUID] = Counter()
        self._since_bytes = 0
        self._samples = 0
        self._in_hand = 0
        self._paused: dict[UUID, float] = {}

    def pause(self, project_id: UUID) -> float:
        """Seconds until a project that is at its ceiling on tokens works again, at most an hour; 0: it works."""
        return min(_LONGEST, self._paused.get(project_id, 0.0))

    def demand(self, project_id: UUID, messages: int, size: int) -> None:
        """Raises `Overloaded` when this much more work would pass a limit."""
        limits, sampled = self._settings, self._sampled
        if sampled.by_project.get(project_id, 0) + self._since[project_id] + messages > (
            limits.backlog_messages_per_project
        ):
            raise _overloaded("this project has too many messages waiting")
        if sampled.messages + self._since.total() + messages > limits.backlog_messages:
            raise _overloaded("too many messages are waiting")
        if sampled.size + self._since_bytes + size > limits.backlog_bytes:
            raise _overloaded("too much text is waiting")
        if sampled.oldest > limits.backlog_age:
            raise _overloaded("accepted work is waiting too long")

    @contextmanager
    def in_hand(self) -> Iterator[None]:
        """Around an accept transaction. Raises `Overloaded` when more wait for the database than it can soon serve."""
        if self._in_hand >= _IN_HAND:
            raise _overloaded("too many requests at once")
        self._in_hand += 1
        try:
            yield
        finally:
            self._in_hand -= 1

    def note(self, project_id: UUID, messages: int, size: int) -> None:
        """This much was accepted here."""
        self._since[project_id] += messages
        self._since_bytes += size

    async def sample(self, db: ApiDatabase) -> None:
        """One look. What is accepted while it runs counts twice for a second rather than not at all."""
        before, before_bytes = self._since.copy(), self._since_bytes
        with tenancy.across(tenancy.Role.QUEUE):
            self._sampled = sampled = await db.run(backlog.read)
        self._since -= before
        self._since_bytes -= before_bytes
        self._paused = await db.run(spend.paused)
        SPEND_CAPPED.set(len(self._paused))
        PENDING.labels("live").set(sampled.live)
        PENDING.labels("bulk").set(sampled.bulk)
        OLDEST.set(sampled.oldest)
        if self._samples % _COUNT_INDEX == 0:
            with tenancy.across(tenancy.Role.QUEUE):
                INDEX_BACKLOG.set(await db.run(index_queue.backlog))
        self._samples += 1


def _overloaded(detail: str) -> Overloaded:
    return Overloaded(detail, retry_after=_RETRY)
