"""One `flumes up` a data directory: a lock the kernel drops when its holder dies, so it is never stale."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Self

from cli.embedded.errors import EmbeddedError


class DataDirLock:
    """Held from construction to `release`; children never inherit it."""

    def __init__(self, path: Path) -> None:
        """Raises EmbeddedError naming the holder when another process holds it."""
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._fd, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._fd)
            raise EmbeddedError(
                f"another flumes (pid {holder}) already runs on {path.parent}; stop it or choose another --data-dir"
            ) from None
        os.ftruncate(self._fd, 0)
        os.write(self._fd, f"{os.getpid()}\n".encode("ascii"))

    def release(self) -> None:
        """Let the next one in."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
