"""Where the embedded parts keep their files.

Postgres refuses to run as root, so under root it runs as `nobody`, who must be able to reach its program and its data.
Folders above the data directory belong to somebody else and are never changed: where one is closed, Postgres lives
elsewhere and the data directory notes where.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from cli.embedded.child import User
from cli.embedded.errors import EmbeddedError

SOCKET_PATH_LIMIT = 90  # bytes; the kernels allow 103 (macOS) or 107
TEMP_PREFIX = "flumes-"


@dataclass(frozen=True, slots=True)
class Layout:
    """The data directory's inside. `home` holds what the Postgres user must reach; mostly the data directory itself.

    `temporary`: it goes when its process ends, so a new cluster need not be synced before its first use.
    """

    data_dir: Path
    home: Path
    user: User | None
    temporary: bool = False

    @property
    def postgres(self) -> Path:
        return self.home / "postgres"

    @property
    def valkey(self) -> Path:
        return self.data_dir / "valkey"

    @property
    def vectors(self) -> Path:
        return self.data_dir / "vectors"

    @property
    def logs(self) -> Path:
        return self.data_dir / "logs"

    @property
    def run(self) -> Path:
        return self.data_dir / "run"

    @property
    def lock(self) -> Path:
        return self.data_dir / "lock"


def make_data_dir(path: Path) -> Path:
    """Make the data directory and return its real path. Raises EmbeddedError when that is impossible."""
    data_dir = path.expanduser().resolve()
    try:
        _make_own(data_dir)
        (data_dir / "run").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise EmbeddedError(
            f"cannot use data directory {data_dir}: {error.strerror}; choose another with --data-dir"
        ) from error
    return data_dir


def settle(data_dir: Path, *, system_home: Path) -> Layout:
    """Decide where Postgres lives; call it with the data directory's lock held. Raises EmbeddedError."""
    user = server_user()
    return Layout(data_dir, _home(data_dir, user, system_home), user)


def server_user() -> User | None:
    """`nobody` under root, else None: Postgres runs as the caller."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return User(entry.pw_uid, entry.pw_gid)


def reachable(path: Path, user: User | None) -> bool:
    """Whether `user` may pass through `path` and every folder above it."""
    if user is None:
        return True
    return all(_may_enter(folder.stat(), user) for folder in (path, *path.parents))


def socket_folder(preferred: Path, name: str, note: Path, user: User | None) -> Path:
    """`preferred`, or a private short temporary folder when a socket called `name` would have too long a path there.

    `note` remembers that folder, so that the next start removes what a killed one left.
    """
    _forget_socket_folder(note)
    if len(os.fsencode(preferred / name)) <= SOCKET_PATH_LIMIT:
        return preferred
    folder = Path(tempfile.mkdtemp(prefix=f"{TEMP_PREFIX}s-", dir="/tmp"))  # TMPDIR may be long itself
    if user is not None:
        os.chown(folder, user.uid, user.gid)
    note.write_text(f"{folder}\n", encoding="utf-8")
    return folder


def release_socket_folder(note: Path) -> None:
    """Remove the temporary folder a `socket_folder` call made, if it made one."""
    _forget_socket_folder(note)


def _forget_socket_folder(note: Path) -> None:
    if not note.exists():
        return
    folder = Path(note.read_text(encoding="utf-8").strip())
    if folder.parent == Path("/tmp") and folder.name.startswith(f"{TEMP_PREFIX}s-"):  # noqa: S108
        shutil.rmtree(folder, ignore_errors=True)
    note.unlink()


def _make_own(folder: Path) -> None:
    """Make a folder of ours; under root others may pass through it (its files are closed one by one)."""
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700)
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)  # whatever the umask


def _home(data_dir: Path, user: User | None, system_home: Path) -> Path:
    note = data_dir / "postgres-home"
    if note.exists():
        home = Path(note.read_text(encoding="utf-8").strip())
        if not home.is_dir():
            raise EmbeddedError(f"{note} says Postgres keeps its data in {home}, which is gone")
        return home
    if reachable(data_dir, user):
        return data_dir
    home = system_home / hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    if home.exists():  # of a data directory that was since deleted: set aside, never mixed up, never deleted
        home.replace(home.with_name(f"{home.name}.left-{time.time_ns()}"))
    for folder in (home.parent, home):
        _make_own(folder)
    if not reachable(home, user):
        raise EmbeddedError(f"the user `nobody` cannot enter {home}; choose another --data-dir")
    note.write_text(f"{home}\n", encoding="utf-8")
    return home


def _may_enter(info: os.stat_result, user: User) -> bool:
    if info.st_uid == user.uid:
        return bool(info.st_mode & stat.S_IXUSR)
    if info.st_gid == user.gid:
        return bool(info.st_mode & stat.S_IXGRP)
    return bool(info.st_mode & stat.S_IXOTH)
