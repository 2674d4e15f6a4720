"""The server deployment as docker-compose.yml describes it, its commands run as plain processes on real parts."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
import redis

from cli.embedded.runtime import valkey_server
from tests.e2e.image import Image
from tests.house.compose import REQUIRED, ROLES, load
from tests.stack import PEPPER, QDRANT_KEY, Stack, drop_collections, wait_until

PASSWORD = "secret-of-the-broker"
VARIABLES = dict.fromkeys(REQUIRED, "unused") | {"REDIS_PASSWORD": PASSWORD, "FLUMES_KEY_PEPPER": PEPPER}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    """The port of a broker started by the compose file's own command, its folder and address aside."""
    port, data = free_port(), tmp_path / "redis"
    data.mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "valkey-server").symlink_to(valkey_server())
    shell, option, script = load(VARIABLES)["services"]["redis"]["command"]
    script = script.replace("dir /data", f"dir {data}\nbind 127.0.0.1\nport {port}")
    env = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "REDIS_PASSWORD": PASSWORD}
    process = subprocess.Popen([shell, option, script], env=env, stdout=subprocess.DEVNULL)
    with redis.Redis(port=port, password=PASSWORD) as client:
        wait_until(lambda: answers(client), "the broker answers to its password")
        yield port
    process.terminate()
    assert process.wait(timeout=10) == 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def test_broker_refuses_a_caller_without_its_password(broker: int) -> None:
    """The compose file's way of handing over the password works."""
    with redis.Redis(port=broker) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_roles_do_the_work_and_stop_when_told(
    stack: Stack, empty_database_url: str, broker: int, tmp_path: Path
) -> None:
    """Migrate an empty database, make a key, serve and work: a POST becomes memories; SIGTERM ends both roles."""
    images = {role: Image(tmp_path / role) for role in ROLES}
    before = {role: files_of(image) for role, image in images.items()}
    settings = environment_of("api", empty_database_url, broker, stack.engine.url) | {"FLUMES_PORT": str(free_port())}
    settings["FLUMES_HOST"] = "127.0.0.1"
    drop_collections(stack.engine.url)

    assert images["migrate"].run(settings, "migrate")[0] == 0
    status, output = images["migrate"].run(settings, "keys", "create", "--name", "first")
    assert status == 0, output
    key = re.findall(r"\S{30,}", output)[0]
    processes = {role: images[role].start(settings, role, log=tmp_path / f"{role}.log") for role in ("api", "worker")}
    try:
        for role, process in processes.items():
            wait_until(partial(healthy, images[role], settings, process), f"{role} is healthy", 90)
        assert memories_of(f"http://127.0.0.1:{settings['FLUMES_PORT']}", key) == ["Wants to go to Rome in July"]
    finally:
        for process in processes.values():
            process.send_signal(signal.SIGTERM)
        codes = {role: process.wait(timeout=40) for role, process in processes.items()}

    assert codes["worker"] == 0
    assert codes["api"] in (0, -signal.SIGTERM)  # uvicorn answers its callers, then ends by the signal it was sent
    assert {role: files_of(image) for role, image in images.items()} == before


def healthy(image: Image, settings: dict[str, str], process: subprocess.Popen[bytes]) -> bool:
    log = image.folder.with_suffix(".log")
    assert process.poll() is None, log.read_text(encoding="utf-8")
    return image.run(settings, "healthy")[0] == 0


def environment_of(role: str, database_url: str, broker: int, engine_url: str) -> dict[str, str]:
    """The role's environment in the compose file, with the parts of this test in place of its hosts."""
    given = load(VARIABLES)["services"][role]["environment"]
    stores = {"FLUMES_DATABASE_URL": database_url, "FLUMES_QDRANT_URL": engine_url, "FLUMES_QDRANT_API_KEY": QDRANT_KEY}
    return {
        **given,
        **stores,
        "FLUMES_REDIS_URL": given["FLUMES_REDIS_URL"].replace("redis:6379", f"127.0.0.1:{broker}"),
    }


def memories_of(url: str, key: str) -> list[str]:
    """What one POST, waited for, answers."""
    body = {"messages": [{"role": "user", "content": "I want to go to Rome in July."}], "agent_id": "alex"}
    headers = {"Authorization": f"Bearer {key}"}
    answer = httpx.post(f"{url}/v1/memories/", json=body, headers=headers, timeout=30, trust_env=False)
    assert answer.status_code == 200, answer.text
    return [result["memory"] for result in answer.json()["results"]]


def files_of(image: Image) -> set[str]:
    """Every file outside /tmp: the image runs on a read-only file system."""
    everything = {path.relative_to(image.folder) for path in image.folder.rglob("*")}
    return {str(path) for path in everything if path.parts[0] != "tmp"}
