"""The embedded engine as a process: one a folder, data kept after kill -9, quick to stop, honest about its limits."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from shared.errors import Snooze
from shared.vectors.index import VectorIndex
from shared.vectors.types import EVERYWHERE, Tombstone
from tests.contract.engine_process import EngineProcess
from tests.contract.vector_samples import PROJECT, point, unit, words

SECONDS = 5.0


def _write(index: VectorIndex, end: float) -> list[UUID]:
    acknowledged: list[UUID] = []
    while time.monotonic() < end:
        batch = [point(f"topic{len(acknowledged) + step}", dense=unit(1, step)) for step in range(10)]
        index.upsert("flumes-c", batch)
        acknowledged += [each.memory_id for each in batch]
    return acknowledged


def _read(index: VectorIndex, end: float) -> int:
    searches = 0
    while time.monotonic() < end:
        [hits] = index.search("flumes-c", [words("topic1 topic5")])
        assert all(hit.version == 1 for hit in hits)
        searches += 1
    return searches


def test_four_writers_and_two_readers_then_kill(engine: EngineProcess) -> None:
    """Five seconds of load end without an error; every acknowledged point is found, also after kill -9 and restart."""
    index = VectorIndex(engine.url, timeout=20)
    index.create("flumes-c", 4)
    end = time.monotonic() + SECONDS
    with ThreadPoolExecutor(6) as pool:
        writers = [pool.submit(_write, index, end) for _ in range(4)]
        readers = [pool.submit(_read, index, end) for _ in range(2)]
        acknowledged = [identity for writer in writers for identity in writer.result()]
        assert all(reader.result() for reader in readers)
    assert {identity for identity, _ in index.scan("flumes-c", PROJECT)} == set(acknowledged)
    engine.kill()
    engine.start()
    assert {identity for identity, _ in index.scan("flumes-c", PROJECT)} == set(acknowledged)
    assert index.count("flumes-c", PROJECT) == len(acknowledged)
    index.close()


def _write_until_dead(url: str, stop: threading.Event) -> tuple[set[UUID], set[UUID]]:
    """Ids whose write, and ids whose removal, was acknowledged before the engine went away."""
    index = VectorIndex(url)
    written: set[UUID] = set()
    removed: set[UUID] = set()
    try:
        while not stop.is_set():
            batch = [point() for _ in range(3)]
            index.upsert("flumes-c", batch)
            written |= {each.memory_id for each in batch}
            victim = batch[0].memory_id
            written.discard(victim)
            index.delete("flumes-c", [Tombstone(victim, 1, EVERYWHERE)])
            removed.add(victim)
    except Snooze:  # the engine was killed under the call
        return written, removed
    finally:
        index.close()
    return written, removed


def test_kill_in_the_middle_of_writes(engine: EngineProcess) -> None:
    """Killed under load again and again: acknowledged writes are there, acknowledged deletes stay gone."""
    index = VectorIndex(engine.url)
    index.create("flumes-c", 4)
    index.close()
    written: set[UUID] = set()
    removed: set[UUID] = set()
    for _ in range(4):
        stop = threading.Event()
        with ThreadPoolExecutor(4) as pool:
            writers = [pool.submit(_write_until_dead, engine.url, stop) for _ in range(4)]
            _wait_for_points(engine.url, len(written) + 100)
            engine.kill()
            stop.set()
            for writer in writers:
                more, gone = writer.result()
                written |= more
                removed |= gone
        engine.start()
        index = VectorIndex(engine.url)
        there = {identity for identity, _ in index.scan("flumes-c", PROJECT)}
        index.close()
        assert written <= there
        assert not removed & there


def _wait_for_points(url: str, number: int) -> None:
    index = VectorIndex(url)
    deadline = time.monotonic() + 30
    while index.count("flumes-c", EVERYWHERE) < number:
        assert time.monotonic() < deadline
    index.close()


def _refused(engine: EngineProcess) -> tuple[int, str]:
    """Exit status and words of another process on the folder; one that serves instead is not left behind."""
    another = engine.spawn()
    try:
        _, said = another.communicate(timeout=15)
    finally:
        another.kill()
    return another.returncode, said.decode()


def test_second_process_on_the_folder_is_refused(engine: EngineProcess) -> None:
    """It says why and exits 3; the first goes on serving."""
    status, said = _refused(engine)
    assert status == 3
    assert str(engine.data_dir) in said
    assert httpx.get(f"{engine.url}/readyz", trust_env=False).status_code == 200


def test_sigterm_stops_quickly_and_keeps_everything(engine: EngineProcess) -> None:
    """Exit status 0 within seconds, also with an open connection; data and aliases are there afterwards."""
    index = VectorIndex(engine.url)
    index.create("flumes-c", 4)
    index.upsert("flumes-c", [point()])
    index.point_alias("flumes-alias", "flumes-c")
    started = time.monotonic()
    assert engine.stop() == 0
    assert time.monotonic() - started < 5
    engine.start()
    assert index.count("flumes-alias", PROJECT) == 1
    index.close()


def test_interrupted_create_and_drop_leave_no_rubbish(engine: EngineProcess) -> None:
    """A shard folder that the catalogue does not name is removed at the next start; named ones stay."""
    index = VectorIndex(engine.url)
    index.create("flumes-c", 4)
    index.close()
    engine.stop()
    leftover = engine.data_dir / "shards" / uuid4().hex
    leftover.mkdir()
    (leftover / "page").write_bytes(b"half a shard")
    engine.start()
    index = VectorIndex(engine.url)
    assert index.collections() == ["flumes-c"]
    assert not leftover.exists()
    index.close()


def test_unreadable_collection_refuses_to_start_by_name(engine: EngineProcess) -> None:
    """Never an empty collection in place of a broken one: exit 4, naming the collection and the way out."""
    index = VectorIndex(engine.url)
    index.create("flumes-c", 4)
    index.close()
    engine.stop()
    catalogue = json.loads((engine.data_dir / "catalogue.json").read_text())
    folder = engine.data_dir / "shards" / catalogue["collections"]["flumes-c"]["folder"]
    for segment in (folder / "segments").iterdir():
        (segment / "segment.json").write_text("{")
    status, said = _refused(engine)
    assert status == 4
    assert "flumes-c" in said
    assert "rebuild" in said


def _run(*options: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "cli.vector_engine", *options]
    return subprocess.run(command, capture_output=True, timeout=30, check=False)


def test_taken_port_is_named(tmp_path: Path) -> None:
    """Exit 2, naming port and option."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = _run("--data-dir", str(tmp_path / "data"), "--port", port)
    assert ended.returncode == 2
    assert f"--port {port}".encode() in ended.stderr


def test_open_address_needs_a_key(tmp_path: Path) -> None:
    """Beyond loopback the engine does not serve without a key, and an empty key is none."""
    data = str(tmp_path / "data")
    assert b"--api-key-env" in _run("--data-dir", data, "--host", "0.0.0.0", "--port", "0").stderr
    assert b"FLUMES_NO_SUCH" in _run("--data-dir", data, "--port", "0", "--api-key-env", "FLUMES_NO_SUCH").stderr


COLLECTION = {"vectors": {"dense": {"size": 2, "distance": "Cosine"}}, "sparse_vectors": {"bm25": {"modifier": "idf"}}}
ID = str(uuid4())
QUERY = {"query": [1, 0], "using": "dense"}
SPARSE = {"query": {"indices": [1], "values": [1]}, "using": "bm25"}
_HAS_TRUE = {"must": [{"key": "a", "match": {"value": True}}]}
REFUSED: list[tuple[str, str, Any, int, str]] = [
    ("GET", "/collections/none", None, 404, "doesn't exist"),
    ("PUT", "/collections/c", COLLECTION, 409, "already exists"),
    ("PUT", "/collections/d", {}, 400, "at least one vector"),
    ("PUT", "/collections/d", {**COLLECTION, "shard_number": 2}, 501, "shard_number"),
    ("PUT", "/collections/d", {**COLLECTION, "quantization_config": {"scalar": {"type": "int8"}}}, 501, "quantization"),
    ("PUT", "/collections/c/index", {"field_name": "t", "field_schema": "text"}, 501, "text"),
    ("PUT", "/collections/c/points", {"points": [{"id": "x", "vector": {}}]}, 400, "point ID"),
    ("PUT", "/collections/c/points", {"points": [{"id": ID, "vector": {"dense": [1]}}]}, 400, "dimension"),
    ("PUT", "/collections/c/points", {"points": [{"id": ID, "vector": {"dense": [1, "a"]}}]}, 400, "numbers"),
    ("PUT", "/collections/c/points", {"points": [{"id": ID, "vector": {"other": [1, 2]}}]}, 400, "other"),
    (
        *("PUT", "/collections/c/points"),
        {"points": [{"id": ID, "vector": {"bm25": {"indices": [1, 1], "values": [1, 1]}}}]},
        *(400, "unique"),
    ),
    ("POST", "/collections/c/points/delete", {}, 400, "points or filter"),
    ("POST", "/collections/c/points/query", {"query": ID, "using": "dense"}, 501, "point id"),
    ("POST", "/collections/c/points/query", {"query": {"fusion": "rrf"}}, 501, "fusion"),
    ("POST", "/collections/c/points/query", {**QUERY, "prefetch": {"limit": 5}}, 501, "prefetch"),
    ("POST", "/collections/c/points/query", {**QUERY, "params": {"quantization": {"ignore": True}}}, 501, "quanti"),
    ("POST", "/collections/c/points/query", {**QUERY, "params": {"idf": "global"}}, 400, "IDF"),
    ("POST", "/collections/c/points/query", {**SPARSE, "params": {"idf": {"corpus": _HAS_TRUE}}}, 501, "boolean"),
    ("POST", "/collections/c/points/query", {**QUERY, "filter": _HAS_TRUE}, 501, "boolean"),
    ("POST", "/collections/c/points/query", {**QUERY, "filter": {"must": [{}]}}, 400, "empty"),
    ("POST", "/collections/c/points/query", {**QUERY, "limit": -1}, 400, "limit"),
    ("POST", "/collections/c/points/query/groups", {**QUERY, "group_by": "a"}, 501, "groups"),
    ("POST", "/collections/c/points/scroll", {"order_by": "created"}, 501, "order_by"),
    ("POST", "/collections/c/snapshots", None, 501, "snapshots"),
    ("GET", "/telemetry", None, 501, "telemetry"),
]


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A bare HTTP client on an engine with the collection `c`."""
    process = EngineProcess(tmp_path_factory.mktemp("raw"))
    with httpx.Client(base_url=process.url, trust_env=False) as client:
        client.put("/collections/c", json=COLLECTION).raise_for_status()
        yield client
    process.close()


@pytest.mark.parametrize(("method", "path", "body", "status", "said"), REFUSED)
def test_what_is_wrong_or_unsupported_is_refused_by_name(
    raw: httpx.Client, method: str, path: str, body: Any, status: int, said: str
) -> None:
    """Qdrant's error shape, a status that tells our mistake from a missing feature, and nothing half done."""
    answer = raw.request(method, path, json=body)
    assert answer.status_code == status
    assert said in answer.json()["status"]["error"]
    assert raw.post("/collections/c/points/count", json={}).json()["result"]["count"] == 0


def test_body_that_is_not_json_and_body_too_large(raw: httpx.Client) -> None:
    """400 and 413."""
    assert raw.post("/collections/c/points/count", content=b"{").status_code == 400
    assert raw.post("/collections/c/points/count", content=b" " * (33 * 2**20)).status_code == 413
