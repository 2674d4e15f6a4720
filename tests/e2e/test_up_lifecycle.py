"""`flumes up` from the first start to the last Ctrl-C, and through every kill in between."""

from __future__ import annotations

import json
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from cli.embedded.temporary import TemporaryDataDir
from tests.stack import wait_until
from tests.up import PARTS, Up, run_flumes, wait_gone


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A temporary folder the Postgres user may pass through."""
    with TemporaryDataDir("up") as home:
        yield home.layout.data_dir


@pytest.fixture(scope="module")
def shared_up(place: Path) -> Iterator[Up]:
    """One `flumes up` for the tests that leave it in working order or start it again."""
    running = Up(place / "shared")
    yield running
    running.close()


@pytest.fixture
def up(shared_up: Up) -> Up:
    """Running, whatever the test before did to it."""
    if shared_up.ended:
        shared_up.start()
    return shared_up


def serves(up: Up) -> bool:
    """Whether every dependency is there again."""
    try:
        return up.call("GET", "/readyz").status_code == 200
    except httpx.TransportError:
        return False


def test_first_start_shows_address_key_and_extractor(up: Up) -> None:
    """Everything needed for the first request stands on the screen; the key's file is its owner's alone."""
    assert serves(up)
    assert sorted(up.pids) == sorted(PARTS)
    file = up.data_dir / "api-key"
    assert file.read_text().strip() == up.key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "rules: no OPENAI_API_KEY set" in up.screen
    assert str(up.data_dir) in up.screen


def test_key_opens_the_api_and_nothing_else_does(up: Up) -> None:
    """The first key works at once; a wrong one does not."""
    assert up.call("GET", "/v1/memories/", params={"user_id": "ann"}).status_code == 200
    wrong = {"Authorization": f"Bearer {up.key[:-1]}{'a' if up.key[-1] != 'a' else 'b'}"}
    assert up.call("GET", "/v1/memories/", params={"user_id": "ann"}, headers=wrong).status_code == 401


def test_second_instance_on_the_data_directory_is_refused(up: Up, place: Path) -> None:
    """The first one goes on."""
    words = ("up", "--data-dir", str(up.data_dir), "--port", "0")
    code, text = run_flumes(*words, folder=place)
    assert code == 1
    assert up.child is not None
    assert f"pid {up.child.pid}" in text
    assert serves(up)


def test_commands_work_on_the_running_one(up: Up, place: Path) -> None:
    """`keys create` needs no address: the data directory tells."""
    code, token = run_flumes("keys", "create", "--data-dir", str(up.data_dir), folder=place)
    assert code == 0
    headers = {"Authorization": f"Bearer {token.strip()}"}
    assert up.call("GET", "/v1/memories/", params={"user_id": "ann"}, headers=headers).status_code == 200


def test_what_serves_logs_in_as_a_role_that_owns_nothing(up: Up) -> None:
    """API and worker stand behind row-level security; only the commands are the owner."""
    assert serves(up)
    owner = json.loads((up.data_dir / "run" / "services.json").read_text())["FLUMES_DATABASE_URL"]
    with psycopg.connect(owner) as connection:
        seen = connection.execute(
            "SELECT DISTINCT a.application_name, a.usename, r.rolsuper OR r.rolbypassrls FROM pg_stat_activity a"
            " JOIN pg_roles r ON r.rolname = a.usename WHERE a.application_name IN ('flumes-api', 'flumes-worker')"
        ).fetchall()

    assert sorted(seen) == [("flumes-api", "flumes_app", False), ("flumes-worker", "flumes_app", False)]


@pytest.mark.parametrize("part", PARTS)
def test_killed_part_is_started_again(up: Up, part: str) -> None:
    """After kill -9 of one part the service serves again, the other parts untouched."""
    before = up.pids
    up.kill(part)
    wait_until(lambda: serves(up), "the service serves again", timeout=30)
    after = up.pids
    assert {name: pid for name, pid in after.items() if name != part} == {
        name: pid for name, pid in before.items() if name != part
    }
    assert f"{part} ended (signal 9), starting it again" in up.screen


def test_requests_wait_in_line_while_a_killed_api_starts(up: Up) -> None:
    """The listening socket outlives the API: no caller is refused."""
    os.kill(up.pids["api"], signal.SIGKILL)
    assert up.call("GET", "/livez").status_code == 200


def test_kill_9_of_the_supervisor_leaves_no_orphan(up: Up) -> None:
    """All parts end with it; the next start finds no lock in its way and shows the same key."""
    key, family = up.key, up.family()
    assert up.child is not None
    up.child.kill()
    wait_gone(family)
    up.start()
    assert up.key == key
    assert serves(up)


def test_kill_9_of_everything_at_once_leaves_no_orphan_and_no_stale_lock(up: Up) -> None:
    """Twice in a row, with the service answering after each."""
    for _ in range(2):
        wait_gone(up.kill_everything())
        up.start()
        assert serves(up)


def test_one_ctrl_c_stops_everything(up: Up) -> None:
    """Exit code 0, no process, no note on running services; the address is free again."""
    family, address = up.family(), httpx.URL(up.address)
    assert up.stop() == 0
    wait_gone(family)
    assert up.screen.rstrip().endswith("stopped")
    assert "Traceback" not in up.screen
    assert not (up.data_dir / "run" / "services.json").exists()
    assert not [
        c for c in psutil.net_connections() if c.laddr and c.laddr.port == address.port and c.status == "LISTEN"
    ]


def test_caller_environment_of_libpq_and_celery_is_not_heard(place: Path) -> None:
    """PGPORT, PGHOST or CELERY_BROKER_URL of the shell do not bend the embedded parts."""
    foreign = {
        "PGPORT": "6",
        "PGHOST": "/nowhere",
        "PGOPTIONS": "-c x.y=z -c bad",
        "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
    }
    running = Up(place / "foreign", **foreign, HTTP_PROXY="http://127.0.0.1:1", ALL_PROXY="http://127.0.0.1:1")
    try:
        running.start()
        assert serves(running)
        assert running.stop() == 0
    finally:
        running.close()


def test_long_path_in_a_closed_folder(place: Path) -> None:
    """A folder of 120 characters that only its owner may enter: the service runs and keeps its data over a restart."""
    closed = place / ("closed " + "c" * 60)
    closed.mkdir(mode=0o700)
    deep = closed / ("d" * 60) / "data"
    assert len(str(deep)) > 120
    running = Up(deep, FLUMES_SYSTEM_HOME=str(place / "system"))
    try:
        running.start()
        key = running.key
        assert serves(running)
        wait_gone(running.kill_everything())
        running.start()
        assert running.key == key
        assert running.stop() == 0
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    finally:
        running.close()
