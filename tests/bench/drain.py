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
        f"{plan.drain_users} users x {plan.drain_each} adds of two messages, posted without waiting; the clock runs"
        " from the first POST to the end of the last event. Either way a user has one chat call in flight at most."
        " CPU in milliseconds a message; service = api + workers + postgres.",
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
    _wait_ended(stage)
    stage.llm.reset()
    with stage.metered() as spent, psycopg.connect(stage.service.database_url, autocommit=True) as database:
        began = time.perf_counter()
        sent = stage.load.order("enqueue", **order, each=plan.drain_each, first=next_block())
        posted = time.perf_counter() - began
        wait_until(lambda: not _open(database), "the backlog to be worked off", _TIMEOUT)
        seconds = time.perf_counter() - began
        failed = _failed(database)
    adds = sent.count
    calls = len(stage.llm.log("chat"))
    stage.llm.reset()
    cpu = per_add(spent[0], adds * _ONE_ADD)
    return {
        "": name,
        "adds/s": adds / seconds,
        "seconds": seconds,
        "posted in": posted,
        "calls": calls,
        "per msg": calls / (adds * _ONE_ADD),
        "refused": sum(sent.errors.values()),
        "failed": failed,
        "service": cpu["service"],
        **{part: cpu[part] for part in ("api", "workers", "postgres", "engine")},
        "others": spent[0].others,
    }


def _wait_ended(stage: Stage) -> None:
    with psycopg.connect(stage.service.database_url, autocommit=True) as database:
        wait_until(lambda: not _open(database), "all events to end", _TIMEOUT)


def _open(database: psycopg.Connection) -> int:
    row = database.execute("SELECT count(*) FROM events WHERE status IN ('PENDING', 'RUNNING')").fetchone()
    return int(row[0]) if row else 0


def _failed(database: psycopg.Connection) -> int:
    row = database.execute("SELECT count(*) FROM events WHERE status = 'FAILED'").fetchone()
    return int(row[0]) if row else 0
