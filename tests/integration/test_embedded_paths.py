"""Where things lie: long paths, closed folders, moved and deleted data directories, temporary ones."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cli.embedded.child import User
from cli.embedded.errors import EmbeddedError
from cli.embedded.lock import DataDirLock
from cli.embedded.part import wait_ready
from cli.embedded.paths import make_data_dir, reachable, server_user, settle, socket_folder
from cli.embedded.postgres import Postgres
from cli.embedded.temporary import TemporaryDataDir
from cli.embedded.valkey import Valkey

ROOT = os.geteuid() == 0


@pytest.fixture
def place() -> Iterator[Path]:
    """A temporary folder anybody may pass through."""
    with TemporaryDataDir("paths") as home:
        yield home.layout.data_dir


def closed_and_long(place: Path) -> Path:
    """A folder that only its owner may enter, with a path over 120 characters and a space."""
    closed = place / "pri vate"
    closed.mkdir(mode=0o700)
    deep = closed / ("d" * 60) / ("e" * 60) / "data"
    assert len(str(deep)) > 120
    return deep


def modes_above(path: Path) -> list[int]:
    """The modes of every folder above a path."""
    return [stat.S_IMODE(folder.stat().st_mode) for folder in path.parents if folder.exists()]


def test_servers_run_in_a_long_path_below_a_closed_folder(place: Path) -> None:
    """Both servers serve, keep their data over a restart, and no folder above is changed."""
    data_dir = make_data_dir(closed_and_long(place))
    before = modes_above(data_dir)
    for expected in (0, 1):
        layout = settle(data_dir, system_home=place / "system")
        postgres, valkey = Postgres(layout), Valkey(layout)
        for part in (postgres, valkey):
            part.start()
        for part in (postgres, valkey):
            wait_ready(part)
        assert len(os.fsencode(valkey.socket)) <= 90
        with psycopg.connect(postgres.url) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (expected,)
            connection.execute("INSERT INTO kept VALUES (1)")
        sockets = valkey.socket.parent
        for part in (valkey, postgres):
            part.stop()
        assert not sockets.exists()
    assert modes_above(data_dir) == before


def test_closed_folder_moves_postgres_to_the_system_home(place: Path) -> None:
    """Only root needs it, for Postgres then runs as `nobody`; the data directory notes where it went."""
    data_dir = make_data_dir(closed_and_long(place))
    layout = settle(data_dir, system_home=place / "system")
    again = settle(data_dir, system_home=place / "elsewhere")
    assert again == layout
    if ROOT:
        assert layout.home.parent == place / "system"
        assert (data_dir / "postgres-home").read_text().strip() == str(layout.home)
    else:
        assert layout.home == data_dir


def test_home_of_a_deleted_data_directory_is_set_aside(place: Path) -> None:
    """Old rows never come back under new keys, and nothing is deleted."""
    data_dir = make_data_dir(closed_and_long(place))
    first = settle(data_dir, system_home=place / "system")
    (first.home / "precious").write_text("x")
    (data_dir / "postgres-home").unlink(missing_ok=True)
    second = settle(data_dir, system_home=place / "system")
    kept = list(place.glob("system/*/precious")) if ROOT else [second.home / "precious"]
    assert len(kept) == 1
    assert ROOT is not (second.home / "precious").exists()


def test_noted_home_that_is_gone_is_an_error(place: Path) -> None:
    """A lost disk is not answered with an empty database."""
    data_dir = make_data_dir(place / "data")
    (data_dir / "postgres-home").write_text(f"{place}/gone\n")
    with pytest.raises(EmbeddedError, match="gone"):
        settle(data_dir, system_home=place / "system")


def test_reachable_looks_at_every_folder_above(place: Path) -> None:
    """One closed folder anywhere above is enough; the caller's own user needs no look."""
    stranger = User(65533, 65533)
    inner = place / "open" / "inner"
    inner.mkdir(parents=True)
    place.chmod(0o711)
    assert reachable(inner, stranger)
    (place / "open").chmod(0o700)
    assert not reachable(inner, stranger)
    assert reachable(inner, None)


def test_unusable_data_directory_names_the_option(place: Path) -> None:
    """A file in the way is reported with what to do."""
    (place / "file").write_text("")
    with pytest.raises(EmbeddedError, match="--data-dir"):
        make_data_dir(place / "file" / "data")


def test_second_holder_of_a_data_directory_is_refused(place: Path) -> None:
    """The message names the first one's pid; after its end the directory is free without any cleaning."""
    with DataDirLock(place / "mine"), pytest.raises(EmbeddedError, match=f"pid {os.getpid()}"):
        DataDirLock(place / "mine")
    DataDirLock(place / "mine").release()


def test_short_socket_paths_stay_in_the_data_directory(place: Path) -> None:
    """No temporary folder is made where none is needed."""
    note = place / "note"
    assert socket_folder(place, "s", note, None) == place
    assert not note.exists()


def test_socket_folder_of_a_killed_run_is_removed(place: Path) -> None:
    """The next start removes the folder its predecessor could not."""
    long = place / ("x" * 90)
    left = socket_folder(long, "s", place / "note", server_user())
    fresh = socket_folder(long, "s", place / "note", server_user())
    assert fresh != left
    assert not left.exists()
    assert stat.S_IMODE(fresh.stat().st_mode) == 0o700
    fresh.rmdir()


def test_temporary_directory_of_a_killed_process_is_swept() -> None:
    """Leftovers whose lock nobody holds go, those in use stay."""
    with TemporaryDataDir("sweep") as used:
        left = used.layout.data_dir.with_name("flumes-sweep-left")
        left.mkdir()
        (left / "lock").touch()
        with TemporaryDataDir("sweep"):
            assert not left.exists()
            assert used.layout.data_dir.exists()
    assert not used.layout.data_dir.exists()
