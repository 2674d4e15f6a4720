"""A backlog worked off: how much faster many messages to a call are than one call for each add."""

from __future__ import annotations

import time
from typing import Any

import psycopg

from tests.bench.adds import next_block, per_add
from tests.bench.plan import Plan
from tests.bench.result import Table, ratio
from tests.bench.stage import Stage
from tests.stack import wait_until

_ONE_ADD = 2  # messages in an add
_TIMEOUT = 180.0


def measure(stage: Stage, plan: Plan) -> list[Table]:
    """The same backlog twice: as it is, and with windows held down to one add."""
    table = Table(
        "drain",
        f"{plan.drain_users} users x {plan.drain_each} adds of two messages, posted while the workers are held; the"
        " clock runs from their release to the end of the last event. Either way a user has one chat call in flight at"
        " most. CPU in milliseconds a message; service = workers + postgres (and the idle API).",
    )
    windows = _drain(stage, plan, "windows")
    stage.stop_workers()
    stage.start_workers(window_messages=_ONE_ADD, backlog_window_messages=_ONE_ADD)
    single = _drain(stage, plan, "a call an add")
    stage.stop_workers()
    stage.start_workers()
    windows["faster"] = ratio(windows["adds/s"], single["adds/s"])
    table.rows.extend([windows, single])
    return [table]


def _drain(stage: Stage, plan: Plan, name: str) -> dict[str, Any]:
    order = {"url": stage.api.url, "keys": stage.keys, "callers": plan.drain_users, "users": plan.drain_users}
    stage.load.order("enqueue", **order, each=1, first=next_block())
    with psycopg.connect(stage.service.database_url, autocommit=True) as database:
        wait_until(lambda: not _count(database, "PENDING", "RUNNING"), "all events to end", _TIMEOUT)
        before = _count(database, "FAILED")
        with stage.workers_held():
            sent = stage.load.order("enqueue", **order, each=plan.drain_each, first=next_block())
            stage.llm.reset()
        with stage.metered() as spent:
            began = time.perf_counter()
            wait_until(lambda: not _count(database, "PENDING", "RUNNING"), "the backlog to be worked off", _TIMEOUT)
            seconds = time.perf_counter() - began
        failed = _count(database, "FAILED") - before
    adds = sent.count
    calls = len(stage.llm.log("chat"))
    stage.llm.reset()
    cpu = per_add(spent[0], adds * _ONE_ADD)
    return {
        "": name,
        "adds/s": adds / seconds,
        "seconds": seconds,
        "calls": calls,
        "per msg": calls / (adds * _ONE_ADD),
        "refused": sum(sent.errors.values()),
        "failed": failed,
        "service": cpu["service"],
        **{part: cpu[part] for part in ("workers", "postgres", "engine")},
        "others": spent[0].others,
    }


def _count(database: psycopg.Connection, *statuses: str) -> int:
    row = database.execute("SELECT count(*) FROM events WHERE status = ANY(%s)", [list(statuses)]).fetchone()
    return int(row[0]) if row else 0
