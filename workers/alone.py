"""The other side of a room: `python -m workers.alone` carries out each claim it is told in a fork of its own.

It holds no lease and polls nothing: the worker beside it does, and a claim that was lost is discarded at commit. It
makes no connection and no thread itself, so that a fork is a fresh process in which only one event's work runs.
"""

from __future__ import annotations

import math
import os
import select
import signal
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

import orjson

from shared import crashpoints, logs
from shared.db import tenancy
from shared.db.engine import Database
from shared.errors import Unavailable
from shared.settings import Settings, get_settings
from workers.assembly import make_parts
from workers.pipeline.run import work_on
from workers.room import READY, claim_of, done_as_dict

_IDLE = 60.0  # seconds without work after which the room closes
_SPARE = 10.0  # seconds beyond an attempt's deadline after which even a stuck interpreter ends
_STDIN = 0
_READ = 65_536

_log = logs.get_logger(__name__)


def main() -> None:
    """Until the worker closes the pipe, or has no suspects for a while."""
    settings = get_settings()
    logs.configure(settings, "worker-room")
    for ignored in (signal.SIGTERM, signal.SIGINT):  # sent to a whole group: the worker decides when this ends
        signal.signal(ignored, signal.SIG_IGN)
    replies = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints must not speak for us
    crashpoints.arm(settings, worker=os.getppid())
    _say(replies, READY)
    while line := _next_line():
        _say(replies, _carried_out(line, settings, replies))


def _next_line() -> bytes:
    """The next claim; b"" when the worker is gone or has none."""
    ready, _, _ = select.select([_STDIN], [], [], _IDLE)
    return sys.stdin.buffer.readline() if ready else b""


def _carried_out(line: bytes, settings: Settings, replies: int) -> Mapping[str, object]:
    """What became of a claim, or how the process died that worked on it."""
    here, there = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(here)
        os.close(replies)
        _carry_out(line, settings, there)
    os.close(there)
    said = _until_end(here, pid)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code == 0:
        answer: Mapping[str, object] = orjson.loads(said)
        return answer
    return {"died": code}


def _until_end(pipe: int, pid: int) -> bytes:
    """All the fork says until it is gone; it is killed when the worker is."""
    said = b""
    waiting = [pipe, _STDIN]
    while True:
        ready, _, _ = select.select(waiting, [], [])
        if _STDIN in ready:  # no claim comes while one is in work: this is the end of the pipe
            os.kill(pid, signal.SIGKILL)
            waiting = [pipe]
        if pipe in ready:
            part = os.read(pipe, _READ)
            if not part:
                os.close(pipe)
                return said
            said += part


def _carry_out(line: bytes, settings: Settings, pipe: int) -> NoReturn:
    """In the fork: one window, then the end of the process."""
    signal.alarm(math.ceil(settings.attempt_deadline + _SPARE))
    try:
        claim = claim_of(orjson.loads(line))
        database = Database(settings.database_url, pool_size=2, name="flumes-room", walls=True)
        parts = make_parts(settings, database, ThreadPoolExecutor(1), claim.owner)
        with tenancy.tenant(claim.scope.project_id):
            answer = done_as_dict(work_on(parts, claim))
    except Unavailable as error:
        answer = {"unavailable": error.code}
    except Exception as error:  # noqa: BLE001 - the worker decides, as if it had happened there
        _log.exception("room_work_failed")
        answer = {"raised": type(error).__name__}
    with os.fdopen(pipe, "wb") as out:
        out.write(orjson.dumps(answer))
    os._exit(0)


def _say(replies: int, words: Mapping[str, object]) -> None:
    os.write(replies, orjson.dumps(words) + b"\n")


if __name__ == "__main__":
    main()
