"""The webhook routes: mem0's shapes, secrets shown once, tenant walls, deliveries listed and replayed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.factories import change
from tests.integration.api_support import LiveApi, assert_problem, raw
from tests.integration.webhook_receiver import Receiver, receiving
from tests.stack import wait_until

SETTINGS = {"webhooks": True, "webhook_http": True, "webhook_allow": "127.0.0.1,10.7.0.0/16"}
URL = "https://example.org/in"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def caller(live: LiveApi) -> httpx.Client:
    return live.caller()


def home(caller: httpx.Client) -> str:
    """Where the webhooks of the caller's project are."""
    return f"/api/v1/webhooks/projects/{caller.get('/v1/ping/').json()['project_id']}/"


def made(caller: httpx.Client, url: str = URL, **fields: Any) -> dict[str, Any]:
    answer = caller.post(home(caller), json={"url": url, "name": "crm", **fields})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def one(webhook: dict[str, Any], *more: str) -> str:
    return "/".join(["/api/v1/webhooks", webhook["webhook_id"], *more, ""])


def test_made_listed_changed_deleted(caller: httpx.Client) -> None:
    """In mem0's shapes; a list is a bare list."""
    webhook = made(caller, event_types=["memory_add", "ingest_job_failed", "memory_add"])
    assert (webhook["name"], webhook["url"], webhook["is_active"]) == ("crm", URL, True)
    assert webhook["event_types"] == ["memory_add", "ingest_job_failed"]
    assert made(caller)["event_types"] == ["memory_add", "memory_update", "memory_delete"]
    assert caller.get(home(caller)).json()[0]["webhook_id"] == webhook["webhook_id"]

    answer = caller.put(one(webhook), json={"name": "new", "is_active": False})
    assert (answer.json()["message"], answer.json()["is_active"]) == ("Webhook updated successfully", False)
    assert caller.get(one(webhook)).json()["name"] == "new"
    assert caller.delete(one(webhook)).json() == {"message": "Webhook deleted successfully"}
    assert_problem(caller.get(one(webhook)), 404, "webhook_not_found")
    assert len(caller.get(home(caller)).json()) == 1


def test_the_secret_is_shown_once(caller: httpx.Client) -> None:
    """When it is made, and when another is made; the old one goes on signing for a day (see the deliveries)."""
    webhook = made(caller)
    later = [caller.get(one(webhook)), caller.get(home(caller)), caller.put(one(webhook), json={"name": "x"})]
    assert all(webhook["secret"] not in answer.text and "secret" not in answer.text for answer in later)

    rotated = caller.post(one(webhook, "secret")).json()
    assert rotated["secret"].startswith("whsec_")
    assert rotated["secret"] != webhook["secret"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "example.org"}, "url"),
        ({"url": "ftp://example.org/"}, "url"),
        ({"url": "https://user:pw@example.org/"}, "url"),
        ({"url": "https://169.254.169.254/latest/"}, "url"),
        ({"url": "https://[::ffff:10.7.0.1]/"}, "url"),
        ({"url": "https://2130706433/"}, "url"),
        ({"url": "https://10.8.0.1/"}, "url"),
        ({"url": URL, "event_types": []}, "event_types"),
        ({"url": URL, "event_types": ["memory_read"]}, "event_types[0]"),
        ({"url": URL, "name": "x" * 201}, "name"),
    ],
)
def test_what_cannot_be_is_refused(caller: httpx.Client, body: dict[str, Any], field: str) -> None:
    """When it is made and when it is changed, by the name of the field."""
    assert_problem(caller.post(home(caller), json=body), 400, names=[field])
    if body:
        webhook = made(caller, url="https://10.7.0.1/")
        assert_problem(caller.put(one(webhook), json=body), 400, names=[field])
        assert caller.get(one(webhook)).json()["url"] == "https://10.7.0.1/"


def test_nothing_to_change(caller: httpx.Client) -> None:
    """Is said."""
    assert_problem(caller.put(one(made(caller)), json={"url": None}), 400)


def test_walls_between_tenants(live: LiveApi, caller: httpx.Client) -> None:
    """Another project's webhooks, their secrets and deliveries are as good as not there."""
    webhook = made(caller)
    stranger = live.caller()
    delivery = str(uuid4())
    for answer in (
        stranger.get(one(webhook)),
        stranger.put(one(webhook), json={"is_active": False}),
        stranger.delete(one(webhook)),
        stranger.post(one(webhook, "secret")),
        stranger.get(one(webhook, "deliveries")),
        stranger.post(one(webhook, "deliveries", delivery, "replay")),
    ):
        assert_problem(answer, 404, "webhook_not_found")
    for answer in (stranger.get(home(caller)), stranger.post(home(caller), json={"url": URL})):
        assert_problem(answer, 404, "project_not_found")
    assert caller.get(one(webhook)).json()["is_active"] is True
    assert stranger.get(home(stranger)).json() == []


def test_only_who_administers_the_whole_project(live: LiveApi) -> None:
    """Neither a key without the right, nor one bound to a user."""
    project = live.project()
    where = home(live.caller(project))
    for traits, code in (({"rights": ["read", "ingest"]}, "missing_right"), ({"user_id": "ben"}, "bound_key")):
        assert_problem(live.caller(project, **traits).get(where), 403, code)
        assert_problem(live.caller(project, **traits).post(where, json={"url": URL}), 403, code)


def test_delivered_listed_and_replayed(live: LiveApi, caller: httpx.Client, receiver: Receiver) -> None:
    """By a real worker: a failure with its next attempt, then the delivery, then the same once more."""
    live.service.start_worker(**SETTINGS, poll=0.1, slots=2)
    receiver.answer = lambda _: (503, {})
    webhook = made(caller, receiver.url)
    memory_id = raw(caller, "Likes tea", user_id="alex")

    def listed(status: str = "") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = caller.get(one(webhook, "deliveries"), params={"status": status}).json()[
            "results"
        ]
        return found

    (first,) = wait_until(lambda: [row for row in listed("pending") if row["attempts"]], "a failed attempt", 60)
    assert (first["last_response_code"], first["memory_id"], first["event_type"]) == (503, memory_id, "memory_add")
    assert first["next_attempt_at"] is not None
    assert caller.get(one(webhook)).json()["failing_since"] is not None

    receiver.answer = lambda _: (200, {})
    replayed = caller.post(one(webhook, "deliveries", first["id"], "replay"))
    assert (replayed.json()["status"], replayed.json()["attempts"]) == ("pending", 0)
    (done,) = wait_until(lambda: listed("delivered"), "the delivery", 60)
    assert (done["attempts"], done["last_response_code"], done["next_attempt_at"]) == (1, 200, None)
    assert {got.id for got in receiver.got} == {done["message_id"]}
    assert receiver.got[-1].signed_with(webhook["secret"])

    assert_problem(caller.post(one(webhook, "deliveries", str(uuid4()), "replay")), 404, "delivery_not_found")
    assert_problem(caller.get(one(webhook, "deliveries"), params={"status": "lost"}), 400, names=["status"])
    caller.put(one(webhook), json={"is_active": False})
    assert_problem(caller.post(one(webhook, "deliveries", first["id"], "replay")), 409, "webhook_inactive")
    raw(caller, "Likes coffee", user_id="alex")
    assert len(listed()) == 1


def test_pages_of_deliveries(live: LiveApi, caller: httpx.Client) -> None:
    """Newest first, with absolute neighbours."""
    webhook = made(caller)
    ids = [raw(caller, f"memory {number}", user_id="alex") for number in range(3)]
    change(live.db, "UPDATE webhooks SET is_active = false WHERE id = %s", webhook["id"])
    page = caller.get(one(webhook, "deliveries"), params={"page_size": 2}).json()
    following = caller.get(page["next"]).json()

    assert (page["count"], page["previous"]) == (3, None)
    assert [row["memory_id"] for row in page["results"] + following["results"]] == ids[::-1]
