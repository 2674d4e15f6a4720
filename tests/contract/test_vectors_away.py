"""An index that cannot be reached is said to be away, by every call, in bounded time."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from qdrant_client.models import UpdateResult, UpdateStatus

from shared.errors import PermanentFailure, Snooze
from shared.vectors.failures import check_completed
from shared.vectors.index import VectorIndex
from shared.vectors.types import EVERYWHERE, Tombstone
from tests.contract.engine_process import EngineProcess
from tests.contract.vector_samples import PROJECT, point, words

CALLS: dict[str, Callable[[VectorIndex], object]] = {
    "ping": lambda index: index.ping(),
    "server_version": lambda index: index.server_version(),
    "check_server": lambda index: index.check_server(),
    "create": lambda index: index.create("flumes-c", 4),
    "dimensions": lambda index: index.dimensions("flumes-c"),
    "drop": lambda index: index.drop("flumes-c"),
    "collections": lambda index: index.collections(),
    "alias_target": lambda index: index.alias_target("alias"),
    "point_alias": lambda index: index.point_alias("alias", "flumes-c"),
    "upsert": lambda index: index.upsert("flumes-c", [point()]),
    "delete": lambda index: index.delete("flumes-c", [Tombstone(uuid4(), 1, EVERYWHERE)]),
    "search": lambda index: index.search("flumes-c", [words("tea")]),
    "count": lambda index: index.count("flumes-c", PROJECT),
    "scan": lambda index: list(index.scan("flumes-c", PROJECT)),
}


@pytest.fixture
def silent_url() -> Iterator[str]:
    """A port where connections are taken and nothing is ever answered."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def closed_url() -> str:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    return f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_nobody_listens(closed_url: str, call: Callable[[VectorIndex], object]) -> None:
    """Every call raises the snooze that keeps the work and names the provider."""
    index = VectorIndex(closed_url)
    with pytest.raises(Snooze) as caught:
        call(index)
    assert (caught.value.code, caught.value.provider) == ("index_unavailable", "qdrant")
    assert caught.value.retryable
    index.close()


@pytest.mark.parametrize("name", ["upsert", "search"])
def test_a_hanging_server_is_given_up_in_time(silent_url: str, name: str) -> None:
    """The outcome of the write is unknown, so it does not count; the call ends at its timeout."""
    index = VectorIndex(silent_url, timeout=1)
    started = time.monotonic()
    with pytest.raises(Snooze, match="Timeout"):
        CALLS[name](index)
    assert time.monotonic() - started < 10
    index.close()


def test_an_engine_that_dies_and_comes_back(engine: EngineProcess) -> None:
    """Between kill and restart calls snooze; afterwards the same index object finds the same points at once."""
    index = VectorIndex(engine.url)
    index.create("flumes-c", 4)
    stored = point()
    index.upsert("flumes-c", [stored])
    engine.kill()
    with pytest.raises(Snooze):
        index.search("flumes-c", [words("green tea")])
    engine.start()
    [[hit]] = index.search("flumes-c", [words("green tea")])
    assert hit.memory_id == stored.memory_id
    engine.kill()
    engine.start()
    assert index.count("flumes-c", PROJECT) == 1
    index.close()


@pytest.mark.parametrize("status", [UpdateStatus.ACKNOWLEDGED, UpdateStatus.WAIT_TIMEOUT])
def test_only_completed_counts_as_written(status: UpdateStatus) -> None:
    """A server that took the write but did not apply it yet gets it again."""
    check_completed("upsert", UpdateResult(status=UpdateStatus.COMPLETED))
    with pytest.raises(Snooze, match=str(status)):
        check_completed("upsert", UpdateResult(status=status))


def test_a_wrong_key_is_not_an_empty_index(engine_with_key: EngineProcess) -> None:
    """Without the right key every call raises; with it they work."""
    for key in (None, "wrong"):
        refused = VectorIndex(engine_with_key.url, key)
        with pytest.raises(Snooze, match="401"):
            refused.ping()
        with pytest.raises(Snooze):
            refused.collections()
        refused.close()
    welcome = VectorIndex(engine_with_key.url, "a-key")
    welcome.ping()
    assert welcome.collections() == []
    welcome.close()


def test_an_old_server_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, closed_url: str) -> None:
    """The message has both versions."""
    index = VectorIndex(closed_url)
    for version in ("1.18.3", "0.11.0", "1.9.0-dev"):
        monkeypatch.setattr(VectorIndex, "server_version", lambda _self, version=version: version)
        with pytest.raises(PermanentFailure, match=rf"{version}.*1\.19\.0"):
            index.check_server()
    monkeypatch.setattr(VectorIndex, "server_version", lambda _self: "1.19.0")
    index.check_server()
    index.close()
