"""A data directory that lives as long as its process: for the demo and the tests."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Self

from cli.embedded.errors import EmbeddedError
from cli.embedded.lock import DataDirLock
from cli.embedded.paths import TEMP_PREFIX, Layout, make_data_dir, reachable, server_user, settle


class TemporaryDataDir:
    """A fresh locked folder in the system's temporary folder; removed by `close`, after a kill -9 by the next."""

    def __init__(self, purpose: str) -> None:
        """Raises EmbeddedError when no temporary folder can be used."""
        root = _root()
        _sweep(root, purpose)
        folder = Path(tempfile.mkdtemp(prefix=f"{TEMP_PREFIX}{purpose}-", dir=root))
        folder.chmod(0o711 if server_user() is not None else 0o700)
        data_dir = make_data_dir(folder)
        self._lock = DataDirLock(data_dir / "lock")
        self.layout: Layout = replace(settle(data_dir, system_home=data_dir), temporary=True)

    def close(self) -> None:
        """Remove the folder. What runs in it must have been stopped."""
        shutil.rmtree(self.layout.data_dir, ignore_errors=True)
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _root() -> Path:
    """The first temporary folder that is writable, open to the server user and short enough for sockets."""
    for root in dict.fromkeys((Path(tempfile.gettempdir()).resolve(), Path("/tmp"), Path("/var/tmp"))):  # noqa: S108
        if root.is_dir() and os.access(root, os.W_OK | os.X_OK) and reachable(root, server_user()):
            return root
    raise EmbeddedError("no temporary folder is writable; set TMPDIR")


def _sweep(root: Path, purpose: str) -> None:
    """Remove what killed predecessors left: our folders whose lock nobody holds."""
    for folder in root.glob(f"{TEMP_PREFIX}{purpose}-*"):
        lock = folder / "lock"
        if folder.is_symlink() or not lock.exists() or folder.stat().st_uid != os.geteuid():
            continue
        try:
            held = DataDirLock(lock)
        except EmbeddedError:
            continue
        shutil.rmtree(folder, ignore_errors=True)
        held.release()
