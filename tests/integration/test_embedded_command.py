"""The `flumes` command where no API has to run: help, refusals, keys, migrations, checks."""

from __future__ import annotations

import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cli.embedded.lock import DataDirLock
from cli.embedded.services import write_note
from cli.embedded.temporary import TemporaryDataDir
from shared.db import keys
from shared.db.engine import Database
from tests.stack import PEPPER
from tests.up import run_flumes


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A temporary folder the Postgres user may pass through."""
    with TemporaryDataDir("command") as home:
        yield home.layout.data_dir


@pytest.fixture
def external(empty_database_url: str) -> dict[str, str]:
    """Settings of a server deployment: the database lies elsewhere."""
    return {"FLUMES_DATABASE_URL": empty_database_url, "FLUMES_KEY_PEPPER": PEPPER}


def test_help_imports_nothing_heavy(folder: Path) -> None:
    """That is what makes it answer at once."""
    heavy = ("pydantic", "sqlalchemy", "psycopg", "alembic", "celery", "fastapi", "openai", "qdrant_client", "numpy")
    code = f"import sys, cli.main; sys.exit(' '.join(sys.modules.keys() & set({heavy!r})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""
    code_of_help, text = run_flumes("--help", folder=folder)
    assert code_of_help == 0
    for command in ("up", "migrate", "doctor", "keys"):
        assert command in text


def test_taken_port_is_named_with_its_option(folder: Path) -> None:
    """Before anything is started."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, text = run_flumes("up", "--data-dir", str(folder / "taken"), "--port", str(port), folder=folder)
    assert code == 1
    assert text.strip() == f"error: port {port} on 127.0.0.1 is taken; choose another with --port (FLUMES_PORT)"
    assert not (folder / "taken" / "postgres").exists()


def test_second_instance_is_refused(folder: Path) -> None:
    """It names who holds the data directory and the way out."""
    (folder / "held").mkdir()
    with DataDirLock(folder / "held" / "lock"):
        code, text = run_flumes("up", "--data-dir", str(folder / "held"), "--port", "0", folder=folder)
    assert code == 1
    assert "already runs on" in text
    assert "--data-dir" in text


def test_bad_setting_is_named_without_a_traceback(folder: Path) -> None:
    """By the variable its owner can change."""
    code, text = run_flumes("up", env={"FLUMES_SLOTS": "none"}, folder=folder)
    assert code == 1
    assert text.startswith("error: bad settings: FLUMES_SLOTS")


def test_unsafe_database_is_refused(folder: Path, external: dict[str, str]) -> None:
    """`up` on a server that does not sync ends before it starts the API, and stops what it started."""
    url = external["FLUMES_DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off".encode())
    place = str(folder / "unsafe")
    code, text = run_flumes("up", "--data-dir", place, "--port", "0", env=external, folder=folder)
    assert code == 1
    assert "synchronous_commit off" in text
    assert not (folder / "unsafe" / "logs" / "api.log").exists()
    assert not (folder / "unsafe" / "postgres").exists()


def test_migrate_and_keys_on_a_database_elsewhere(folder: Path, external: dict[str, str]) -> None:
    """Made, found by the API's own query, listed without the secret, revoked."""
    for _ in range(2):
        assert run_flumes("migrate", env=external, folder=folder)[0] == 0
    words = ("keys", "create", "--name", "phone", "--rights", "read", "--user-id", "ann", "--days", "3")
    code, token = run_flumes(*words, env=external, folder=folder)
    assert code == 0
    found = _find(external, token.strip())
    assert found is not None
    assert (found.rights, found.user_id, found.name) == (("read",), "ann", "phone")
    _, shown = run_flumes("keys", "list", env=external, folder=folder)
    assert found.public_id in shown
    assert token.strip() not in shown
    assert run_flumes("keys", "revoke", found.public_id, env=external, folder=folder)[0] == 0
    assert _find(external, token.strip()) is None
    assert run_flumes("keys", "revoke", found.public_id, env=external, folder=folder)[0] == 1


def _find(external: dict[str, str], token: str) -> keys.ApiKey | None:
    database = Database(external["FLUMES_DATABASE_URL"], pool_size=2)
    try:
        return database.run(lambda session: keys.find(session, token, PEPPER))
    finally:
        database.close()


def test_unknown_right_is_refused(folder: Path, external: dict[str, str]) -> None:
    """With the list of those there are."""
    assert run_flumes("migrate", env=external, folder=folder)[0] == 0
    code, text = run_flumes("keys", "create", "--rights", "everything", env=external, folder=folder)
    assert code == 1
    assert "ingest, read, delete, admin" in text


def test_keys_of_a_server_deployment_need_the_pepper(folder: Path, external: dict[str, str]) -> None:
    """A key made under another pepper would never work."""
    code, text = run_flumes("keys", "list", env={**external, "FLUMES_KEY_PEPPER": ""}, folder=folder)
    assert code == 1
    assert "FLUMES_KEY_PEPPER" in text


def test_keys_of_a_data_directory_that_is_not_there(folder: Path) -> None:
    """The command does not make one by accident."""
    code, text = run_flumes("keys", "list", "--data-dir", str(folder / "nowhere"), folder=folder)
    assert code == 1
    assert "nothing in" in text
    assert not (folder / "nowhere").exists()


def test_keys_of_a_stopped_data_directory(folder: Path) -> None:
    """The servers are started for the command and stopped after it; the pepper is made once and closed to others."""
    place = folder / "stopped"
    place.mkdir(mode=0o711)
    place.chmod(0o711)
    (place / "lock").touch()
    assert run_flumes("migrate", "--data-dir", str(place), folder=folder)[0] == 0
    code, token = run_flumes("keys", "create", "--data-dir", str(place), folder=folder)
    assert (code, token.startswith("fm_live_")) == (0, True)
    assert stat.S_IMODE((place / "key-pepper").stat().st_mode) == 0o600
    assert not (place / "postgres" / "postmaster.pid").exists()


def test_keys_of_a_running_data_directory(folder: Path, external: dict[str, str]) -> None:
    """The command works on the servers that the running `flumes up` noted."""
    run = folder / "running" / "run"
    run.mkdir(parents=True)
    write_note(run, external)
    with DataDirLock(folder / "running" / "lock"):
        assert run_flumes("migrate", "--data-dir", str(run.parent), folder=folder)[0] == 0
        code, token = run_flumes("keys", "create", "--data-dir", str(run.parent), folder=folder)
    assert code == 0
    assert _find(external, token.strip()) is not None
    assert stat.S_IMODE((run / "services.json").stat().st_mode) == 0o600


def test_doctor_is_content_with_a_fresh_machine(folder: Path) -> None:
    """Each part named, the extractor with its reason."""
    code, text = run_flumes("doctor", "--data-dir", str(folder / "new"), "--port", "0", folder=folder)
    assert code == 0, text
    assert text.count("ok    ") == 8
    assert "no OPENAI_API_KEY set" in text


def test_doctor_names_what_is_wrong(folder: Path) -> None:
    """A database that does not answer and a taken port, in one run."""
    wrong = {
        "FLUMES_DATABASE_URL": "postgresql://postgres@/x?host=/nowhere",
        "FLUMES_REDIS_URL": "redis://127.0.0.1:1/0",
    }
    code, text = run_flumes("doctor", "--data-dir", str(folder / "new"), "--port", "0", env=wrong, folder=folder)
    assert code == 1
    assert "FAIL  database: cannot reach" in text
    assert "FAIL  redis: 127.0.0.1:1" in text
