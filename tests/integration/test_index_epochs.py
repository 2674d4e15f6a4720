"""An index that lost its data is noticed and written again; meanwhile nobody takes its silence for knowledge."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from shared.db import index_collections
from shared.db.index_collections import Collection
from tests.factories import change, column, rows
from tests.integration.pipeline_bench import Bench
from tests.stack import drop_collections, wait_until
from workers import epochs, reindex
from workers.pipeline.index import index

FACTS = ["I live in Rome", "I work in Turin", "I own a boat"]


def _look(bench: Bench) -> None:
    epochs.look(bench.db, bench.parts.index)


def _active(bench: Bench) -> Collection:
    found = bench.db.run(index_collections.active)
    assert found is not None
    return found


def _alias(bench: Bench) -> str:
    epoch = bench.db.run(partial(index_collections.epoch, name=bench.collection))
    assert epoch is not None
    return epochs.mark(bench.collection, epoch)


def _mended(bench: Bench) -> bool:
    index(bench.parts)
    reindex.advance(bench.parts)
    return not _active(bench).refilling


@pytest.fixture
def filled(bench: Bench) -> Bench:
    """A bench whose index holds three memories."""
    bench.post(*FACTS)
    bench.drain()
    assert len(bench.indexed()) == len(FACTS)
    return bench


def test_data_are_marked_when_they_are_first_written(bench: Bench) -> None:
    """Before that there is nothing to mark, and marking is no loss."""
    _look(bench)
    assert column(bench.db, "SELECT epoch FROM index_collections") == [None]

    bench.post(*FACTS)
    bench.drain()
    bench.wait_indexed()
    _look(bench)

    assert bench.parts.index.alias_target(_alias(bench)) == bench.collection
    assert not _active(bench).refilling


def test_an_index_of_before_is_taken_as_it_is(filled: Bench) -> None:
    """A collection that has no epoch yet gets one, and nothing is written again."""
    change(filled.db, "UPDATE index_collections SET epoch = NULL")
    _look(filled)

    assert filled.parts.index.alias_target(_alias(filled)) == filled.collection
    assert not _active(filled).refilling


def test_a_lost_index_is_written_again_by_itself(filled: Bench, qdrant_url: str) -> None:
    """Emptied behind our back: the look notices, every memory comes back."""
    before = filled.indexed()
    drop_collections(qdrant_url)
    _look(filled)
    assert _active(filled).refilling
    wait_until(partial(_mended, filled), "the index to be full again", 30)

    assert filled.indexed() == before
    _look(filled)
    assert not _active(filled).refilling


def test_other_data_under_the_same_name_are_no_index_of_ours(filled: Bench, qdrant_url: str) -> None:
    """The collection is there, its mark is not: it may be an old copy, so everything is written again."""
    drop_collections(qdrant_url)
    filled.parts.index.create(filled.collection, None)
    _look(filled)
    assert _active(filled).refilling
    wait_until(partial(_mended, filled), "the index to be full again", 30)

    assert len(filled.indexed()) == len(FACTS)


def test_whoever_makes_a_lost_collection_says_so_first(filled: Bench, qdrant_url: str) -> None:
    """A worker that finds it missing on the way does not leave an empty one behind that looks complete."""
    drop_collections(qdrant_url)
    filled.parts.forget_collections()
    filled.parts.ensure_collection(filled.collection, None)

    assert _active(filled).refilling


def test_nothing_is_added_blindly_while_the_index_is_written_again(
    make_bench: Callable[..., Bench], qdrant_url: str
) -> None:
    """A window that must search waits, keeps its attempts, and finds what is known afterwards."""
    bench = make_bench(candidates=2)
    bench.post(*FACTS)
    bench.drain()
    bench.wait_indexed()
    drop_collections(qdrant_url)
    _look(bench)
    event_id = bench.post("I own a boat")
    windows = len(bench.script.windows)

    assert bench.step().snoozed > 0
    assert len(bench.script.windows) == windows
    assert rows(bench.db, "SELECT status, attempts FROM events WHERE id = %s", event_id) == [
        {"status": "PENDING", "attempts": 0}
    ]
    wait_until(partial(_mended, bench), "the index to be full again", 30)
    bench.drain_all()
    assert bench.event(event_id).status == "SUCCEEDED"
    assert any("I own a boat" in text for text in bench.script.shown[-1])
