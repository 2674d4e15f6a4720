"""Signatures as any Standard Webhooks library checks them, the schedule of retries, and the body."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

import orjson
import pytest

from shared.model.notices import EVENT_TYPES, Notice, body
from shared.model.scope import ScopeIds
from shared.webhooks import schedule, signing

ID = UUID("0199b1f2-7c1e-7a10-8a55-0d2f6c1b9e77")
NOW = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)


def verified(secret: str, headers: dict[str, str], payload: bytes) -> bool:
    """The receiver's side, from the text of the specification."""
    key = base64.b64decode(secret.split("_", 1)[1])
    told = b".".join((headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), payload))
    wanted = base64.b64encode(hmac.digest(key, told, hashlib.sha256)).decode()
    return any(
        version == "v1" and hmac.compare_digest(wanted, given)
        for version, given in (part.split(",", 1) for part in headers["webhook-signature"].split(" "))
    )


def test_the_published_vector() -> None:
    """The example that the libraries of Standard Webhooks test themselves with."""
    headers = signing.headers(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
        b'{"test": 2432232314}',
    )  # fmt: skip

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_while_rotating_both_secrets_verify() -> None:
    """And no third one, no other body, no other id."""
    old, new, next_one = (signing.secret("pepper", ID, generation) for generation in (1, 2, 3))
    headers = signing.headers([new, old], "msg_1", 1_700_000_000, b"{}")

    assert verified(old, headers, b"{}")
    assert verified(new, headers, b"{}")
    assert not verified(next_one, headers, b"{}")
    assert not verified(new, headers, b"{ }")
    assert not verified(new, headers | {"webhook-id": "msg_2"}, b"{}")


def test_a_secret_is_its_webhooks_own() -> None:
    """32 bytes that follow from pepper, webhook and generation; without a pepper anybody could make it."""
    made = signing.secret("pepper", ID, 1)

    assert made == signing.secret("pepper", ID, 1)
    assert (
        len(
            {
                made,
                signing.secret("other", ID, 1),
                signing.secret("pepper", UUID(int=1), 1),
                signing.secret("pepper", ID, 2),
            }
        )
        == 4
    )
    assert len(base64.b64decode(made.removeprefix("whsec_"))) == 32
    with pytest.raises(ValueError, match="FLUMES_KEY_PEPPER"):
        signing.secret("", ID, 1)


def test_the_schedule_is_the_proposed_one() -> None:
    """At once, 5 s, 5 min, 30 min, 2, 5, 10, 14, 20, 24 hours; then never again. A clock that only this moves."""
    clock, attempts, at = 0.0, 0, [0.0]
    while (delay := schedule.next_delay(attempts + 1, luck=0.5)) is not None:
        clock, attempts = clock + delay, attempts + 1
        at.append(clock)

    gaps = [round(later - sooner) for sooner, later in pairwise(at)]
    assert gaps == [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert schedule.ATTEMPTS == len(at) == 10


def test_jitter_and_retry_after() -> None:
    """A tenth to both sides; what the receiver asks for is kept up to a day, never shortened."""
    assert schedule.next_delay(2, luck=0.0) == pytest.approx(270)
    assert schedule.next_delay(2, luck=1.0) == pytest.approx(330)
    assert schedule.next_delay(1, retry_after=120, luck=0.5) == 120
    assert schedule.next_delay(3, retry_after=1, luck=0.5) == pytest.approx(1_800)
    assert schedule.next_delay(1, retry_after=1e9, luck=0.5) == 86_400
    assert schedule.next_delay(10, retry_after=1) is None


def test_a_receiver_that_fails_rests() -> None:
    """Longer with each failure in a row, up to five minutes."""
    rests = [schedule.rest(failures) for failures in range(1, 12)]

    assert rests == sorted(rests)
    assert (rests[0], rests[-1]) == (2.0, 300.0)


def notice(event_type: str, **traits: object) -> Notice:
    values: dict[str, object] = {"version": 1, "text": "Likes tea", "state": "current", "categories": ("food",)}
    return Notice(event_type, ID, ScopeIds(user_id="alex"), NOW, **(values | traits))  # type: ignore[arg-type]


def test_bodies_hold_mem0s_shape_and_the_standard_one() -> None:
    """`event_details` as mem0 sends it, `type`, `timestamp` and `data` as Standard Webhooks asks."""
    added = body(notice("memory_add"))
    assert added["event_details"] == {"id": str(ID), "data": {"memory": "Likes tea"}, "event": "ADD"}
    assert (added["type"], added["timestamp"]) == ("memory.added", NOW.isoformat())
    assert added["data"]["user_id"] == "alex"
    updated = body(notice("memory_update", previous="Likes coffee", version=2))
    assert (updated["type"], updated["data"]["previous_memory"]) == ("memory.updated", "Likes coffee")
    gone = body(notice("memory_delete", text=None, previous="Likes tea", state="retracted"))
    assert gone["event_details"] == {"id": str(ID), "data": {"memory": "Likes tea"}, "event": "DELETE"}
    sorted_ = body(notice("memory_categorize"))
    assert sorted_["event_details"] == {"memory_id": str(ID), "categories": ["food"], "event": "CATEGORIZE"}


@pytest.mark.parametrize("event_type", EVENT_TYPES[:4])
@pytest.mark.parametrize("traits", [{"state": "deleted"}, {"state": None, "version": None, "text": None}])
def test_what_was_deleted_is_not_said_again(event_type: str, traits: dict[str, object]) -> None:
    """A user's deletion or erasure after the change, before the delivery: its words stay here."""
    raw = orjson.dumps(body(notice(event_type, previous="Likes coffee", **traits)))

    assert b"tea" not in raw
    assert b"coffee" not in raw
    assert b"food" not in raw


@pytest.mark.parametrize("letter", ["a", "ä", "😀", '"'])
def test_a_body_stays_thin(letter: str) -> None:
    """Long texts are cut between characters, and that is said."""
    whole = body(notice("memory_update", text=letter * 50_000, previous=letter * 50_000))

    assert len(orjson.dumps(whole)) < 20_000
    assert whole["data"]["truncated"] is True
    assert set(whole["data"]["memory"]) == {letter}
