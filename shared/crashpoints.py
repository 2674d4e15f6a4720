"""Named points at which a process kills itself, for tests: `reach` does nothing unless the chaos setting arms one.

A test names the point (`FLUMES_CRASH_AT=commit.before`), or the point and a text that must be in work there
(`extract.after:poison`). A kill -9 of oneself runs no handler, like any other crash.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable

from shared.settings import Settings

_armed: list[tuple[str, str]] = []
_worker: list[int] = []


def arm(settings: Settings, worker: int | None = None) -> None:
    """Take the point from the settings; nothing without the chaos setting.

    `worker`: the process for which this one works. A point without a text is that worker's death, not the work's.
    """
    _armed.clear()
    _worker[:] = [] if worker is None else [worker]
    if settings.chaos and settings.crash_at:
        name, _, text = settings.crash_at.partition(":")
        _armed.append((name, text))


def reach(name: str, texts: Iterable[str] = ()) -> None:
    """This is the point `name`, with `texts` in work: the process ends here if it was armed for that."""
    if _armed and _armed[0][0] == name:
        wanted = _armed[0][1]
        if not wanted or any(wanted in text for text in texts):
            for pid in (*([] if wanted else _worker), os.getpid()):
                os.kill(pid, signal.SIGKILL)
