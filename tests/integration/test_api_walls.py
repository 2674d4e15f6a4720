"""Who may do what: keys, rights, bound keys, and a walk over all routes with somebody else's ids."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.db import keys
from tests.integration.api_support import LiveApi, assert_problem, raw, said
from tests.stack import wait_until

ASYNC = {"Prefer": "respond-async"}
SECRET = "a secret of anna"


def test_every_route_of_the_api_needs_a_key(live: LiveApi) -> None:
    """The OpenAPI document names the routes; without a key each of them answers 401."""
    anonymous = live.client()
    paths = anonymous.get("/openapi.json").json()["paths"]
    routes = [(verb, path.replace("{", "").replace("}", "")) for path, verbs in paths.items() for verb in verbs]
    closed = [(verb, path) for verb, path in routes if path not in ("/livez", "/readyz", "/metrics")]

    assert len(closed) >= 50
    for verb, path in closed:
        answer = anonymous.request(verb, path)
        assert_problem(answer, 401, "missing_key")
        assert "Bearer" in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    "header",
    [
        "Bearer", "Bearer x", "Bearer fm_live_abcdefghijkl_" + "A" * 43, "Basic dTpw", "Token nope",
        "Bearer " + "x" * 5_000,
    ],
)  # fmt: skip
def test_bad_keys_are_refused(live: LiveApi, header: str) -> None:
    """Malformed or unknown: 401."""
    answer = live.client(Authorization=header).get("/v1/memories/?user_id=u")

    assert_problem(answer, 401)


def test_a_secret_of_another_key_does_not_open(live: LiveApi) -> None:
    """The right public id with a wrong secret is worth nothing."""
    project = live.project()
    public, other = live.key(project).rsplit("_", 1)[0], live.key(project).split("_", 3)[3]
    answer = live.client(f"{public}_{other}"[: len(public) + 44]).get("/v1/memories/?user_id=u")

    assert_problem(answer, 401, "invalid_key")


@pytest.mark.parametrize("header", ["Authorization: Bearer {}", "authorization: token {}", "X-API-Key: {}"])
def test_three_headers_carry_a_key(live: LiveApi, header: str) -> None:
    """Bearer, Token and X-API-Key open the same table."""
    name, value = header.format(live.key(live.project())).split(": ", 1)

    assert live.client(**{name: value}).get("/v1/memories/?user_id=u").status_code == 200


def test_a_revoked_key_stops_within_five_seconds(live: LiveApi) -> None:
    """Also one that was just used, and so remembered."""
    key = live.key(live.project())
    caller = live.client(key)
    assert caller.get("/v1/memories/?user_id=u").status_code == 200
    live.db.run(lambda session: keys.revoke(session, key.split("_")[2]))

    wait_until(lambda: caller.get("/v1/memories/?user_id=u").status_code == 401, "the key to stop", timeout=5)


def test_an_expired_key_is_refused(live: LiveApi) -> None:
    """Its day has passed."""
    key = live.key(live.project(), expires_at=datetime.now(UTC) - timedelta(seconds=1))

    assert_problem(live.client(key).get("/v1/memories/?user_id=u"), 401, "invalid_key")


RIGHT_OF = [
    ("ingest", "POST", "/v1/memories/"),
    ("ingest", "PATCH", "/v1/memories/x"),
    ("read", "GET", "/v1/memories/?user_id=u"),
    ("read", "GET", "/v1/memories/x"),
    ("read", "GET", "/v1/event/x"),
    ("read", "GET", "/v1/events/"),
    ("delete", "DELETE", "/v1/memories/x"),
    ("delete", "DELETE", "/v1/memories/?user_id=u"),
]


@pytest.mark.parametrize(("right", "verb", "path"), RIGHT_OF)
def test_each_route_asks_for_its_right(live: LiveApi, right: str, verb: str, path: str) -> None:
    """A key with all other rights is refused, one with this right alone (or admin) is not."""
    project = live.project()
    body = {"messages": said("hi"), "user_id": "u", "async_mode": True} if verb in ("POST", "PATCH") else None
    others = [name for name in ("ingest", "read", "delete") if name != right]
    refused = live.caller(project, rights=others).request(verb, path, json=body)

    assert_problem(refused, 403, "missing_right")
    assert refused.json()["right"] == right
    for enough in ([right], ["admin"]):
        assert live.caller(project, rights=enough).request(verb, path, json=body).status_code in (200, 202, 404)


def everything_about(owner: httpx.Client) -> dict[str, str]:
    """A memory and an event of the owner, by placeholder."""
    memory_id = raw(owner, SECRET, user_id="anna", agent_id="bot")
    event_id = owner.get("/v1/events/").json()["results"][0]["id"]
    return {"{memory_id}": memory_id, "{event_id}": event_id}


def walk(stranger: httpx.Client, ids: dict[str, str]) -> list[tuple[str, httpx.Response]]:
    """Every route with a {placeholder}, every verb, filled with the owner's ids."""
    paths: dict[str, dict[str, Any]] = stranger.get("/openapi.json").json()["paths"]
    answers = []
    for path, verbs in paths.items():
        for placeholder, value in ids.items():
            if placeholder in path:
                for verb in verbs:
                    url = path.replace(placeholder, value)
                    answers.append((f"{verb} {path}", stranger.request(verb, url, json={"memory": "stolen"})))
                    extra = f"{url}/?include=sources,history" if "memories" in url and verb == "get" else f"{url}/"
                    answers.append((f"{verb} {path}", stranger.request(verb, extra, json={"memory": "stolen"})))
    return answers


@pytest.mark.parametrize("bound", [None, {"user_id": "ben"}, {"agent_id": "other"}], ids=["tenant", "user", "agent"])
def test_foreign_ids_are_not_found_on_any_route(live: LiveApi, bound: dict[str, str] | None) -> None:
    """Another tenant's key, or one bound to another user or agent: 404 everywhere, and nothing changes."""
    project = live.project()
    owner = live.caller(project)
    ids = everything_about(owner)
    stranger = live.caller() if bound is None else live.caller(project, **bound)
    answers = walk(stranger, ids)

    assert len(answers) >= 8
    for route, answer in answers:
        assert answer.status_code == 404, route
        assert SECRET not in answer.text, route
    memory = owner.get(f"/v1/memories/{ids['{memory_id}']}").json()
    assert (memory["memory"], memory["version"]) == (SECRET, 1)


def test_lists_and_deletions_of_another_tenant_find_nothing(live: LiveApi) -> None:
    """The same user id in another project is somebody else."""
    owner, stranger = live.caller(), live.caller()
    ids = everything_about(owner)

    assert stranger.get("/v1/memories/?user_id=anna").json()["results"] == []
    assert stranger.get("/v1/events/?user_id=anna").json()["count"] == 0
    assert stranger.delete("/v1/memories/?user_id=anna").json()["memories"] == 0
    assert owner.get(f"/v1/memories/{ids['{memory_id}']}").status_code == 200


def test_bound_keys_see_their_own_by_default(live: LiveApi) -> None:
    """The bound id fills in; another one is refused, on every route that takes ids."""
    project = live.project()
    everything_about(live.caller(project))
    anna, ben = live.caller(project, user_id="anna"), live.caller(project, user_id="ben")

    assert [item["memory"] for item in anna.get("/v1/memories/").json()["results"]] == [SECRET]
    assert ben.get("/v1/memories/").json()["results"] == []
    assert ben.get("/v1/events/").json()["count"] == 0
    posted = ben.post("/v1/memories/", json={"messages": "mine", "infer": False}, headers=ASYNC).json()
    assert ben.get(f"/v1/memories/{posted['results'][0]['id']}").json()["user_id"] == "ben"
    for verb, path, body in (
        ("POST", "/v1/memories/", {"messages": "x", "user_id": "anna"}),
        ("GET", "/v1/memories/?user_id=anna", None),
        ("GET", "/v1/memories/?user_id=anna&query=secret", None),
        ("GET", "/v1/events/?user_id=anna", None),
        ("DELETE", "/v1/memories/?user_id=anna", None),
    ):
        assert_problem(ben.request(verb, path, json=body), 403, "bound_key", ["user_id"])
    assert ben.delete("/v1/memories/?agent_id=bot").json()["memories"] == 0
    assert anna.get("/v1/memories/").json()["results"] != []


def test_bound_keys_do_not_share_idempotency_keys(live: LiveApi) -> None:
    """The same key and body from two users are two writes."""
    project = live.project()
    headers = {**ASYNC, "Idempotency-Key": "k-1"}
    answers = [
        live.caller(project, user_id=user).post("/v1/memories/", json={"messages": "hi"}, headers=headers)
        for user in ("anna", "ben")
    ]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert len({answer.json()["event_id"] for answer in answers}) == 2
