"""A process in which one event at a time is worked on and nothing else, as the worker that started it sees it.

Lines of JSON over two pipes: `ready` once, then for each claim what became of it, or how the fork died that worked on
it (`workers/alone.py`). When the worker dies, its pipe ends, and the room with it.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from shared.db.events import Finished
from shared.db.scopes import Claim
from shared.errors import Unavailable
from shared.model.scope import ScopeRef
from workers.work import Done

READY = {"said": "ready"}

_ROOT = Path(__file__).resolve().parent.parent
_READ = 65_536
_GOODBYE = 2.0  # seconds in which a room that may go is gone


class LoneCrash(Exception):
    """The process died in which this work was the only one; `code` as Python tells exit codes."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exit code {code}")
        self.code = code


class RoomGone(Exception):
    """The room itself ended, or does not answer: it says nothing about the work."""


class Room:
    """One such process; used by one thread at a time."""

    def __init__(self) -> None:
        path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
        env = {name: value for name, value in os.environ.items() if name != "FLUMES_READY_FILE"}
        env |= {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}  # no thread may run where it forks
        self._process = subprocess.Popen(
            [sys.executable, "-m", "workers.alone"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env=env
        )
        assert self._process.stdin is not None  # noqa: S101 - asked for above
        assert self._process.stdout is not None  # noqa: S101 - asked for above
        self._in, self._out = self._process.stdin, self._process.stdout
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._out, selectors.EVENT_READ)
        self._unread = b""

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def wait_ready(self, seconds: float) -> None:
        """Until work can be told. Raises `RoomGone`, `TimeoutError`."""
        if self._line(seconds) != READY:
            raise RoomGone

    def work(self, claim: Claim, seconds: float) -> Done:
        """What became of one window of the claim.

        Raises `LoneCrash`, `RoomGone`, `TimeoutError`, and `Unavailable` or `RuntimeError` for what the work raised.
        """
        try:
            self._in.write(orjson.dumps(claim_as_dict(claim)) + b"\n")
        except OSError:
            raise RoomGone from None
        answer = self._line(seconds)
        if "died" in answer:
            raise LoneCrash(answer["died"])
        if "unavailable" in answer:
            raise Unavailable("the database went away", code=answer["unavailable"])
        if "raised" in answer:
            raise RuntimeError(answer["raised"])
        return done_of(answer)

    def close(self) -> None:
        """The end of it, and of what it does."""
        self._in.close()
        try:
            self._process.wait(_GOODBYE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._selector.close()
        self._out.close()

    def _line(self, seconds: float) -> dict[str, Any]:
        until = time.monotonic() + seconds
        while b"\n" not in self._unread:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"no answer within {seconds:.0f} s")
            if self._selector.select(left):
                part = os.read(self._out.fileno(), _READ)
                if not part:
                    raise RoomGone
                self._unread += part
        line, self._unread = self._unread.split(b"\n", 1)
        answer: dict[str, Any] = orjson.loads(line)
        return answer


def claim_as_dict(claim: Claim) -> dict[str, object]:
    """For the wire."""
    return {
        "project": str(claim.scope.project_id), "scope": str(claim.scope.scope_id), "lane": claim.lane,
        "fence": claim.fence, "owner": claim.owner, "pending": claim.pending, "pending_bytes": claim.pending_bytes,
        "cut": claim.cut,
    }  # fmt: skip


def claim_of(said: Mapping[str, Any]) -> Claim:
    """From the wire."""
    scope = ScopeRef(UUID(said["project"]), UUID(said["scope"]))
    return Claim(
        scope, said["lane"], said["fence"], said["owner"], said["pending"], said["pending_bytes"], said["cut"]
    )  # fmt: skip


def done_as_dict(done: Done) -> dict[str, object]:
    """For the wire."""
    return {
        "memories": [str(memory_id) for memory_id in done.memories],
        "finished": [(str(event.event_id), event.reply_to, event.error_code) for event in done.finished],
        "snoozed": done.snoozed,
    }


def done_of(said: Mapping[str, Any]) -> Done:
    """From the wire."""
    finished = tuple(Finished(UUID(event_id), reply_to, code) for event_id, reply_to, code in said["finished"])
    return Done(tuple(UUID(memory_id) for memory_id in said["memories"]), finished, said["snoozed"])
