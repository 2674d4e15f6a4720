"""The vector contract runs on the embedded engine and, with `--qdrant-url`, on a Qdrant server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from shared.vectors.index import VectorIndex
from shared.vectors.types import EVERYWHERE, Tombstone
from tests.contract.engine_process import EngineProcess


def pytest_addoption(parser: pytest.Parser) -> None:
    """The server is named on the command line only: collections are made and dropped there."""
    parser.addoption("--qdrant-url", default=None, help="run the vector contract on this Qdrant server")
    parser.addoption("--qdrant-key-file", type=Path, default=None, help="file with that server's key")


@pytest.fixture(scope="session")
def vectors_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server to run the contract on: the one named, else an engine of this session."""
    named = request.config.getoption("--qdrant-url", default=None)
    if named:
        yield named
        return
    process = EngineProcess(tmp_path_factory.mktemp("engine"))
    yield process.url
    process.close()


@pytest.fixture(scope="session")
def vectors_key(request: pytest.FixtureRequest) -> str | None:
    """The named server's key."""
    file = request.config.getoption("--qdrant-key-file", default=None)
    return file.read_text(encoding="utf-8").strip() if file else None


@pytest.fixture(scope="session")
def index(vectors_url: str, vectors_key: str | None) -> Iterator[VectorIndex]:
    """The index under test."""
    opened = VectorIndex(vectors_url, vectors_key, timeout=10)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def _shared_collection(index: VectorIndex) -> Iterator[str]:
    name = f"flumes-test-{uuid4().hex}"
    index.create(name, 4)
    yield name
    index.drop(name)


@pytest.fixture
def collection(index: VectorIndex, _shared_collection: str) -> Iterator[str]:
    """An empty collection with dense vectors of 4 dimensions; emptied again, as making one costs a dozen disk syncs."""
    yield _shared_collection
    stored = list(index.scan(_shared_collection, EVERYWHERE))
    index.delete(_shared_collection, [Tombstone(identity, version, EVERYWHERE) for identity, version in stored])
    assert index.count(_shared_collection, EVERYWHERE) == 0


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineProcess]:
    """An engine of the test alone, to be killed and started at will."""
    process = EngineProcess(tmp_path)
    yield process
    process.close()


@pytest.fixture
def engine_with_key(tmp_path: Path) -> Iterator[EngineProcess]:
    """An engine that asks for `a-key`."""
    process = EngineProcess(tmp_path, "--api-key-env", "ENGINE_KEY", env={"ENGINE_KEY": "a-key"})
    yield process
    process.close()
