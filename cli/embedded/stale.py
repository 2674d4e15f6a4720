"""What a killed Postgres leaves behind, and when it may be removed.

Postgres takes any process with the noted pid for a running server, also a zombie that nobody reaps and a stranger with
a reused number, and refuses to start. Callers hold the data directory's lock, so whatever still works there is a
leftover.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from cli.embedded.errors import EmbeddedError

_WAIT = 15.0  # seconds an orphan gets for the shutdown its owner's death asked of it
_FORCE = 5.0
_PROC = Path("/proc")


def clear_stale_postmaster(data: Path, sockets: Path) -> None:
    """Wait until no live server works in `data`, then remove its pid file and the socket with its lock.

    Raises EmbeddedError naming the pids when one survives.
    """
    note = data / "postmaster.pid"
    if not note.exists():
        return
    if not _gone(data, _WAIT):
        for pid in _servers(data):
            _kill(pid)
        if not _gone(data, _FORCE):
            raise EmbeddedError(f"another postgres works in {data}: pids {_servers(data)}")
    for left in (note, sockets / ".s.PGSQL.5432.lock", sockets / ".s.PGSQL.5432"):
        left.unlink(missing_ok=True)


def _gone(data: Path, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while _servers(data):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _servers(data: Path) -> list[int]:
    """Pids of live server processes in `data`: all of them where /proc tells, else the postmaster its file names."""
    if _PROC.joinpath("self").exists():
        return [pid for pid in _pids() if _is_server(pid, data)]
    lines = (data / "postmaster.pid").read_text(encoding="ascii").split()
    return [int(lines[0])] if lines and _answers(int(lines[0])) else []


def _pids() -> list[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]


def _is_server(pid: int, data: Path) -> bool:
    """A zombie has no working directory any more, so it does not count."""
    try:
        works_here = (_PROC / str(pid) / "cwd").readlink() == data
        return works_here and (_PROC / str(pid) / "comm").read_text(encoding="ascii").startswith("postgres")
    except OSError:
        return False


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
