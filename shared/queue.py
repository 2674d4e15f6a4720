"""Bells: Celery messages that say "there is due work, perhaps in this scope". Lost or doubled, they change nothing.

The producer side; `workers/tasks.py` is the consumer. Only the task's name is shared.
"""

from __future__ import annotations

import threading
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from celery import Celery

from shared.logs import get_logger
from shared.model.scope import ScopeRef

BELL = "flumes.bell"
QUEUE = "flumes"

_EXPIRES = 30  # seconds; an older bell has nothing to say, the poll was there first
_QUIET = 5.0  # seconds without a bell after the broker failed once

_log = get_logger(__name__)


def broker_url(redis_url: str) -> str:
    """Our one form of a Redis address in Celery's words: `unix:///s.sock?db=0` is `redis+socket:///s.sock?virtual_host=0`."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    database = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={database}"


def transport_options() -> dict[str, Any]:
    """Short timeouts and health checks: a half-open connection must not stop a consumer or block a request."""
    return {
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 5,
        "visibility_timeout": 60,
        "global_keyprefix": "flumes:",
    }


def make_app(redis_url: str, name: str = "flumes") -> Celery:
    """A Celery app without result backend, retries, ETA or priorities: bells only."""
    app = Celery(name, broker=broker_url(redis_url))
    app.conf.update(
        task_ignore_result=True,
        task_acks_late=False,
        worker_prefetch_multiplier=1,
        task_publish_retry=False,
        task_default_queue=QUEUE,
        task_serializer="json",
        accept_content=["json"],
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=transport_options(),
        enable_utc=True,
    )
    return app


class Bell:
    """Rings at most as fast as the broker answers; after a failure it keeps quiet for a while. Never raises."""

    def __init__(self, redis_url: str) -> None:
        self._app = make_app(redis_url, "flumes-producer")
        self._app.conf.broker_transport_options = transport_options() | {
            "socket_timeout": 0.5,
            "socket_connect_timeout": 0.5,
        }
        self._quiet_until = 0.0
        self._lock = threading.Lock()

    @property
    def healthy(self) -> bool:
        """False while the broker is left alone after a failure."""
        return time.monotonic() >= self._quiet_until

    def ring(self, scope: ScopeRef | None = None) -> bool:
        """Send one bell, hinting at a scope; False when it was not sent. Blocks up to 0.5 s: call it off the loop."""
        if not self.healthy:
            return False
        args = [str(scope.project_id), str(scope.scope_id)] if scope else []
        try:
            self._app.send_task(BELL, args=args, queue=QUEUE, expires=_EXPIRES, ignore_result=True, retry=False)
        except Exception as error:  # noqa: BLE001 - a bell is never worth failing a request for; polling does the work
            with self._lock:
                self._quiet_until = time.monotonic() + _QUIET
            _log.warning("bell_failed", reason=type(error).__name__, quiet_seconds=_QUIET)
            return False
        return True

    def close(self) -> None:
        self._app.close()
