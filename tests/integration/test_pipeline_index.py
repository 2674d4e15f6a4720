"""The pipeline with index or embeddings away, with embeddings, with more memories than the extractor sees."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

import pytest

from shared.db import index_collections, memory_edits
from shared.db.memory_edits import Patch
from shared.embeddings.openai_embedder import OpenAIEmbedder
from tests.factories import change, column, rows
from tests.fakes.openai_control import FakeOpenAI
from tests.integration.memory_rows import NOON, stored, stored_many
from tests.integration.pipeline_bench import Bench, Says
from tests.stack import Stack, crash, revive
from workers.parts import Parts
from workers.pipeline.index import index
from workers.pipeline.recall import recall
from workers.work import Recalled, Work

MODEL = "text-embedding-3-small"


@pytest.fixture(scope="module")
def server() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as running:
        yield running


@pytest.fixture
def llm(server: FakeOpenAI) -> FakeOpenAI:
    """A scripted embeddings server, as new."""
    server.reset()
    server.settings(dimensions=64)
    return server


@pytest.fixture
def dense(make_bench: Callable[..., Bench], llm: FakeOpenAI) -> Iterator[Bench]:
    """A bench with embeddings."""
    embedder = OpenAIEmbedder(MODEL, base_url=llm.base_url, api_key="sk-test")
    bench = make_bench(embedder=embedder)
    yield bench
    bench.wait_background()
    embedder.close()


@contextmanager
def _engine_down(stack: Stack) -> Iterator[None]:
    crash(stack.engine)
    try:
        yield
    finally:
        revive(stack.engine)


def _due(bench: Bench) -> None:
    change(bench.db, "UPDATE index_queue SET available_at = clock_timestamp()")
    change(bench.db, "UPDATE scopes SET available_live = clock_timestamp()")


def _fill(bench: Bench, count: int, words: str = "") -> None:
    """So many memories in the scope, in the index too."""
    subjects = ("violin", "tennis", "chess", "opera", "sailing", "pottery", "cycling", "archery")
    texts = [f"Plays {subjects[number % 8]} on weekday number {number} {words}".strip() for number in range(count)]
    stored_many(bench.db, bench.project_id, texts)
    change(bench.db, "UPDATE messages SET applied_by = event_id")
    change(bench.db, "UPDATE scopes SET pending_live = 0")
    last: object = None
    while True:
        last = bench.db.run(
            lambda s, a=last: index_collections.queue_everything(s, bench.collection, batch=500, after=a)  # type: ignore[misc]
        )
        if last is None:
            return


def test_without_the_index_small_scopes_go_on(bench: Bench, stack: Stack) -> None:
    """Commit succeeds, rows wait without a mark, GET and list serve; afterwards the index gets everything."""
    with _engine_down(stack):
        event_id = bench.post("I live in Rome")
        bench.step()
        assert bench.results(event_id) == [("ADD", "I live in Rome")]
        bench.wait_background()
        assert rows(bench.db, "SELECT op, attempts, available_at > clock_timestamp() AS waits FROM index_queue") == [
            {"op": "upsert", "attempts": 1, "waits": True}
        ]
    _due(bench)

    assert bench.indexed() == {bench.memory("I live in Rome").id: 1}


def test_without_the_index_large_scopes_wait(bench: Bench, stack: Stack) -> None:
    """Nothing is added blindly: the window snoozes and keeps its attempts; then it is done."""
    _fill(bench, 40)
    bench.wait_indexed()
    event_id = bench.post("I live in Rome")
    with _engine_down(stack):
        assert bench.step().snoozed >= 1
        assert bench.script.windows == []
        assert rows(bench.db, "SELECT status, attempts FROM events WHERE id = %s", event_id) == [
            {"status": "PENDING", "attempts": 0}
        ]
    _due(bench)
    bench.drain()

    assert bench.results(event_id) == [("ADD", "I live in Rome")]


def test_the_relevant_one_of_200_memories_is_shown(bench: Bench) -> None:
    """More memories than candidates: searched by sentence, at most 30 shown, the one in question among them."""
    _fill(bench, 199)
    home = stored(bench.db, bench.project_id, "I live in Rome near the river")
    change(bench.db, "UPDATE messages SET applied_by = event_id")
    change(bench.db, "UPDATE scopes SET pending_live = 0")
    bench.db.run(lambda session: index_collections.queue_everything(session, bench.collection, batch=500))
    bench.wait_indexed()
    bench.script.rules = [Says("Milan", "SUPERSEDE", "I live in Milan", target="Rome")]
    event_id = bench.post("The river was nice. But now I live in Milan")
    bench.step()

    (shown,) = bench.script.shown
    assert len(shown) <= 30
    assert "I live in Rome near the river" in shown
    assert bench.results(event_id) == [("UPDATE", "I live in Milan")]
    assert bench.memory("I live in Milan").id == home.id


@pytest.mark.parametrize("count", [29, 60])
def test_of_long_memories_the_least_similar_are_left_out(bench: Bench, count: int) -> None:
    """More text than the prompt has room for: what the message speaks of is shown, however old or new it is."""
    long = "and there is so much more to tell about it that nobody would read it all " * 6
    _fill(bench, count - 2, words=long)
    old = stored(
        bench.db, bench.project_id, f"I live in Rome near the river {long}", created_at=NOON.replace(year=2020)
    )
    new = stored(bench.db, bench.project_id, f"Plays the ukulele {long}", created_at=NOON.replace(year=2027))
    change(bench.db, "UPDATE messages SET applied_by = event_id")
    change(bench.db, "UPDATE scopes SET pending_live = 0")
    bench.db.run(lambda session: index_collections.queue_everything(session, bench.collection, batch=500))
    bench.wait_indexed()
    bench.post("My ukulele broke on that weekday. I leave Rome")
    bench.step()

    (shown,) = bench.script.shown
    assert {old.text, new.text} <= set(shown)
    assert 10 <= len(shown) < 20
    assert sum(len(text[:400]) for text in shown) <= 6_000
    assert (shown[0], shown[-1]) == (old.text, new.text)


def test_a_near_neighbour_found_too_late_is_remembered(dense: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new text is close to a memory that recall did not bring up: the next window is shown it."""
    _fill(dense, 40)
    zebra = stored(dense.db, dense.project_id, "Owns a striped zebra that lives in a park")
    change(dense.db, "UPDATE messages SET applied_by = event_id")
    change(dense.db, "UPDATE scopes SET pending_live = 0")
    dense.db.run(lambda session: index_collections.queue_everything(session, dense.collection, batch=500))
    dense.wait_indexed()
    dense.script.rules = [Says("number 3", "ADD", "Owns a striped zebra that lives in a park now")]
    with monkeypatch.context() as patched:
        patched.setattr("workers.pipeline.run.recall", _blind_to(zebra.text))
        dense.post("Plays archery on weekday number 3")
        dense.step()
    assert zebra.text not in dense.script.shown[-1]
    assert column(dense.db, "SELECT memory_id FROM scope_hints") == [zebra.id]
    dense.wait_indexed()

    dense.post("Plays opera on weekday number 4")
    dense.step()

    assert zebra.text in dense.script.shown[-1]
    assert column(dense.db, "SELECT count(*) FROM scope_hints WHERE memory_id = %s", zebra.id) == [0]


def _blind_to(text: str) -> Callable[[Parts, Work], Recalled]:
    """The recall stage, with another memory in the place of this one."""

    def blind(parts: Parts, work: Work) -> Recalled:
        found = recall(parts, work)
        other = next(candidate for candidate in found.candidates if candidate.text != text)
        shown = tuple(candidate if candidate.text != text else other for candidate in found.candidates)
        return replace(found, candidates=shown)

    return blind


def test_memories_the_index_does_not_have_yet_are_shown_too(bench: Bench) -> None:
    """Written a moment ago and not indexed: as likely what the next message is about as any hit."""
    _fill(bench, 60)
    bench.wait_indexed()
    stored(bench.db, bench.project_id, "Owns a zebra")
    change(bench.db, "UPDATE messages SET applied_by = event_id")
    change(bench.db, "UPDATE scopes SET pending_live = 0")
    bench.db.run(lambda session: index_collections.queue_everything(session, bench.collection, batch=500))
    bench.post("It has stripes and eats grass")
    bench.step()

    assert "Owns a zebra" in bench.script.shown[-1]


def test_kept_messages_crowd_no_memory_out(make_bench: Callable[..., Bench]) -> None:
    """40 messages wait for the index beside one new memory: the extractor is shown the memory."""
    bench = make_bench(index_raw=True)
    _fill(bench, 60)
    bench.wait_indexed()
    bench.script.rules = [Says("zebra"), Says("thing", text="")]
    bench.post("I own a zebra", *(f"thing number {number} is over there" for number in range(39)))
    with _queue_stopped(bench):
        bench.step()
        assert column(bench.db, "SELECT count(*) FROM index_queue") == [41]
        bench.post("It has stripes and eats grass")
        bench.step()

    assert "I own a zebra" in bench.script.shown[-1]


@contextmanager
def _queue_stopped(bench: Bench) -> Iterator[None]:
    """The index writer is busy elsewhere while the block runs."""
    let_go = threading.Event()
    bench.parts.background.submit(let_go.wait, 30)
    try:
        yield
    finally:
        let_go.set()


def test_a_hidden_memory_is_never_a_candidate(bench: Bench) -> None:
    """The index still has it, Postgres knows better."""
    _fill(bench, 60)
    bench.wait_indexed()
    victim = next(memory for memory in bench.memories() if "number 7" in memory.text)
    change(bench.db, "UPDATE memories SET state = 'deleted', version = 2 WHERE id = %s", victim.id)
    bench.post(victim.text)
    bench.step()

    assert victim.text not in bench.script.shown[-1]
    assert len(bench.script.shown[-1]) > 1


def test_embeddings_are_made_in_one_batch_and_kept(dense: Bench, llm: FakeOpenAI) -> None:
    """One call for all texts of a window; vectors in Postgres and in the index, none paid for twice."""
    event_id = dense.post("I live in Rome", "I work in Turin", "I study in Pisa")
    dense.step()
    points = dense.indexed()

    assert len(points) == 3
    assert column(dense.db, "SELECT octet_length(vector) FROM memory_vectors") == [256] * 3
    assert len(llm.log("embeddings")) == 1
    assert dense.event(event_id).usage["embedding_calls"] == 1
    assert column(dense.db, "SELECT dimensions FROM index_collections") == [64]


def test_without_embeddings_memories_are_kept_and_indexed_later(dense: Bench, llm: FakeOpenAI) -> None:
    """The window succeeds; its rows wait in the queue and are embedded when the server is back."""
    llm.script({"match": "", "kind": "embeddings", "action": "unavailable", "times": None})
    event_id = dense.post("I live in Rome")
    dense.step()
    dense.wait_background()
    assert dense.results(event_id) == [("ADD", "I live in Rome")]
    assert column(dense.db, "SELECT count(*) FROM memory_vectors") == [0]
    assert column(dense.db, "SELECT attempts FROM index_queue") == [1]
    llm.reset()
    llm.settings(dimensions=64)
    _due(dense)

    memory = dense.memory("I live in Rome")
    assert dense.indexed() == {memory.id: 1}
    assert column(dense.db, "SELECT octet_length(vector) FROM memory_vectors") == [256]


def test_many_memories_before_the_first_vector_do_not_spoil_the_collection(dense: Bench, llm: FakeOpenAI) -> None:
    """A large scope is searched before any vector was made: no collection of the wrong shape comes into being."""
    llm.script({"match": "", "kind": "embeddings", "action": "unavailable", "times": None})
    _fill(dense, 40)
    event_id = dense.post("I live in Rome")
    dense.step()
    assert dense.results(event_id) == [("ADD", "I live in Rome")]
    llm.reset()
    llm.settings(dimensions=64)
    _due(dense)
    dense.wait_indexed()

    assert len(dense.indexed()) == 41
    assert column(dense.db, "SELECT count(*) FROM memory_vectors") == [41]


def test_a_users_edit_is_embedded_by_the_worker(dense: Bench) -> None:
    """The API only queues: the text's new vector is made, kept and indexed when the queue is applied."""
    dense.post("I live in Rome")
    dense.step()
    memory = dense.memory("I live in Rome")
    dense.wait_indexed()
    dense.db.run(lambda s: memory_edits.patch(s, dense.project_id, memory.id, Patch(text="I keep bees in Oslo")))
    assert dense.indexed() == {memory.id: 2}

    assert column(dense.db, "SELECT version FROM memory_vectors") == [2]
    assert dense.found("bees") == [memory.id]


def test_a_near_neighbour_that_was_not_shown_joins_the_next_window(dense: Bench) -> None:
    """Found too late, while embedding: remembered for the scope, shown next time, then forgotten."""
    _fill(dense, 40)
    dense.wait_indexed()
    shown_now = {memory.id for memory in dense.memories()}
    twin = next(memory for memory in dense.memories() if "number 7" in memory.text)
    _hint(dense, twin.id)
    dense.post("I live in Rome")
    dense.step()

    assert twin.text in dense.script.shown[-1]
    assert twin.id in shown_now
    assert column(dense.db, "SELECT count(*) FROM scope_hints") == [0]


def _hint(bench: Bench, memory_id: UUID) -> None:
    from shared.db import hints
    from shared.model.scope import ScopeRef

    (scope_id,) = column(bench.db, "SELECT id FROM scopes")
    bench.db.run(lambda session: hints.add(session, ScopeRef(bench.project_id, scope_id), [memory_id]))


def test_an_erased_memory_leaves_no_point(bench: Bench) -> None:
    """Delete-all queues what the index must forget; the queue is applied without the rows."""
    from tests.factories import ALEX

    bench.post("I live in Rome", "I work in Turin")
    bench.step()
    assert len(bench.indexed()) == 2
    bench.db.run(lambda session: memory_edits.delete_all(session, bench.project_id, ALEX))

    assert bench.indexed() == {}
    assert index(bench.parts) == 0
