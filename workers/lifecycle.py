"""A worker process from start to stop: its parts, its lease thread, its poll, and a stop that gives work back.

SIGTERM: no more claims, windows in work get the grace to finish, then their leases are released at once.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from celery import signals
from prometheus_client import start_http_server

from shared import crashpoints, logs
from shared.db import breakers, spend, tenancy
from shared.db.engine import Database
from shared.errors import ServiceError
from shared.model.ids import uuid7
from shared.settings import Settings
from workers.assembly import make_parts
from workers.dispatch import Dispatcher
from workers.leases import Leases, give_back
from workers.parts import Parts
from workers.pipeline.run import run, work_on
from workers.poll import Poll
from workers.quarantine import Quarantine
from workers.webhooks import Deliveries

_GOODBYE = 3.0  # seconds an idle worker leaves Celery to part from its broker, which may be half-open

_log = logs.get_logger(__name__)


class Worker:
    """Everything one process runs beside Celery's consumer."""

    def __init__(self, settings: Settings, parts: Parts) -> None:
        self.settings, here = settings, parts
        self.quarantine = Quarantine(settings, parts.db, lambda claim: work_on(here, claim))
        self.parts = parts = replace(parts, apart=self.quarantine)
        self.leases = Leases(parts.db, lease=settings.lease, deadline=settings.attempt_deadline)
        self.dispatcher = Dispatcher(parts, self.leases, run)
        self.poll = Poll(parts, self.dispatcher)
        self.deliveries = Deliveries(settings, parts.db)

    def start(self) -> None:
        self.leases.start()
        self.poll.start()
        self.deliveries.start()

    def stop_claiming(self) -> None:
        """From now on nothing new is begun."""
        self.dispatcher.stopping.set()
        self.poll.stop()
        self.deliveries.stop()

    def wait_idle(self, seconds: float) -> bool:
        """True when all windows and deliveries in work ended within `seconds`."""
        until = time.monotonic() + seconds
        while (self.leases.held() or self.deliveries.busy) and time.monotonic() < until:
            time.sleep(0.05)
        return not (self.leases.held() or self.deliveries.busy)

    def release(self) -> None:
        """Give back what is still in work, so that another worker need not wait for the leases to run out."""
        self.leases.stop()
        self.quarantine.close()
        crashpoints.reach("release")
        for claim in (*self.leases.held(), *self.leases.broken()):
            try:
                with tenancy.tenant(claim.scope.project_id):
                    self.parts.db.run(lambda session, claim=claim: give_back(session, claim))  # type: ignore[misc]
            except ServiceError as error:
                _log.warning("lease_not_released", code=error.code)


_state: dict[str, Worker] = {}
_lock = threading.Lock()


def running() -> Worker | None:
    """The process's worker, None before it is up."""
    return _state.get("worker")


def connect(settings: Settings) -> None:
    """Hook into Celery's signals; clients are made only in the process that works."""
    hooks = {
        signals.worker_init: lambda **_: _start(settings),
        signals.worker_ready: lambda **_: _ready(),
        signals.worker_shutting_down: lambda **_: _shutting_down(settings),
        signals.worker_shutdown: lambda **_: _stopped(),
    }
    for signal, hook in hooks.items():
        signal.connect(hook, weak=False)
    signals.setup_logging.connect(lambda **_: logs.configure(settings, "worker"), weak=False)


def _start(settings: Settings) -> None:
    crashpoints.arm(settings)
    owner = f"{socket.gethostname()}:{os.getpid()}:{uuid7().hex[-8:]}"
    database = Database(settings.database_url, pool_size=settings.worker_pool, walls=True)
    background = ThreadPoolExecutor(max(4, settings.slots // 4), thread_name_prefix="flumes-index")
    with _lock:
        worker = Worker(settings, make_parts(settings, database, background, owner))
        _state["worker"] = worker
    provider = worker.parts.provider
    database.run(lambda session: breakers.keep_only(session, "llm", provider))
    worker.parts.db.run(spend.look_again)
    worker.start()
    if settings.worker_metrics_port:
        start_http_server(settings.worker_metrics_port, addr=settings.host)


def _ready() -> None:
    _log.info("worker_ready", pid=os.getpid())
    path = os.environ.get("FLUMES_READY_FILE")
    if path:
        Path(path).touch()


def _shutting_down(settings: Settings) -> None:
    """Celery waits for its threads and its broker without limit; the grace is ours to keep."""
    worker = running()
    if worker is None:
        return
    worker.stop_claiming()
    threading.Thread(target=_enforce_grace, args=(worker, settings.grace), name="flumes-grace", daemon=True).start()


def _enforce_grace(worker: Worker, grace: float) -> None:
    if worker.wait_idle(grace):
        time.sleep(_GOODBYE)
        _log.warning("broker_does_not_let_go", waited=_GOODBYE)
    else:
        worker.release()
        _log.warning("grace_over", released=len(worker.leases.held()))
    os._exit(0)  # whatever is not done yet stands in Postgres


def _stopped() -> None:
    worker = running()
    if worker is None:
        return
    if not worker.wait_idle(worker.settings.grace):
        worker.release()
    worker.leases.stop()
    worker.quarantine.close()
    worker.parts.background.shutdown(wait=False, cancel_futures=True)
    worker.parts.close()
