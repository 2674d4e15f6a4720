"""Collections and aliases: made once whatever races, complete before the first point, swapped in one step."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from qdrant_client import QdrantClient

from shared.errors import PermanentFailure, Snooze
from shared.vectors.index import MINIMUM_SERVER, VectorIndex
from shared.vectors.layout import PAYLOAD_INDEXES, collection_name
from shared.vectors.types import EVERYWHERE
from tests.contract.vector_samples import PROJECT, key_header, point, words


@pytest.fixture
def name(index: VectorIndex) -> Iterator[str]:
    """A name that no collection has yet; whatever the test makes of it is dropped."""
    fresh = f"flumes-test-{uuid4().hex}"
    yield fresh
    index.drop(fresh)


def test_create_is_idempotent(index: VectorIndex, name: str) -> None:
    """A second create neither fails nor empties the collection."""
    index.create(name, 4)
    index.upsert(name, [point()])
    index.create(name, 4)
    assert name in index.collections()
    assert index.count(name, EVERYWHERE) == 1


def test_create_under_a_race_leaves_every_caller_a_complete_collection(
    vectors_url: str, vectors_key: str | None, name: str
) -> None:
    """Sixteen creators at once: none fails, and each finds all payload indexes when it returns."""
    barrier = threading.Barrier(16)

    def create(_: int) -> set[str]:
        mine = VectorIndex(vectors_url, vectors_key, timeout=30)
        raw = QdrantClient(url=vectors_url, headers=key_header(vectors_key), check_compatibility=False)
        barrier.wait()
        mine.create(name, 4)
        seen = set(raw.get_collection(name).payload_schema)
        mine.close()
        raw.close()
        return seen

    with ThreadPoolExecutor(16) as pool:
        seen = list(pool.map(create, range(16)))
    assert all(fields == set(PAYLOAD_INDEXES) for fields in seen)


def test_create_refuses_an_existing_collection_of_other_dimensions(index: VectorIndex, name: str) -> None:
    """Points of two vector spaces never share a collection."""
    index.create(name, 4)
    with pytest.raises(PermanentFailure, match="size 4, not 8"):
        index.create(name, 8)
    with pytest.raises(PermanentFailure, match="size 4, not None"):
        index.create(name, None)
    assert index.dimensions(name) == 4


def test_a_collection_without_dimensions_holds_bm25_only(index: VectorIndex, name: str) -> None:
    """Without an embedder there is no dense vector, and hits say so."""
    index.create(name, None)
    index.create(name, None)
    index.point_alias(f"{name}-alias", name)
    assert index.dimensions(f"{name}-alias") is None
    stored = point("Likes green tea", dense=None)
    index.upsert(name, [stored])
    [[hit]] = index.search(name, [words("green tea")])
    assert hit.memory_id == stored.memory_id
    assert hit.semantic is None
    assert hit.bm25 is not None
    assert hit.bm25 > 0


def test_drop_removes_points_and_aliases(index: VectorIndex, name: str) -> None:
    """After a drop nothing answers under the name or its alias; dropping again is fine."""
    alias = f"{name}-alias"
    index.create(name, 4)
    index.upsert(name, [point()])
    index.point_alias(alias, name)
    index.drop(name)
    index.drop(name)
    assert name not in index.collections()
    assert index.alias_target(alias) is None
    index.create(name, 4)
    assert index.count(name, EVERYWHERE) == 0


def test_missing_collection_is_an_absent_index_not_an_empty_one(index: VectorIndex) -> None:
    """A lost collection must not look like "nothing found"."""
    with pytest.raises(Snooze) as caught:
        index.search("flumes-never-made", [words("tea")])
    assert caught.value.code == "index_unavailable"
    with pytest.raises(Snooze):
        index.count("flumes-never-made", PROJECT)


def test_alias_swap_serves_reads_throughout(index: VectorIndex, name: str) -> None:
    """Readers on the alias see the old or the new collection at every moment, never neither."""
    new, alias = f"{name}-new", f"{name}-alias"
    old_point, new_point = point(), point()
    for collection, stored in ((name, old_point), (new, new_point)):
        index.create(collection, 4)
        index.upsert(collection, [stored])
    index.point_alias(alias, name)
    swapped = threading.Event()

    def read() -> set[object]:
        seen: set[object] = set()
        while not swapped.is_set() or not seen & {new_point.memory_id}:
            [[hit]] = index.search(alias, [words("green tea")])
            seen.add(hit.memory_id)
        return seen

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        for target in (new, name) * 10:
            index.point_alias(alias, target)
        index.point_alias(alias, new)
        swapped.set()
        seen = set().union(*(reader.result(timeout=30) for reader in readers))
    assert seen <= {old_point.memory_id, new_point.memory_id}
    assert index.alias_target(alias) == new
    index.drop(new)


def test_alias_to_a_missing_collection_is_refused(index: VectorIndex, name: str) -> None:
    """The alias stays where it was."""
    alias = f"{name}-alias"
    index.create(name, 4)
    index.point_alias(alias, name)
    with pytest.raises(Snooze):
        index.point_alias(alias, "flumes-never-made")
    assert index.alias_target(alias) == name


def test_server_is_new_enough(index: VectorIndex) -> None:
    """The version check passes on what the contract runs on."""
    index.ping()
    index.check_server()
    assert tuple(int(part) for part in index.server_version().split(".")) >= MINIMUM_SERVER


def test_collection_names_are_plain() -> None:
    """Model names with slashes, colons and capitals become one safe slug; BM25 has a name of its own."""
    assert collection_name("BAAI/bge-small:en_v1.5", 3) == "flumes-baai-bge-small-en-v1-5-3"
    assert collection_name(None, 1) == "flumes-bm25-1"
    assert collection_name("模型", 1) == "flumes-model-1"
