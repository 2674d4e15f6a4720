"""Webhook deliveries: taken from Postgres, signed, sent, settled. Every worker does it; there is no singleton.

One thread with an event loop, so that receivers that take their time hold nothing but a socket. A worker that dies
between sending and settling leaves a claim that runs out: the delivery is sent again, with the same id.
"""

from __future__ import annotations

import asyncio
import contextvars
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar
from uuid import UUID

import orjson

from shared import clock, metrics
from shared.crashpoints import reach
from shared.db import tenancy, webhooks
from shared.db import webhook_outbox as outbox
from shared.db.engine import Database, Session
from shared.db.webhook_outbox import Taken
from shared.db.webhooks import Webhook
from shared.errors import ServiceError
from shared.logs import get_logger
from shared.model.notices import Notice, body
from shared.settings import Settings
from shared.webhooks import schedule, signing
from shared.webhooks.addresses import allowed
from shared.webhooks.sending import Answer, Sender
from shared.webhooks.targets import read_target

_AT_ONCE = 64  # deliveries in work in this process
_OF_A_PROJECT = 16  # of these for one project: with it reached, no more are taken for it
_EACH = 4  # of one webhook, over all workers; 1 while it fails
_MARGIN = 15.0  # seconds a claim outlives the longest attempt
_BOTH_SIGN = 24 * 3600.0  # seconds the secret before the last rotation goes on signing
_GAUGES_EVERY = 15.0
_GONE = 410

_log = get_logger(__name__)
T = TypeVar("T")


class Deliveries:
    """`sender`: None for the real one; tests pass one with a resolver of their own."""

    def __init__(self, settings: Settings, db: Database, sender: Sender | None = None) -> None:
        """Raises `ValueError` for settings that cannot be: no pepper, or `FLUMES_WEBHOOK_ALLOW` unreadable."""
        self._settings = settings
        self._db = db
        self._pepper = settings.key_pepper.get_secret_value()
        if settings.webhooks and not self._pepper:
            raise ValueError("FLUMES_WEBHOOKS needs FLUMES_KEY_PEPPER")
        self._sender = sender or Sender(allowed(settings.webhook_allow), timeout=settings.webhook_timeout)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="flumes-webhooks", daemon=True)
        self._queries = ThreadPoolExecutor(3, thread_name_prefix="flumes-webhook-db")
        self._in_work: dict[asyncio.Task[None], UUID] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._measured = 0.0

    def start(self) -> None:
        """Nothing starts where webhooks are off."""
        if self._settings.webhooks:
            self._thread.start()

    def stop(self) -> None:
        """Nothing more is taken; what is being sent is finished (`busy`)."""
        self._stopping.set()
        with suppress(RuntimeError):  # it ends just now
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._wake.set)

    @property
    def busy(self) -> bool:
        """Whether something is being sent."""
        return bool(self._in_work)

    def _run(self) -> None:
        asyncio.run(self._for_ever())

    async def _for_ever(self) -> None:
        self._loop = asyncio.get_running_loop()
        # Names are resolved in threads: one that hangs must not keep the others waiting.
        self._loop.set_default_executor(ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="flumes-webhook-dns"))
        while not self._stopping.is_set():
            more = False
            self._wake.clear()
            try:
                more = await self.look()
            except ServiceError as error:
                _log.warning("webhooks_not_looked", code=error.code)
            except Exception:  # noqa: BLE001 - this thread must go on looking
                _log.exception("webhooks_not_looked")
            if not more and not self._stopping.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.poll * random.uniform(0.8, 1.2)):
                        await self._wake.wait()
        self._loop = None
        if self._in_work:
            await asyncio.wait(list(self._in_work))

    async def look(self) -> bool:
        """Take what is due and begin to send it; whether something was taken."""
        taken = await self._take(_AT_ONCE - len(self._in_work)) if len(self._in_work) < _AT_ONCE else []
        for one in taken:
            task = asyncio.create_task(self._deliver(one))
            self._in_work[task] = one.project_id
            task.add_done_callback(self._ended)
        await self._measure()
        return bool(taken)

    async def _take(self, limit: int) -> list[Taken]:
        lease = self._settings.webhook_timeout + _MARGIN
        full = [project for project, count in Counter(self._in_work.values()).items() if count >= _OF_A_PROJECT]
        with tenancy.across(tenancy.Role.QUEUE):
            return await self._ask(lambda s: outbox.take(s, limit=limit, each=_EACH, lease=lease, full=full))

    def _ended(self, task: asyncio.Task[None]) -> None:
        """There is room, and the next change of the same memory may be due."""
        del self._in_work[task]
        self._wake.set()

    async def drain(self) -> None:
        """Send everything that is due now and wait for it: a worker moved by hand."""
        while await self.look() or self._in_work:
            await asyncio.gather(*self._in_work)

    async def _ask(self, work: Callable[[Session], T]) -> T:
        told = contextvars.copy_context()  # whose rows these are
        return await asyncio.get_running_loop().run_in_executor(self._queries, lambda: told.run(self._db.run, work))

    async def _deliver(self, taken: Taken) -> None:
        tenancy.become(taken.project_id)
        try:
            found = await self._ask(lambda s: _what(s, taken))
            if found is None:
                return
            answer = await self._send(taken, *found)
            reach("webhook.sent")
            await self._ask(lambda s: _settle(s, taken, answer, self._settings.webhook_disable_days))
        except ServiceError as error:
            _log.warning("webhook_not_settled", code=error.code, delivery=str(taken.id))
        except Exception:  # noqa: BLE001 - the claim runs out and the delivery is tried again
            _log.exception("webhook_not_settled", delivery=str(taken.id))

    async def _send(self, taken: Taken, webhook: Webhook, notice: Notice) -> Answer:
        try:
            target = read_target(webhook.url, plain_http=self._settings.webhook_http)
        except ValueError:
            return Answer(None, "url_refused")  # allowed when it was stored, not any more
        raw = orjson.dumps(body(notice))
        now = clock.now()
        generations = [webhook.secret_generation]
        if webhook.rotated_at is not None and (now - webhook.rotated_at).total_seconds() < _BOTH_SIGN:
            generations.append(webhook.secret_generation - 1)
        secrets = [signing.secret(self._pepper, webhook.id, number) for number in generations]
        headers = signing.headers(secrets, f"msg_{taken.id}", int(now.timestamp()), raw)
        return await self._sender.post(target, headers, raw)

    async def _measure(self) -> None:
        now = time.monotonic()
        if now - self._measured >= _GAUGES_EVERY:
            self._measured = now
            with tenancy.across(tenancy.Role.QUEUE):
                number, age = await self._ask(outbox.waiting)
            metrics.WEBHOOKS_PENDING.set(number)
            metrics.WEBHOOKS_OLDEST.set(age)


def _what(session: Session, taken: Taken) -> tuple[Webhook, Notice] | None:
    """Where to and what; None when it was erased, replayed or deleted since it was taken."""
    webhook = webhooks.get(session, taken.project_id, taken.webhook_id)
    notice = outbox.notice(session, taken)
    if webhook is None or notice is None:
        return None
    if not webhook.is_active:
        outbox.give_back(session, taken)
        return None
    return webhook, notice


_RESTS = tuple(schedule.rest(failures) for failures in range(1, 10))


def _settle(session: Session, taken: Taken, answer: Answer, disable_days: float) -> None:
    """One transaction: the delivery, and how its webhook is doing."""
    delay = None if answer.accepted else schedule.next_delay(taken.attempts + 1, answer.retry_after)
    state = "delivered" if answer.accepted else "failed" if delay is None else "pending"
    if not outbox.settle(session, taken, state=state, status=answer.status, error=answer.error, delay=delay):
        return
    metrics.WEBHOOK_ATTEMPTS.labels(state if state != "pending" else "retried").inc()
    if answer.accepted:
        webhooks.went_well(session, taken.project_id, taken.webhook_id)
        return
    webhooks.went_wrong(session, taken.project_id, taken.webhook_id, _RESTS)
    if answer.status == _GONE:
        _disable(session, taken, "gone", None)
    elif delay is None:
        _disable(session, taken, "failing", disable_days)


def _disable(session: Session, taken: Taken, reason: str, failing_days: float | None) -> None:
    if webhooks.disable(session, taken.project_id, taken.webhook_id, reason, failing_days=failing_days):
        _log.warning("webhook_disabled", webhook=str(taken.webhook_id), reason=reason)
