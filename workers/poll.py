"""The look at Postgres that makes bells optional: due scopes, index rows left over, gauges, old keys and deliveries.

Every worker polls, with jitter; there is no singleton.
"""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from shared import metrics
from shared.db import idempotency, index_queue, scopes, tenancy, webhook_outbox
from shared.errors import ServiceError
from shared.logs import get_logger
from workers import epochs
from workers.dispatch import Dispatcher
from workers.feeding import feed
from workers.parts import Parts
from workers.pipeline.index import index
from workers.reindex import advance

_PRUNE_EVERY = 600.0  # seconds
_INDEX_BATCH = 256
_WATCH_EVERY = 10.0  # seconds between looks at whose data the index holds

_log = get_logger(__name__)


class Poll:
    """One thread that looks, a pool of as many threads as slots that drain."""

    def __init__(self, parts: Parts, dispatcher: Dispatcher) -> None:
        self._parts = parts
        self._dispatcher = dispatcher
        self._pool = ThreadPoolExecutor(parts.settings.slots, thread_name_prefix="flumes-drain")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._for_ever, name="flumes-poll", daemon=True)
        self._index_busy = threading.Lock()
        self._feed_busy = threading.Lock()
        self._pruned = time.monotonic()
        self._watch_at = 0.0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """No more looks; drains that run go on until they find the dispatcher stopping."""
        self._stop.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _for_ever(self) -> None:
        while not self._stop.wait(self._parts.settings.poll * random.uniform(0.8, 1.2)):
            try:
                self.look()
            except ServiceError as error:
                _log.warning("poll_failed", code=error.code)
            except Exception:  # noqa: BLE001 - this thread must go on looking
                _log.exception("poll_failed")

    def look(self) -> None:
        """One look: start drains for due work, then apply index rows that were left over."""
        with tenancy.across(tenancy.Role.QUEUE):
            live, bulk = self._parts.db.run(scopes.due_lanes)
        if live or bulk:
            for _ in range(self._dispatcher.free):
                self._pool.submit(self._drain)
        self._pool.submit(self._index_leftovers)
        self._pool.submit(self._feed)
        self._gauges()
        self._prune()

    def _drain(self) -> None:
        try:
            self._dispatcher.drain()
        except Exception:  # noqa: BLE001 - this thread must go on looking
            _log.exception("drain_failed")

    def _index_leftovers(self) -> None:
        if not self._index_busy.acquire(blocking=False):
            return
        try:
            self._watch_index()
            while index(self._parts, limit=_INDEX_BATCH) >= _INDEX_BATCH and not self._stop.is_set():
                pass
            advance(self._parts)
        except ServiceError as error:
            _log.warning("index_leftovers_failed", code=error.code)
        except Exception:  # noqa: BLE001 - this thread must go on looking
            _log.exception("index_leftovers_failed")
        finally:
            self._index_busy.release()

    def _feed(self) -> None:
        if not self._feed_busy.acquire(blocking=False):
            return
        try:
            if feed(self._parts.db, self._parts.settings.import_in_work, self._stop.is_set):
                self._dispatcher.drain()
        except ServiceError as error:
            _log.warning("feed_failed", code=error.code)
        except Exception:  # noqa: BLE001 - this thread must go on looking
            _log.exception("feed_failed")
        finally:
            self._feed_busy.release()

    def _watch_index(self) -> None:
        """Now and then: is it still the index that was written to?"""
        if time.monotonic() >= self._watch_at:
            self._watch_at = time.monotonic() + _WATCH_EVERY * random.uniform(0.8, 1.2)
            epochs.look(self._parts.db, self._parts.index)

    @tenancy.across(tenancy.Role.QUEUE)
    def _gauges(self) -> None:
        metrics.INDEX_BACKLOG.set(self._parts.db.run(index_queue.backlog))

    @tenancy.across(tenancy.Role.QUEUE)
    def _prune(self) -> None:
        if time.monotonic() - self._pruned < _PRUNE_EVERY:
            return
        self._pruned = time.monotonic()
        settings = self._parts.settings
        self._parts.db.run(lambda session: idempotency.prune(session, settings.idempotency_days))
        days, nobody_delivers = settings.webhook_keep_days, not settings.webhooks
        self._parts.db.run(lambda session: webhook_outbox.prune(session, days, everything=nobody_delivers))
