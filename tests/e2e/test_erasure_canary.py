"""Distinctive strings go in everywhere; logs never hold one, and after an erasure nothing does."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import redis
from psycopg import sql

from cli.embedded.runtime import postgres_programs
from shared.db import index_queue
from shared.db.compaction import compact
from shared.db.engine import Database
from shared.settings import Settings
from tests.e2e.flumes import Caller, make_key
from tests.fakes.openai_control import FakeOpenAI
from tests.stack import PEPPER, QDRANT_KEY, Service, Stack, wait_until
from workers import maintenance

CANARY = "Canary4711"
USER, AGENT, APP, RUN = (f"{CANARY}-{kind}" for kind in ("user", "agent", "app", "run"))
IDS: dict[str, Any] = {"user_id": USER, "agent_id": AGENT, "app_id": APP, "run_id": RUN}
PROVIDER_KEY = f"sk-{CANARY}-provider"
BAD_KEY = f"fm_live_{'canary471100'}_{CANARY}{'x' * 33}"


class Watched:
    """A service at DEBUG whose every log line since its start can be read."""

    def __init__(self, stack: Stack, service: Service, llm: FakeOpenAI) -> None:
        self.stack, self.service, self.llm = stack, service, llm
        self._before = {path: path.stat().st_size for path in self._logs()}
        settings = {
            "OPENAI_BASE_URL": llm.base_url, "OPENAI_API_KEY": PROVIDER_KEY, "embeddings_dimensions": 256,
            "log_level": "DEBUG", "poll": 0.2, "max_attempts": 1,
        }  # fmt: skip
        self.api = service.start_api(**settings)
        service.start_worker(**settings)
        self.key = make_key(service.database_url)
        self.db = Database(service.database_url, pool_size=2, name="canary")

    def _logs(self) -> list[Path]:
        return sorted(self.stack.home.layout.logs.glob("*.log"))

    def logged(self) -> str:
        """Everything that API, worker, Postgres, Valkey and the engine have written since."""
        return "".join(path.read_text(errors="replace")[self._before.get(path, 0) :] for path in self._logs())

    def wait_indexed(self) -> None:
        wait_until(lambda: self.db.run(index_queue.backlog) == 0, "the index queue to run empty", 60)


@pytest.fixture
def watched(stack: Stack, service: Service) -> Iterator[Watched]:
    with FakeOpenAI() as llm:
        made = Watched(stack, service, llm)
        yield made
        made.db.close()


@pytest.mark.timeout(400)
def test_no_trace_in_logs_and_none_anywhere_after_an_erasure(watched: Watched) -> None:
    """Every way in, every kind of error, at DEBUG; then delete-all, a rebuild and a compaction."""
    with Caller(watched.api.url, watched.key) as caller:
        _fill(watched, caller)
        _stumble(watched, caller.http)
        found = _postgres(watched)
        assert {"public.messages", "public.memories", "public.memory_versions", "public.event_payloads"} <= found
        assert {"public.memory_exports", "public.memory_feedback", "public.idempotency_keys"} <= found
        assert _in_files(watched.stack.home.layout.vectors)
        assert CANARY not in watched.logged()
        assert watched.key.rsplit("_", 1)[1] not in watched.logged()

        answer = caller.http.delete("/v1/memories/", params={"user_id": USER})
        assert answer.status_code == 200, answer.text
        watched.wait_indexed()
        receipt = caller.http.get(f"/v1/erasures/{answer.json()['event_id']}/").json()
        assert (receipt["state"], receipt["waiting_points"], receipt["named"]) == ("done", 0, ["user_id"])
        assert (receipt["counts"]["memories"], receipt["counts"]["deleted_memories"] > 0) == (2, True)
        assert caller.http.get("/v1/erasures/", params={"user_id": USER}).json()["results"] == [receipt]

        _redeliver(caller.http)

    assert _postgres(watched) == set()
    assert CANARY not in _dump(watched)
    assert not _in_valkey(watched)
    assert CANARY not in watched.logged()
    maintenance.rebuild(_settings(watched))
    assert _in_files(watched.stack.home.layout.vectors) == []
    assert _in_files(watched.stack.home.layout.valkey) == []
    compact(watched.db)
    assert _in_files(watched.stack.home.layout.postgres / "base") == []


def _fill(watched: Watched, caller: Caller) -> None:
    """Content, metadata, names, ids, rules, keys of requests, exports, feedback, a change, a failure, a wait."""
    watched.llm.script({"match": "refused", "action": "status", "status": 400, "code": "content_filter",
                        "message": f"your prompt said {CANARY} refused"})  # fmt: skip
    said = {
        "metadata": {CANARY: CANARY}, "custom_instructions": f"{CANARY} instructions", "includes": CANARY,
        "excludes": f"{CANARY} excludes", **IDS,
    }  # fmt: skip
    message = {"role": "user", "content": f"I live in {CANARY} street.", "name": f"{CANARY} Smith"}
    body = {"messages": [message], **said}
    headers = {"Idempotency-Key": f"{CANARY}-key", "Prefer": "wait=60"}
    made = caller.http.post("/v1/memories/", json=body, headers=headers)
    assert made.status_code == 200, made.text
    memory = made.json()["results"][0]["id"]
    raw = caller.add(f"{CANARY} raw", infer=False, **IDS)
    assert raw.status_code == 200, raw.text
    failed = caller.http.post("/v1/memories/", json=body | {"messages": [message | {"content": f"{CANARY} refused"}]},
                              headers={"Prefer": "wait=60"})  # fmt: skip
    assert failed.status_code == 422, failed.text
    changed = caller.http.patch(f"/v1/memories/{memory}", json={"memory": f"Lives in {CANARY} avenue"})
    assert changed.status_code == 200, changed.text
    feedback = {"memory_id": memory, "feedback": "POSITIVE", "feedback_reason": CANARY}
    assert caller.http.post("/v1/feedback/", json=feedback).status_code == 200
    form = {"type": "object", "properties": {"name": {"type": "string", "description": CANARY}}}
    export = {"filters": {"AND": [{"user_id": USER}, {"metadata": {CANARY: CANARY}}]}, "schema": form,
              "export_instructions": CANARY}  # fmt: skip
    exported = caller.http.post("/v1/exports/", json=export)
    assert exported.status_code == 201, exported.text
    hidden = caller.add(f"{CANARY} hidden", infer=False, **IDS).json()["results"][0]["id"]
    assert caller.http.delete(f"/v1/memories/{hidden}").status_code == 200
    assert caller.http.get("/v1/memories/", params={"query": CANARY, "user_id": USER}).status_code == 200
    watched.wait_indexed()


def _stumble(watched: Watched, http: httpx.Client) -> None:
    """Whatever is wrong with a request, and an error nobody foresaw: nothing of it may be logged."""
    wrong: list[dict[str, Any]] = [
        {"messages": {CANARY: 1}, **IDS}, {"messages": [{"role": CANARY, "content": CANARY}], **IDS},
        {"messages": [{"role": "user", "content": CANARY}], "metadata": CANARY, **IDS},
        {"messages": [{"role": "user", "content": f"{CANARY}\0"}], **IDS},
        {"messages": [{"role": "user", "content": CANARY}], "timezone": CANARY, **IDS}, {CANARY: CANARY},
    ]  # fmt: skip
    other = {"messages": [{"role": "user", "content": f"other {CANARY}"}], **IDS}
    answers = [
        *(http.post("/v1/memories/", json=body) for body in wrong),
        http.post("/v1/memories/", content=b'{"' + CANARY.encode()),
        http.get("/v1/memories/", params={CANARY: CANARY}),
        http.get(f"/v1/memories/{CANARY}"),
        http.get(f"/{CANARY}"),
        http.put(f"/v1/memories/?user_id={CANARY}"),
        httpx.get(f"{watched.api.url}/v1/ping/", headers={"Authorization": f"Bearer {BAD_KEY}"}, trust_env=False),
        http.post("/v1/memories/", json=other, headers={"Idempotency-Key": f"{CANARY}-key"}),
    ]
    assert [answer.status_code for answer in answers] == [400] * 8 + [404, 404, 405, 401, 422]
    # A table that refuses: the exceptions of API and worker quote what was to be written.
    refuse = "ALTER TABLE messages ADD CONSTRAINT refuses CHECK (text NOT LIKE '%impossible%') NOT VALID"
    late = "ALTER TABLE memories ADD CONSTRAINT refuses CHECK (text NOT LIKE '%unstorable%') NOT VALID"
    with psycopg.connect(watched.service.database_url, autocommit=True) as connection:
        connection.execute(refuse)
        connection.execute(late)
        post = {"messages": [{"role": "user", "content": f"I am the impossible {CANARY}."}], **IDS}
        broken = http.post("/v1/memories/", json=post)
        assert broken.status_code == 500, broken.text
        post = {"messages": [{"role": "user", "content": f"I am the unstorable {CANARY}."}], **IDS}
        failed = http.post("/v1/memories/", json=post, headers={"Prefer": "wait=60"})
        assert (failed.status_code, failed.json()["code"]) == (500, "internal"), failed.text
        connection.execute("ALTER TABLE messages DROP CONSTRAINT refuses")
        connection.execute("ALTER TABLE memories DROP CONSTRAINT refuses")
    assert "unexpected_error" in watched.logged()
    assert "window_failed" in watched.logged()


def _redeliver(http: httpx.Client) -> None:
    """The same request again, a retry of what failed: answered as erased, nothing new comes of it."""
    body = {"messages": [{"role": "user", "content": "the body cannot be told any more"}], **IDS}
    again = http.post("/v1/memories/", json=body, headers={"Idempotency-Key": f"{CANARY}-key"})
    assert (again.status_code, again.json()["results"]) == (200, [])
    event = http.get(f"/v1/event/{again.json()['event_id']}/").json()
    assert (event["erased"], event["status"], event["user_id"], event["message_count"]) == (True, "SUCCEEDED", None, 0)
    for failed in http.get("/v1/events/", params={"status": "FAILED"}).json()["results"]:
        assert http.post(f"/v1/event/{failed['id']}/retry").status_code in (404, 409)
    assert http.get("/v1/memories/", params={"user_id": USER}).json()["results"] == []


def _settings(watched: Watched) -> Settings:
    stack = watched.stack
    return Settings(
        database_url=watched.service.database_url, redis_url=stack.valkey.url, qdrant_url=stack.engine.url,
        qdrant_api_key=QDRANT_KEY, key_pepper=PEPPER, openai_api_key=PROVIDER_KEY, openai_base_url=watched.llm.base_url,
        embeddings_dimensions=256,
    )  # fmt: skip


def _postgres(watched: Watched) -> set[str]:
    """Every table, of every schema, that holds a canary anywhere; the catalogue with its statistics included."""
    with psycopg.connect(watched.service.database_url, autocommit=True) as connection:
        tables = connection.execute("SELECT schemaname, tablename FROM pg_tables").fetchall()
        assert len(tables) > 60
        return {f"{schema}.{name}" for schema, name in tables if CANARY.lower() in _copied(connection, schema, name)}


def _copied(connection: psycopg.Connection, schema: str, name: str) -> str:
    """All rows of a table as text, in lower case."""
    everything = sql.SQL("COPY (SELECT * FROM {}) TO STDOUT").format(sql.Identifier(schema, name))
    with connection.cursor().copy(everything) as rows:
        return b"".join(map(bytes, rows)).decode(errors="replace").lower()


def _dump(watched: Watched) -> str:
    """What `pg_dump` writes of the database, data and all."""
    program = postgres_programs() / "bin" / "pg_dump"
    done = subprocess.run([program, watched.service.database_url], capture_output=True, text=True, check=True)
    assert "COPY public.messages" in done.stdout
    return done.stdout


def _in_files(folder: Path) -> list[str]:
    words = (CANARY.encode(), CANARY.lower().encode())
    every = (Path(root) / name for root, _, names in os.walk(folder) for name in names)
    files = (path for path in every if path.is_file())  # sockets are none
    return [str(path) for path in files if any(word in path.read_bytes() for word in words)]


def _in_valkey(watched: Watched) -> list[bytes]:
    """Keys whose name or serialised value holds a canary."""
    with redis.Redis.from_url(watched.stack.valkey.url) as client:
        return [key for key in client.scan_iter() if CANARY.encode() in key + (client.dump(key) or b"")]
