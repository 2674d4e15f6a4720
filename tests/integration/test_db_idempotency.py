"""An Idempotency-Key makes one event, whoever races; another body is refused; a key is forgotten in time."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from shared.db import idempotency
from shared.db.accept import Accepted, accept
from shared.db.engine import Database
from shared.db.idempotency import Key
from shared.errors import Unprocessable
from tests import factories
from tests.factories import change, column, new_event, post, rows


def _key(key: str = "k", body: str = "body", endpoint: str = "POST /v1/memories") -> Key:
    return Key(endpoint, key, hashlib.sha256(body.encode()).digest())


def test_twenty_callers_with_one_key_make_one_event(db: Database, project_id: UUID) -> None:
    """All get the same id, one of them for the first time; messages and seqs are taken once."""
    barrier = threading.Barrier(20)

    def call(_: int) -> Accepted:
        barrier.wait(10)
        return post(db, project_id, "I live in Rome", idempotency=_key())

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(call, range(20)))

    assert len({answer.event_id for answer in answers}) == 1
    assert [answer.replayed for answer in answers].count(False) == 1
    assert column(db, "SELECT count(*) FROM events") == [1]
    assert column(db, "SELECT count(*) FROM messages") == [1]
    assert column(db, "SELECT next_seq FROM scopes") == [2]


def test_the_key_of_a_failed_write_is_free(db: Database, project_id: UUID) -> None:
    """The row lives and dies with its event's transaction; a waiting second caller takes over."""
    entered, leave = threading.Event(), threading.Event()

    def first(session: object) -> None:
        accept(session, new_event(project_id, "a", idempotency=_key()))  # type: ignore[arg-type]
        entered.set()
        assert leave.wait(10)
        raise RuntimeError("rolled back")

    with ThreadPoolExecutor(2) as pool:
        failing = pool.submit(db.run, first)
        assert entered.wait(10)
        second = pool.submit(post, db, project_id, "a", idempotency=_key())
        leave.set()
        with pytest.raises(RuntimeError, match="rolled back"):
            failing.result()
        accepted = second.result()

    assert not accepted.replayed
    assert column(db, "SELECT event_id FROM idempotency_keys") == [accepted.event_id]
    assert column(db, "SELECT id FROM events") == [accepted.event_id]


def test_another_body_is_refused(db: Database, project_id: UUID) -> None:
    """422 with the id of the event that holds the key; nothing is written."""
    first = post(db, project_id, "a", idempotency=_key())

    with pytest.raises(Unprocessable) as caught:
        post(db, project_id, "b", idempotency=_key(body="other"))

    assert caught.value.code == "idempotency_key_reused"
    assert caught.value.extra == {"event_id": str(first.event_id)}
    assert column(db, "SELECT count(*) FROM events") == [1]


def test_keys_belong_to_a_project_and_an_endpoint(db: Database, project_id: UUID) -> None:
    """The same key elsewhere is another key."""
    other = factories.project(db, "other").id
    made = [
        post(db, project_id, "a", idempotency=_key()),
        post(db, other, "a", idempotency=_key()),
        post(db, project_id, "a", idempotency=_key(endpoint="POST /v3/memories/add")),
        post(db, project_id, "a", idempotency=_key("k2")),
    ]

    assert [accepted.replayed for accepted in made] == [False] * 4
    assert len({accepted.event_id for accepted in made}) == 4


def test_an_old_key_can_be_used_again_with_any_body(db: Database, project_id: UUID) -> None:
    """After its days the key is new, even if nobody swept."""
    post(db, project_id, "a", idempotency=_key())
    change(db, "UPDATE idempotency_keys SET created_at = created_at - interval '8 days'")

    second = post(db, project_id, "b", idempotency=_key(body="other"))

    assert not second.replayed
    assert column(db, "SELECT event_id FROM idempotency_keys") == [second.event_id]
    assert post(db, project_id, "b", idempotency=_key(body="other")).event_id == second.event_id


def test_sweeping_takes_only_old_keys(db: Database, project_id: UUID) -> None:
    """In bites of `limit`."""
    for number in range(5):
        post(db, project_id, "a", idempotency=_key(f"k{number}"))
    change(db, "UPDATE idempotency_keys SET created_at = created_at - interval '8 days' WHERE key <> 'k4'")

    first = db.run(lambda session: idempotency.prune(session, 7, limit=3))
    second = db.run(lambda session: idempotency.prune(session, 7, limit=3))

    assert (first, second) == (3, 1)
    assert rows(db, "SELECT key FROM idempotency_keys") == [{"key": "k4"}]
