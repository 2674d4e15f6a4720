"""What a caller does while a worker stands inside its commit: it waits for the scope's row, or it does not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from tests.machine.rows import Reader
from tests.stack import wait_until

T = TypeVar("T")

_WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


class Errand(Generic[T]):
    """Runs `work` in a thread of its own; returns once it is done or waits for a lock in Postgres."""

    def __init__(self, work: Callable[[], T], reader: Reader) -> None:
        self._work = work
        self._answers: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._body, daemon=True)
        self._thread.start()
        wait_until(lambda: not self._thread.is_alive() or reader.ask(_WAITING), "the errand to wait for a lock", 30)

    def answer(self) -> T:
        """What `work` returned or raised; whoever held the lock must be through."""
        self._thread.join(timeout=30)
        assert not self._thread.is_alive(), "nobody lets the errand go on"
        if self._error is not None:
            raise self._error
        return self._answers[0]

    def _body(self) -> None:
        try:
            self._answers.append(self._work())
        except BaseException as error:  # noqa: BLE001 - handed to who waits for the answer
            self._error = error
