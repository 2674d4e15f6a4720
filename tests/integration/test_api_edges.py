"""What holds for every route: slashes, errors, request ids, sizes, overload, the document, health."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from shared.db import breakers
from tests.integration.api_support import LiveApi, assert_problem, raw, said
from tests.stack import Stack, crash, revive, wait_until

SETTINGS = {"max_body_bytes": 200_000, "max_messages": 50, "backlog_messages_per_project": 20}
ASYNC = {"Prefer": "respond-async"}
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("verb", "path", "body"),
    [
        ("GET", "/livez", None), ("GET", "/readyz", None), ("GET", "/metrics", None), ("GET", "/openapi.json", None),
        ("POST", "/v1/memories", {"messages": "a", "user_id": "u", "async_mode": True}),
        ("POST", "/v1/memories", {}), ("GET", "/v1/memories?user_id=u", None), ("GET", "/v1/memories", None),
        ("GET", "/v1/memories/{id}", None), ("GET", "/v1/memories/{id}?include=sources", None),
        ("PATCH", "/v1/memories/{id}", {"memory": None}), ("PUT", "/v1/memories/{id}", {}),
        ("GET", f"/v1/memories/{NOBODY}", None), ("DELETE", f"/v1/memories/{NOBODY}", None),
        ("DELETE", "/v1/memories?user_id=nobody", None), ("DELETE", "/v1/memories", None),
        ("GET", "/v1/events?page=1", None), ("GET", f"/v1/event/{NOBODY}", None), ("GET", "/v1/nothing", None),
    ],
)  # fmt: skip
def test_a_trailing_slash_makes_no_difference(live: LiveApi, verb: str, path: str, body: dict[str, Any] | None) -> None:
    """The same status with and without, never a redirect, never an empty answer."""
    caller = live.caller()
    path = path.replace("{id}", raw(caller, "x", user_id="u"))
    bare, _, query = path.partition("?")
    answers = [caller.request(verb, f"{bare}{slash}?{query}", json=body) for slash in ("", "/", "//")]

    assert len({answer.status_code for answer in answers}) == 1
    for answer in answers:
        assert not answer.is_redirect
        assert answer.status_code != 204
        assert answer.content
        assert "location" not in answer.headers or answer.status_code == 202


def test_unknown_paths_and_methods_answer_in_json(live: LiveApi) -> None:
    """404 and 405 look like every other error; 405 lists what works."""
    caller = live.caller()
    wrong = caller.put("/v1/memories/")

    assert_problem(caller.get("/nothing/here"), 404, "route_not_found")
    assert_problem(caller.get("/"), 404, "route_not_found")
    assert_problem(wrong, 405, "method_not_allowed")
    assert wrong.headers["allow"] == "DELETE, GET, POST"


def test_request_ids_come_back(live: LiveApi) -> None:
    """A sane one of the caller's, else one of ours; on successes and errors."""
    caller = live.caller()
    own = caller.get("/v1/memories/?user_id=u", headers={"X-Request-Id": "abc-123"})
    made = caller.get("/v1/memories/?user_id=u", headers={"X-Request-Id": "a b\tc"})

    assert own.headers["x-request-id"] == "abc-123"
    assert len(made.headers["x-request-id"]) == 32
    assert caller.get("/x", headers={"X-Request-Id": "abc-124"}).json()["request_id"] == "abc-124"


def test_problem_json_is_for_those_who_ask(live: LiveApi) -> None:
    """RFC 9457 by `Accept` only."""
    answer = live.caller().get("/v1/memories/", headers={"Accept": "application/problem+json, */*"})

    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_large_bodies_are_refused_before_they_are_read(live: LiveApi) -> None:
    """413 by the declared length, and by counting where none is declared."""
    caller = live.caller()
    declared = caller.post("/v1/memories/", content=b"x" * 200_001)
    streamed = caller.post("/v1/memories/", content=iter([b"x" * 50_000] * 5))

    assert_problem(declared, 413, "too_large", ["body"])
    assert_problem(streamed, 413, "too_large", ["body"])


def test_a_declared_giant_is_answered_at_once(live: LiveApi) -> None:
    """Nobody has to upload a gigabyte to learn that it is too much."""
    address = urlsplit(live.url)
    key = live.key(live.project())
    head = (
        f"POST /v1/memories/ HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {key}\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port), timeout=5) as line:
        line.sendall(head.encode())

        assert line.recv(64).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"messages": said(*["x"] * 51), "user_id": "u"}, "messages"),
        ({"messages": said("x" * 100_001), "user_id": "u"}, "messages[0].content"),
        ({"messages": said("x"), "user_id": "u", "metadata": {"k": "x" * 20_000}}, "metadata"),
    ],
)
def test_sizes_inside_a_body_have_limits(live: LiveApi, body: dict[str, Any], field: str) -> None:
    """413 naming the field."""
    assert_problem(live.caller().post("/v1/memories/", json=body), 413, "too_large", [field])


def test_a_full_backlog_refuses_one_tenant_only(live: LiveApi) -> None:
    """429 with a whole Retry-After before anything is stored; others go on, and so do reads."""
    flooder, other = live.caller(), live.caller()
    body = {"messages": said(*["x"] * 10), "user_id": "u"}
    answers = [flooder.post("/v1/memories/", json=body, headers=ASYNC) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [202, 202, 429, 429]
    assert_problem(answers[2], 429, "overloaded")
    assert int(answers[2].headers["retry-after"]) >= 1
    assert flooder.get("/v1/events/").json()["count"] == 2
    assert other.post("/v1/memories/", json=body, headers=ASYNC).status_code == 202
    assert raw(flooder, "kept as it is, no work waits for it", user_id="u")


def test_a_limit_counts_what_the_database_holds(live: LiveApi) -> None:
    """Pending work of earlier processes counts, and space comes back when it is done."""
    project = live.project()
    caller = live.caller(project)
    for _ in range(2):
        caller.post("/v1/memories/", json={"messages": said(*["x"] * 10), "user_id": "u"}, headers=ASYNC)
    pending = {"messages": said("one more"), "user_id": "u"}
    with psycopg.connect(live.service.database_url) as connection:
        connection.execute("UPDATE scopes SET pending_live = 0 WHERE project_id = %s", [project.id])

    def accepted() -> bool:
        return caller.post("/v1/memories/", json=pending, headers=ASYNC).status_code == 202

    wait_until(accepted, "the sampled totals to fall")


def refused(operation: dict[str, Any]) -> bool:
    """A route that is there to say no."""
    return bool(operation["summary"].startswith("Refused"))


def test_the_document_describes_each_route(live: LiveApi) -> None:
    """Examples, bodies and error answers; nothing of the framework's own error shape."""
    document = live.client().get("/openapi.json").json()
    add = document["paths"]["/v1/memories"]["post"]

    assert add["requestBody"]["content"]["application/json"]["example"]["agent_id"] == "alex"
    assert {"200", "202", "400", "401", "413", "422", "429"} <= set(add["responses"])
    assert {"AddBody", "MessageBody", "PatchBody"} <= set(document["components"]["schemas"])
    assert "HTTPValidationError" not in str(document)
    operations = [verb for verbs in document["paths"].values() for verb in verbs.values()]
    assert all(any(code < "3" for code in operation["responses"]) for operation in operations if not refused(operation))
    assert sum(map(refused, operations)) == 2


def test_metrics_name_routes_not_ids(live: LiveApi) -> None:
    """Label values are a closed set."""
    caller = live.caller()
    memory_id = raw(caller, "x", user_id="u")
    caller.get(f"/v1/memories/{memory_id}")
    text = caller.get("/metrics").text

    assert 'flumes_request_seconds_count{route="/v1/memories/{memory_id}",status="200"}' in text
    assert memory_id not in text
    assert "flumes_events_accepted_total" in text


def test_ready_names_each_dependency(live: LiveApi) -> None:
    """Postgres, Redis, Qdrant, extractor, embeddings, breakers: status and reason."""

    def all_fine() -> dict[str, Any] | None:
        body: dict[str, Any] = live.client().get("/readyz").json()
        return body if body["status"] == "ready" else None

    checks = wait_until(all_fine, "every dependency to be reached")["checks"]  # type: ignore[index]

    assert set(checks) == {"postgres", "redis", "qdrant", "extractor", "embeddings", "breakers", "spend"}
    assert (checks["extractor"]["name"], checks["extractor"]["model"]) == ("rules", None)
    assert checks["embeddings"]["status"] == "off"
    assert checks["postgres"]["revision"] == checks["postgres"]["expected"]


def test_an_open_breaker_is_told(live: LiveApi) -> None:
    """Which provider, why, for how long; still ready."""
    words = "words of the provider"
    live.db.run(lambda session: breakers.fail(session, "embeddings", "rate_limited", words, seconds=30))
    answer = live.client().get("/readyz")
    live.db.run(lambda session: breakers.reset(session, "embeddings"))

    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    (breaker,) = answer.json()["checks"]["breakers"]["open"]
    assert (breaker["provider"], breaker["code"], breaker["retry_in"] > 0) == ("embeddings", "rate_limited", True)
    assert words not in answer.text


def test_an_old_schema_is_not_ready_a_newer_one_is(live: LiveApi) -> None:
    """503 until migrated; a newer release's schema is fine."""
    with psycopg.connect(live.service.database_url, autocommit=True) as connection:
        (now,) = connection.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
        try:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
            newer = live.client().get("/readyz")
            connection.execute("DELETE FROM alembic_version")
            none = live.client().get("/readyz")
        finally:
            connection.execute("DELETE FROM alembic_version")
            connection.execute("INSERT INTO alembic_version VALUES (%s)", [now])

    assert newer.status_code == 200
    assert (none.status_code, none.json()["checks"]["postgres"]["code"]) == (503, "schema_outdated")


@pytest.fixture
def without_redis(live: LiveApi, stack: Stack) -> Iterator[httpx.Client]:
    """A caller while Valkey is down."""
    crash(stack.valkey)
    try:
        yield live.caller()
    finally:
        revive(stack.valkey)


def test_without_redis_posts_are_kept_and_answered(live: LiveApi, without_redis: httpx.Client) -> None:
    """The bell is best effort; /readyz says what is away and stays 200."""
    answer = without_redis.post("/v1/memories/", json={"messages": "a", "user_id": "u"}, headers=ASYNC)
    waited = without_redis.post("/v1/memories/", json={"messages": "a", "user_id": "u"}, headers={"Prefer": "wait=1"})

    assert (answer.status_code, waited.status_code) == (202, 202)
    assert answer.elapsed.total_seconds() < 1
    assert waited.elapsed.total_seconds() < 3
    wait_until(
        lambda: live.client().get("/readyz").json()["checks"]["redis"]["status"] == "down", "the loss to be seen"
    )
    assert live.client().get("/readyz").status_code == 200


def test_without_postgres_the_api_says_so(live: LiveApi, stack: Stack) -> None:
    """503 with Retry-After, not ready but alive; afterwards it goes on by itself."""
    caller = live.caller()
    memory_id = raw(caller, "hello", user_id="u")
    crash(stack.postgres)
    try:
        post = caller.post("/v1/memories/", json={"messages": "a", "user_id": "u"}, headers=ASYNC)
        ready, alive = live.client().get("/readyz"), live.client().get("/livez")
    finally:
        revive(stack.postgres)
        live.db.engine.dispose()  # the test's own connections died too

    assert_problem(post, 503, "database_unavailable")
    assert int(post.headers["retry-after"]) >= 1
    assert (ready.status_code, ready.json()["checks"]["postgres"]["status"], alive.status_code) == (503, "down", 200)
    wait_until(lambda: caller.get(f"/v1/memories/{memory_id}").status_code == 200, "the API to find Postgres again")


def test_nothing_of_a_request_reaches_the_logs(live: LiveApi) -> None:
    """Neither keys nor content, also when a request fails."""
    key = live.key(live.project())
    caller = live.client(key)
    caller.post("/v1/memories/", json={"messages": "canary-content", "infer": False, "user_id": "canary-user"})
    caller.post("/v1/memories/", json={"messages": [{"role": "canary-role", "content": "canary-content"}]})
    caller.get("/v1/memories/?user_id=canary-user&query=canary-query")
    child = live.process.child
    assert child is not None
    log = child.log_tail(10_000)

    assert "canary" not in log
    assert key not in log


def test_no_key_is_needed_where_the_operator_says_so(stack: Stack) -> None:
    """`FLUMES_INSECURE_DEV`: this machine only, one project for all without a key; no browser page."""
    own = LiveApi(stack, insecure_dev=True, key_pepper="")
    try:
        anybody = own.client()
        memory_id = raw(anybody, "hello", user_id="u")

        assert own.client("any-key").get(f"/v1/memories/{memory_id}").status_code == 200
        page = anybody.get(f"/v1/memories/{memory_id}", headers={"Origin": "https://evil.example"})
        assert_problem(page, 401, "missing_key")
    finally:
        own.close()
