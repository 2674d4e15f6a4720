"""Writes: the newest version wins in whatever order calls arrive, and nothing of a text is stored."""

from __future__ import annotations

import json
from itertools import permutations
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import Snooze
from shared.model.scope import ScopeIds
from shared.vectors.index import VectorIndex
from shared.vectors.types import EVERYWHERE, Tombstone
from tests.contract.vector_samples import OTHER_PROJECT, PROJECT, day, key_header, point, unit, words

calls = st.lists(
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 6)), min_size=1, max_size=4), min_size=1, max_size=5
)


@given(batches=calls)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_newest_version_wins_in_any_order(
    index: VectorIndex, collection: str, batches: list[list[tuple[int, int]]]
) -> None:
    """Batches of (memory, version) in any order and mix leave each memory at its highest version, with its content."""
    memories = [uuid4() for _ in range(3)]
    for batch in batches:
        index.upsert(
            collection,
            [point(f"version{version}", memory_id=memories[which], version=version) for which, version in batch],
        )
    newest = {memories[which]: version for which, version in sorted(pair for batch in batches for pair in batch)}
    stored = dict(index.scan(collection, PROJECT))
    assert {key: stored.get(key) for key in newest} == newest
    for identity, version in newest.items():
        [[hit]] = index.search(collection, [words(f"version{version}", memory_ids=(identity,))])
        assert hit.version == version
    index.delete(collection, [Tombstone(identity, 99, PROJECT) for identity in memories])


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
def test_every_order_of_three_versions(index: VectorIndex, collection: str, order: tuple[int, ...]) -> None:
    """All six orders of three separate calls end at version 3."""
    identity = uuid4()
    for version in order:
        index.upsert(collection, [point(memory_id=identity, version=version)])
    assert list(index.scan(collection, PROJECT)) == [(identity, 3)]


@pytest.mark.parametrize(("stored", "tombstone", "gone"), [(1, 1, True), (1, 2, True), (3, 2, False)])
def test_a_tombstone_spares_newer_versions(
    index: VectorIndex, collection: str, stored: int, tombstone: int, *, gone: bool
) -> None:
    """A late delete does not remove what was written after it."""
    identity = uuid4()
    index.upsert(collection, [point(memory_id=identity, version=stored)])
    index.delete(collection, [Tombstone(identity, tombstone, PROJECT), Tombstone(uuid4(), 9, PROJECT)])
    assert (index.count(collection, PROJECT) == 0) is gone


def test_deletes_of_many_versions_in_one_call(index: VectorIndex, collection: str) -> None:
    """Each memory is judged by its own tombstone, also over several batches."""
    stored = [point(version=number % 3 + 1) for number in range(600)]
    index.upsert(collection, stored)
    index.delete(collection, [Tombstone(each.memory_id, 2, PROJECT) for each in stored])
    assert {version for _, version in index.scan(collection, PROJECT)} == {3}
    assert index.count(collection, PROJECT) == 200


def test_the_same_write_twice_changes_nothing(index: VectorIndex, collection: str) -> None:
    """A repeated call after an unknown outcome is harmless."""
    stored = [point(f"number {number}") for number in range(150)]
    index.upsert(collection, stored)
    index.upsert(collection, stored)
    assert sorted(index.scan(collection, PROJECT)) == sorted((each.memory_id, 1) for each in stored)


def test_empty_writes_do_nothing(index: VectorIndex, collection: str) -> None:
    """No points, no request."""
    index.upsert(collection, [])
    index.delete(collection, [])
    assert index.search(collection, []) == []


def test_count_and_scan_see_one_project_or_all(index: VectorIndex, collection: str) -> None:
    """Page by page over more than one page, each point once."""
    mine = [point() for _ in range(1_203)]
    other = [point(project_id=OTHER_PROJECT) for _ in range(7)]
    index.upsert(collection, [*mine, *other])
    assert index.count(collection, PROJECT) == 1_203
    assert index.count(collection, OTHER_PROJECT) == 7
    assert index.count(collection, EVERYWHERE) == 1_210
    assert sorted(identity for identity, _ in index.scan(collection, PROJECT)) == sorted(p.memory_id for p in mine)
    assert len(list(index.scan(collection, EVERYWHERE))) == 1_210


def test_payload_holds_no_text(index: VectorIndex, collection: str, vectors_url: str, vectors_key: str | None) -> None:
    """What is stored is ids, labels, dates and numbers: not one word of the statement."""
    secret = "Hortense whispered the passphrase xylophone"
    index.upsert(
        collection,
        [point(secret, ids=ScopeIds("alex", "a1", "app", "r1"), categories=("work",), expires_on=day("2027-01-31"))],
    )
    request = {"with_payload": True, "with_vector": True, "limit": 10}
    path = f"{vectors_url}/collections/{collection}/points/scroll"
    answer = httpx.post(path, json=request, headers=key_header(vectors_key), trust_env=False)
    [stored] = answer.json()["result"]["points"]
    assert set(stored["payload"]) == {
        *(
            "project",
            "scope",
            "user_id",
            "agent_id",
            "app_id",
            "run_id",
            "kind",
            "categories",
            "created",
            "expires",
            "v",
        )
    }
    assert set(stored["vector"]) == {"dense", "bm25"}
    whole = json.dumps(stored).lower()
    assert not [word for word in secret.lower().split() if word in whole]


def test_a_point_of_wrong_dimensions_is_our_mistake(index: VectorIndex, collection: str) -> None:
    """Refused by name and not retried for ever; the rest of its batch is not written either."""
    with pytest.raises(Exception, match=r"(?i)dimension") as caught:
        index.upsert(collection, [point(), point(dense=unit(1)[:3])])
    assert not isinstance(caught.value, Snooze)
    assert index.count(collection, EVERYWHERE) == 0


def test_a_write_reaches_its_own_project_only(index: VectorIndex, collection: str) -> None:
    """The same id under another project neither overwrites the point nor removes it."""
    identity = uuid4()
    index.upsert(collection, [point(memory_id=identity, version=1)])
    index.upsert(collection, [point(memory_id=identity, version=9, project_id=OTHER_PROJECT)])
    index.delete(collection, [Tombstone(identity, 99, OTHER_PROJECT)])

    assert list(index.scan(collection, PROJECT)) == [(identity, 1)]
    assert index.count(collection, OTHER_PROJECT) == 0
