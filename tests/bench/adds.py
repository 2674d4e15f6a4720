"""Waiting adds: how many a second, how long one takes, what it costs, beside the same requests from a bare client."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

import orjson

from tests.bench.meter import Spent
from tests.bench.pace import Sample
from tests.bench.plan import Plan, Point
from tests.bench.replay import sequences
from tests.bench.result import Table, percentile, ratio
from tests.bench.stage import Stage

SERVICE = ("api", "workers", "postgres")
_BLOCK = 20_000_000  # names of one order to the load generator lie apart from the next one's
_blocks = count(1)


def next_block() -> int:
    """The first of a range of names nobody used."""
    return next(_blocks) * _BLOCK


def measure(stage: Stage, plan: Plan) -> list[Table]:
    """One row a point, with the CPU of each process group in a second table."""
    speed = Table(
        "waiting adds",
        "floor: the chat and embedding requests of these very adds, sent again by a bare openai client at the same"
        " concurrency. added: p50 of an add less p50 of its requests alone. others: cores busy with other work; then:"
        " the same while the floor was measured.",
    )
    cpu = Table(
        "CPU and calls per waiting add",
        "milliseconds; service = api + workers + postgres. strays: requests that belong to no single add.",
    )
    for point in plan.points:
        users, memories = _filled(stage, plan, point.callers) if point.filled else (None, 0)
        sample, spent, log = _adds(stage, plan, point, users)
        floor, floor_spent, calls = _floor(stage, plan, point, log)
        name = {"callers": point.callers, "memories": memories}
        others = {"others": spent.others, "then": floor_spent.others}
        speed.rows.append(name | _speed(sample, floor) | others)
        cpu.rows.append(name | per_add(spent, sample.count) | calls)
    return [speed, cpu]


def per_add(spent: Spent, adds: int) -> dict[str, float]:
    """Milliseconds of each group for one add, those of the service added up first."""
    each: Mapping[str, float] = spent.per(adds)
    return {"service": sum(each[name] for name in SERVICE), **each}


def _speed(sample: Sample, floor: Sample) -> dict[str, Any]:
    p50, floor_p50 = percentile(sample.milliseconds, 0.5), percentile(floor.milliseconds, 0.5)
    return {
        "adds/s": sample.per_second,
        "floor/s": floor.per_second,
        "of floor": ratio(sample.per_second, floor.per_second),
        "p50 ms": p50,
        "p99 ms": percentile(sample.milliseconds, 0.99),
        "floor p50": floor_p50,
        "added ms": p50 - floor_p50,
        "adds": sample.count,
        "errors": sum(sample.errors.values()),
        **({"what": sample.errors} if sample.errors else {}),
    }


def _filled(stage: Stage, plan: Plan, callers: int) -> tuple[list[str], int]:
    """A user for each caller, and how many memories each has; the chat server answers at once meanwhile."""
    users = [f"filled-{callers}-{number}" for number in range(callers)]
    stage.llm.settings(chat_seconds=0, embeddings_seconds=0)
    order = {"url": stage.api.url, "keys": stage.keys, "users": users, "facts": plan.memories}
    filled = stage.load.order("fill", **order, first=next_block())
    return users, filled.count // callers


def _adds(
    stage: Stage, plan: Plan, point: Point, users: list[str] | None
) -> tuple[Sample, Spent, list[dict[str, Any]]]:  # fmt: skip
    order = {"url": stage.api.url, "keys": stage.keys, "callers": point.callers, "users": users}
    stage.llm.reset()
    stage.load.order("add", **order, seconds=plan.warm, first=next_block())
    stage.llm.reset()
    stage.llm.settings(log_bodies=True)
    with stage.metered() as spent:
        sample = stage.load.order("add", **order, seconds=plan.for_point(point), first=next_block())
    log = stage.llm.log()
    stage.llm.reset()
    return sample, spent[0], log


def _floor(
    stage: Stage, plan: Plan, point: Point, log: list[dict[str, Any]]
) -> tuple[Sample, Spent, dict[str, float]]:  # fmt: skip
    adds, strays = sequences(log)
    file = stage.stack.home.layout.run / "requests.json"
    file.write_bytes(orjson.dumps(adds))
    order = {"base_url": stage.llm.base_url, "file": str(file), "callers": point.callers}
    stage.load.order("replay", **order, seconds=min(1.0, plan.warm))
    stage.llm.reset()
    with stage.metered() as spent:
        floor = stage.load.order("replay", **order, seconds=plan.for_point(point) * 0.75)
    stage.llm.reset()
    kinds = [kind for sequence in adds for kind, _ in sequence]
    each = {kind: kinds.count(kind) / max(1, len(adds)) for kind in ("chat", "embeddings")}
    return floor, spent[0], {"chat calls": each["chat"], "embed calls": each["embeddings"], "strays": strays}
