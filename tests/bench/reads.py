"""GET by id beside a bare route that runs the same SELECT, and search beside the embedding call inside it."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any

import orjson
import psycopg

from cli.embedded.child import Child, Command
from cli.embedded.listener import listen
from cli.embedded.probe import answers_ok
from tests.bench.adds import next_block
from tests.bench.plan import Plan
from tests.bench.result import Table, percentile, ratio
from tests.bench.stage import EMBEDDINGS_SECONDS, Stage
from tests.stack import wait_until

_CALLERS = 8
_QUERIES = ("which novel is on the shelf", "what stands in my room", "novel shelf room", "do I keep books")
_USER = "reader"


def measure(stage: Stage, plan: Plan) -> list[Table]:
    """Both on one user with memories."""
    stage.llm.settings(chat_seconds=0, embeddings_seconds=0)
    stage.load.order(
        "fill", url=stage.api.url, keys=stage.keys[:1], users=[_USER], facts=plan.memories, first=next_block()
    )
    stage.llm.reset()
    with psycopg.connect(stage.service.database_url) as database:
        ids = database.execute("SELECT project_id::text, id::text FROM memories WHERE user_id = %s", [_USER]).fetchall()
    return [_gets(stage, plan, ids), _search(stage, plan, len(ids))]


def _gets(stage: Stage, plan: Plan, ids: list[tuple[Any, ...]]) -> Table:
    table = Table("GET by id", f"{_CALLERS} callers; bare: a FastAPI route that runs the same SELECT with psycopg.")
    order = {"key": stage.keys[0], "callers": _CALLERS}
    paths = [f"/v1/memories/{memory}" for _, memory in ids]
    with listen("127.0.0.1", 0) as listener:
        bare, url = _start_bare(stage, listener, str(ids[0][0]))
        try:
            served = _get(stage, plan, "service", order | {"url": stage.api.url, "paths": paths})
            paths = [f"/bare/{memory}" for _, memory in ids]
            floor = _get(stage, plan, "bare route", order | {"url": url, "paths": paths})
        finally:
            bare.kill()
    served["of bare"] = ratio(served["GETs/s"], floor["GETs/s"])
    table.rows.extend([served, floor])
    return table


def _get(stage: Stage, plan: Plan, name: str, order: dict[str, Any]) -> dict[str, Any]:
    stage.load.order("get", **order, seconds=min(1.0, plan.warm))
    with stage.metered() as spent:
        sample = stage.load.order("get", **order, seconds=plan.seconds * 0.5)
    each = spent[0].per(sample.count)
    return {
        "": name,
        "GETs/s": sample.per_second,
        "of bare": float("nan"),
        "p50 ms": percentile(sample.milliseconds, 0.5),
        "p99 ms": percentile(sample.milliseconds, 0.99),
        "errors": sum(sample.errors.values()),
        "api ms": each["api"],
        "postgres ms": each["postgres"],
        "others": spent[0].others,
    }


def _start_bare(stage: Stage, listener: socket.socket, project: str) -> tuple[Child, str]:
    env = stage.stack.environment(stage.service.database_url) | {"FLUMES_BENCH_PROJECT": project}
    host, port = listener.getsockname()[:2]
    argv = [sys.executable, "-m", "tests.bench.bare_route", str(listener.fileno())]
    log = stage.stack.home.layout.logs / "bare-route.log"
    child = Child(Command(argv, env, log, cwd=Path.cwd(), pass_fds=(listener.fileno(),)))
    wait_until(lambda: answers_ok(host, port, "/readyz"), "the bare route to serve", 30)
    return child, f"http://{host}:{port}"


def _search(stage: Stage, plan: Plan, memories: int) -> Table:
    """The embedding call alone is measured like the floor of the adds."""
    order = {"url": stage.api.url, "key": stage.keys[0], "user": _USER, "queries": list(_QUERIES)}
    stage.load.order("search", **order, seconds=plan.warm)
    with stage.metered() as spent:
        sample = stage.load.order("search", **order, seconds=plan.seconds * 0.5)
    model = stage.llm.log("embeddings")[-1]["model"]
    stage.llm.reset()
    file = stage.stack.home.layout.run / "queries.json"
    body = {"model": model, "encoding_format": "base64"}
    file.write_bytes(orjson.dumps([[("embeddings", body | {"input": [text]})] for text in _QUERIES]))
    replay = {"base_url": stage.llm.base_url, "file": str(file), "callers": 1}
    stage.load.order("replay", **replay, seconds=min(1.0, plan.warm))
    floor = stage.load.order("replay", **replay, seconds=plan.seconds * 0.3)
    each = spent[0].per(sample.count)
    p50, call = percentile(sample.milliseconds, 0.5), percentile(floor.milliseconds, 0.5)
    row = {
        "memories": memories,
        "p50 ms": p50,
        "p99 ms": percentile(sample.milliseconds, 0.99),
        "embedding p50": call,
        "added ms": p50 - call,
        "errors": sum(sample.errors.values()),
        **{f"{part} ms": each[part] for part in ("api", "postgres", "engine")},
    }
    note = f"one caller; the embedding call takes {EMBEDDINGS_SECONDS * 1000:.0f} ms at the scripted server."
    return Table("search", note, [row])
