"""Adds that do not wait: how fast a POST is accepted, beside the bare transaction that keeps it."""

from __future__ import annotations

from typing import Any

import psycopg

from shared.db import projects
from shared.db.engine import Database
from shared.settings import Settings
from tests.bench.adds import next_block, per_add
from tests.bench.meter import Spent
from tests.bench.pace import Sample
from tests.bench.plan import Plan
from tests.bench.result import Table, percentile, ratio
from tests.bench.stage import Stage

_BESIDE_WORK = 15.0  # adds a second: below what the workers work off meanwhile


def measure(stage: Stage, plan: Plan) -> list[Table]:
    """Four rows; the last run of a stage: it leaves a backlog and no workers."""
    pool = int(Settings.model_fields["api_pool"].default)
    table = Table(
        "enqueued adds",
        "two messages each, to a new user each. bare transaction: event, payload and messages inserted and committed"
        f" by psycopg over {pool} connections, as many as the API has. Latency counts from when a request was due.",
    )
    order = {"url": stage.api.url, "keys": stage.keys, "callers": plan.enqueue_callers}
    beside, spent = _run(stage, order, plan.seconds, _BESIDE_WORK)
    table.rows.append(_row("beside working workers", beside, spent))
    stage.stop_workers()
    _run(stage, order, plan.warm, None)
    most, spent = _run(stage, order, plan.seconds * 0.6, None)
    saturated = _row("as fast as it goes, workers stopped", most, spent)
    half, spent = _run(stage, order, plan.seconds, most.per_second / 2)
    floor, floor_spent = _floor(stage, pool, plan.seconds * 0.5)
    saturated["of bare"] = ratio(most.per_second, floor.per_second)
    table.rows.extend([saturated, _row("at half of that rate, workers stopped", half, spent)])
    table.rows.append(_row("bare transaction", floor, floor_spent))
    return [table]


def _run(stage: Stage, order: dict[str, Any], seconds: float, rate: float | None) -> tuple[Sample, Spent]:
    pace = {"per_second": rate} if rate else {}
    with stage.metered() as spent:
        sample = stage.load.order("enqueue", **order, **pace, seconds=seconds, first=next_block())
    return sample, spent[0]


def _floor(stage: Stage, connections: int, seconds: float) -> tuple[Sample, Spent]:
    """In a database of its own with the same tables and one row in `projects`."""
    url = stage.stack.new_database()
    database = Database(url, pool_size=2, name="flumes-bench")
    project = str(database.run(lambda session: projects.ensure(session, "bare")).id)
    database.close()
    try:
        stage.load.order("insert", url=url, project=project, connections=connections, seconds=0.5)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("TRUNCATE events CASCADE")
        with stage.metered() as spent:
            sample = stage.load.order("insert", url=url, project=project, connections=connections, seconds=seconds)
    finally:
        stage.stack.drop_database(url)
    return sample, spent[0]


def _row(name: str, sample: Sample, spent: Spent) -> dict[str, Any]:
    cpu = per_add(spent, sample.count)
    return {
        "": name,
        "adds/s": sample.per_second,
        "of bare": float("nan"),
        "p50 ms": percentile(sample.milliseconds, 0.5),
        "p99 ms": percentile(sample.milliseconds, 0.99),
        "errors": sum(sample.errors.values()),
        **{f"{part} ms": cpu[part] for part in ("api", "workers", "postgres", "load")},
        "others": spent.others,
    }
