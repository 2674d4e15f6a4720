"""The embedded Valkey: private, and back after a kill."""

from __future__ import annotations

import stat

import pytest
import redis

from cli.embedded.errors import PartError
from cli.embedded.temporary import TemporaryDataDir
from cli.embedded.valkey import Valkey
from tests.stack import Stack, crash, revive


def test_acknowledged_writes_survive_kill_9(stack: Stack) -> None:
    """At the same address; nothing rests on it, yet fewer bells are lost this way."""
    url = stack.valkey.url
    with redis.Redis.from_url(url) as client:
        for number in range(500):
            client.set(f"kept:{number}", number)
    crash(stack.valkey)
    revive(stack.valkey)
    assert stack.valkey.url == url
    with redis.Redis.from_url(url) as client:
        assert sum(1 for _ in client.scan_iter("kept:*")) == 500


def test_only_the_owner_reaches_the_socket(stack: Stack) -> None:
    """There is no password, so the file's mode is the lock; no TCP port is open."""
    assert stat.S_IMODE(stack.valkey.socket.stat().st_mode) == 0o700
    assert stat.S_IMODE(stack.valkey.socket.parent.stat().st_mode) == 0o700
    with redis.Redis.from_url(stack.valkey.url) as client:
        assert client.config_get("port") == {"port": "0"}


def test_memory_is_never_freed_by_dropping_keys(stack: Stack) -> None:
    """A full broker refuses a bell; it does not silently drop others."""
    with redis.Redis.from_url(stack.valkey.url) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_broken_file_stops_one_start_at_most() -> None:
    """What a failing disk left is set aside, not deleted, and the next start serves."""
    with TemporaryDataDir("valkey") as home:
        part = Valkey(home.layout)
        revive(part)
        with redis.Redis.from_url(part.url) as client:
            client.set("a", "b")
        part.stop()
        for file in home.layout.valkey.glob("appendonlydir/*.incr.aof"):
            file.write_bytes(b"*3\r\n$3\r\nSET\r\nrubbish that is no command\r\n" * 3)
        with pytest.raises(PartError, match="Bad file format"):
            revive(part)
        revive(part)
        assert len(list(home.layout.valkey.glob("broken-*"))) == 1
        part.stop()
