"""Workers deliver: signed, retried on schedule, in order, at least once, never to what must not be reached."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from shared.db import memory_edits, webhook_deliveries, webhooks
from shared.db.engine import Database
from shared.db.memory_edits import Patch
from shared.db.webhooks import Webhook
from shared.model.scope import ScopeIds
from shared.settings import Settings
from shared.webhooks import schedule, signing
from tests.factories import change, column, post, project, rows
from tests.integration.memory_rows import stored
from tests.integration.test_webhook_outbox import hook
from tests.integration.webhook_receiver import Got, Receiver, receiving
from tests.stack import PEPPER, Service, wait_until
from workers.webhooks import Deliveries

_SETTINGS: dict[str, Any] = {
    "webhooks": True, "webhook_http": True, "webhook_allow": "127.0.0.1", "webhook_timeout": 20.0,
    "key_pepper": PEPPER, "poll": 0.05,
}  # fmt: skip


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def deliver(db: Database, **settings: Any) -> None:
    """Everything that is due now, by one worker."""
    asyncio.run(Deliveries(Settings(**(_SETTINGS | settings)), db).drain())


def time_passes(db: Database) -> None:
    """Whatever waits for a time is due."""
    change(db, "UPDATE webhook_deliveries SET due_at = clock_timestamp() WHERE state = 'pending'")
    change(db, "UPDATE webhooks SET rest_until = NULL")


def state(db: Database) -> list[tuple[str, int, int | None, str | None]]:
    found = rows(db, "SELECT state, attempts, last_status, last_error FROM webhook_deliveries ORDER BY position")
    return [(row["state"], row["attempts"], row["last_status"], row["last_error"]) for row in found]


def now(db: Database, made: Webhook) -> Webhook:
    found = db.run(lambda session: webhooks.get(session, made.project_id, made.id))
    assert found is not None
    return found


def test_delivered_signed_and_told_once(db: Database, project_id: UUID, receiver: Receiver) -> None:
    """The body in both shapes, a signature the receiver can check, and no second request."""
    made = hook(db, project_id, url=receiver.url)
    memory = stored(db, project_id, "Likes tea")
    deliver(db)
    deliver(db)

    (got,) = receiver.got
    assert got.signed_with(signing.secret(PEPPER, made.id, 1))
    assert not got.signed_with(signing.secret(PEPPER, made.id, 2))
    assert got.body["event_details"] == {"id": str(memory.id), "data": {"memory": "Likes tea"}, "event": "ADD"}
    assert (got.body["type"], got.body["data"]["user_id"]) == ("memory.added", "alex")
    assert state(db) == [("delivered", 1, 200, None)]


def test_for_a_day_after_rotation_both_secrets_sign(db: Database, project_id: UUID, receiver: Receiver) -> None:
    """Then only the new one."""
    made = hook(db, project_id, url=receiver.url)
    db.run(lambda session: webhooks.rotate(session, project_id, made.id))
    stored(db, project_id, "a")
    deliver(db)
    change(db, "UPDATE webhooks SET rotated_at = rotated_at - interval '25 hours'")
    stored(db, project_id, "b")
    deliver(db)

    old, new = (signing.secret(PEPPER, made.id, generation) for generation in (1, 2))
    assert [(got.signed_with(old), got.signed_with(new)) for got in receiver.got] == [(True, True), (False, True)]


def test_tried_again_on_schedule_with_the_same_id_until_it_is_over(
    db: Database, project_id: UUID, receiver: Receiver
) -> None:
    """Ten attempts; the webhook is disabled only when nothing was accepted for the days that the setting says."""
    made = hook(db, project_id, url=receiver.url)
    receiver.answer = lambda _: (500, {})
    stored(db, project_id, "a")
    waits = []
    for _ in range(schedule.ATTEMPTS):
        deliver(db)
        waits += column(db, "SELECT extract(epoch FROM due_at - clock_timestamp()) FROM webhook_deliveries")
        time_passes(db)

    for wait, planned in zip(waits, schedule.DELAYS, strict=False):
        assert planned * 0.9 - 60 < float(wait) <= planned * 1.1
    assert len({got.id for got in receiver.got}) == 1
    assert len(receiver.got) == schedule.ATTEMPTS
    assert state(db) == [("failed", 10, 500, None)]
    assert now(db, made).is_active
    assert now(db, made).failures == 10

    change(db, "UPDATE webhooks SET failing_since = failing_since - interval '5 days'")
    stored(db, project_id, "b")
    change(db, "UPDATE webhook_deliveries SET attempts = 9 WHERE state = 'pending'")
    deliver(db)
    assert (now(db, made).is_active, now(db, made).disabled_reason) == (False, "failing")


def test_a_receiver_that_recovers_is_trusted_again(db: Database, project_id: UUID, receiver: Receiver) -> None:
    """It rests after a failure, whatever else is due; one success ends that."""
    made = hook(db, project_id, url=receiver.url)
    receiver.answer = lambda _: (503, {})
    for text in ("a", "b", "c"):
        stored(db, project_id, text)
    change(db, "UPDATE webhooks SET failures = 1, failing_since = clock_timestamp()")
    deliver(db)
    assert len(receiver.got) == 1
    receiver.answer = lambda _: (204, {})
    time_passes(db)
    deliver(db)

    assert [row[0] for row in state(db)] == ["delivered"] * 3
    assert (now(db, made).failures, now(db, made).failing_since) == (0, None)


def test_410_switches_it_off(db: Database, project_id: UUID, receiver: Receiver) -> None:
    """At once; what waits is kept until it is switched on again."""
    made = hook(db, project_id, url=receiver.url)
    receiver.answer = lambda _: (410, {})
    stored(db, project_id, "a")
    deliver(db)
    time_passes(db)
    deliver(db)
    assert (now(db, made).is_active, now(db, made).disabled_reason, len(receiver.got)) == (False, "gone", 1)

    receiver.answer = lambda _: (200, {})
    db.run(lambda session: webhooks.change(session, project_id, made.id, {"is_active": True}))
    deliver(db)
    assert state(db) == [("delivered", 2, 200, None)]


def test_retry_after_is_kept(db: Database, project_id: UUID, receiver: Receiver) -> None:
    """Where it is longer than planned."""
    hook(db, project_id, url=receiver.url)
    receiver.answer = lambda _: (429, {"Retry-After": "7200"})
    stored(db, project_id, "a")
    deliver(db)

    (wait,) = column(db, "SELECT extract(epoch FROM due_at - clock_timestamp()) FROM webhook_deliveries")
    assert 7_000 < float(wait) <= 7_200


@pytest.mark.parametrize(
    ("settings", "error"),
    [({"webhook_allow": ""}, "address_refused"), ({"webhook_http": False}, "url_refused")],
)
def test_what_is_not_allowed_any_more_is_not_reached(
    db: Database, project_id: UUID, receiver: Receiver, settings: dict[str, Any], error: str
) -> None:
    """The settings of now count, not those of when the webhook was made."""
    hook(db, project_id, url=receiver.url)
    stored(db, project_id, "a")
    deliver(db, **settings)

    assert receiver.got == []
    assert state(db) == [("pending", 1, None, error)]


def test_a_redirect_leads_nowhere(db: Database, project_id: UUID, receiver: Receiver) -> None:
    """It counts as a failure."""
    hook(db, project_id, url=receiver.url)
    receiver.answer = lambda _: (307, {"Location": receiver.url + "/elsewhere"})
    stored(db, project_id, "a")
    deliver(db)

    assert [got.path for got in receiver.got] == ["/in"]
    assert state(db) == [("pending", 1, 307, None)]


def test_replayed_with_the_same_id(db: Database, project_id: UUID, receiver: Receiver) -> None:
    """What was delivered, and what failed for good."""
    made = hook(db, project_id, url=receiver.url)
    stored(db, project_id, "a")
    deliver(db)
    (delivery_id,) = column(db, "SELECT id FROM webhook_deliveries")
    db.run(lambda session: webhook_deliveries.replay(session, project_id, made.id, delivery_id))
    deliver(db)

    assert [got.id for got in receiver.got] == [f"msg_{delivery_id}"] * 2
    assert state(db) == [("delivered", 1, 200, None)]


def test_deleted_before_it_was_told(db: Database, project_id: UUID, receiver: Receiver) -> None:
    """The receiver learns of it, not what it said; after an erasure only that it went."""
    hook(db, project_id, url=receiver.url)
    memory = stored(db, project_id, "secret4711")
    db.run(lambda s: memory_edits.patch(s, project_id, memory.id, Patch(text="secret4711 still")))
    db.run(lambda s: memory_edits.delete(s, project_id, memory.id))
    erased = stored(db, project_id, "erased4711", user="bea")
    db.run(lambda session: memory_edits.delete_all(session, project_id, ScopeIds(user_id="bea")))
    deliver(db)

    of = {memory.id: ["ADD", "UPDATE", "DELETE"], erased.id: ["DELETE"]}
    assert {
        key: [got.told[0] for got in receiver.got if got.body["data"]["id"] == str(key)] for key in of
    } == of  # fmt: skip
    assert not any(b"4711" in got.raw for got in receiver.got)


def test_two_workers_deliver_all_and_in_order(db: Database, project_id: UUID, receiver: Receiver) -> None:
    """Every change once or more, and no change of a memory before an earlier one of it."""
    hook(db, project_id, url=receiver.url)
    memories = [stored(db, project_id, f"memory {number}") for number in range(12)]
    for round_ in range(4):
        for memory in memories:
            text = f"{memory.text}, {round_}"
            db.run(lambda s, m=memory, text=text: memory_edits.patch(s, project_id, m.id, Patch(text=text)))  # type: ignore[misc]
    failing = iter([500, 200] * 10)
    receiver.answer = lambda _: (next(failing, 200), {})
    workers = [Deliveries(Settings(**_SETTINGS), db) for _ in range(2)]
    for worker in workers:
        worker.start()

    def done() -> bool:
        time_passes_unclaimed(db)
        return {row[0] for row in state(db)} == {"delivered"}

    wait_until(done, "all deliveries", timeout=90)
    for worker in workers:
        worker.stop()
        worker._thread.join(30)  # noqa: SLF001 - so that no thread outlives the test

    for memory in memories:
        versions = [got.body["data"]["version"] for got in receiver.got if got.body["data"]["id"] == str(memory.id)]
        assert versions == sorted(versions)
        assert set(versions) == {1, 2, 3, 4, 5}


def time_passes_unclaimed(db: Database) -> None:
    """Whatever waits for its next attempt is due; what is in work stays claimed."""
    change(db, "UPDATE webhook_deliveries SET due_at = clock_timestamp() WHERE state = 'pending' AND claim IS NULL")
    change(db, "UPDATE webhooks SET rest_until = NULL WHERE rest_until IS NOT NULL")


@pytest.mark.timeout(300)
def test_a_worker_that_dies_after_sending_sends_again(service: Service, receiver: Receiver) -> None:
    """Killed between the answer and its note: another worker repeats it with the same id, and it is delivered."""
    db = Database(service.database_url, pool_size=4, name="test")
    tenant = project(db).id
    options = {**_SETTINGS, "key_pepper": PEPPER, "poll": 0.1, "slots": 2}
    hook(db, tenant, url=receiver.url)
    dying = service.start_worker(**options, chaos=True, crash_at="webhook.sent")
    post(db, tenant, "kept", infer=False)
    wait_until(lambda: receiver.got, "the first attempt", timeout=60)
    assert dying.child is not None
    wait_until(lambda: dying.child is None or dying.child.exit_code() is not None, "the death", timeout=60)
    assert state(db) == [("pending", 0, None, None)]

    change(db, "UPDATE webhook_deliveries SET due_at = clock_timestamp()")  # the claim runs out
    service.start_worker(**options)
    wait_until(lambda: state(db) == [("delivered", 1, 200, None)], "the second attempt", timeout=60)

    assert len(receiver.got) == 2
    assert len({got.id for got in receiver.got}) == 1
    db.close()


def test_off_means_off(db: Database, project_id: UUID, receiver: Receiver) -> None:
    """No thread, and nothing is sent."""
    hook(db, project_id, url=receiver.url)
    stored(db, project_id, "a")
    idle = Deliveries(Settings(**(_SETTINGS | {"webhooks": False})), db)
    idle.start()
    idle.stop()

    assert not any(thread.name == "flumes-webhooks" for thread in threading.enumerate())
    with pytest.raises(ValueError, match="FLUMES_KEY_PEPPER"):
        Deliveries(Settings(**(_SETTINGS | {"key_pepper": ""})), db)


def test_the_receiver_is_asked_nothing_else(db: Database, project_id: UUID, receiver: Receiver) -> None:
    """Content type and user agent; no cookie, no key."""
    hook(db, project_id, url=receiver.url)
    stored(db, project_id, "a")
    deliver(db)

    got: Got = receiver.got[0]
    assert set(got.headers) == {
        "host", "user-agent", "content-type", "content-length", "accept-encoding", "connection", "webhook-id",
        "webhook-timestamp", "webhook-signature",
    }  # fmt: skip
