"""Wake-ups: workers tell the API process that waits which events ended. A lost one costs the waiter a second.

One Redis channel per API process (`reply_to` on the event); messages are small JSON arrays.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from shared.logs import get_logger

_PATIENCE = 1.0  # seconds for an answer of Redis
_QUIET = 5.0  # seconds without a wake-up after one failed
_SILENCE = 5.0  # seconds of hearing nothing after which a listener asks whether anybody is there

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wake:
    """An event ended, or was snoozed for `snoozed` seconds (> 0)."""

    event_id: UUID
    snoozed: float = 0.0


def _options(redis_url: str) -> dict[str, Any]:
    """TCP keep-alive where there is TCP (a Unix socket knows no such option)."""
    return {} if redis_url.startswith("unix:") else {"socket_keepalive": True}


class Waker:
    """The worker's side: publish, never raise, keep quiet for a while after a failure."""

    def __init__(self, redis_url: str) -> None:
        self._client = redis.Redis.from_url(
            redis_url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE, retry=Retry(NoBackoff(), 0),
            **_options(redis_url),
        )  # fmt: skip
        self._quiet_until = 0.0

    def publish(self, channel: str, wakes: Sequence[Wake]) -> bool:
        """Tell one API process; False when Redis is away (its poll finds out)."""
        if time.monotonic() < self._quiet_until:
            return False
        body = orjson.dumps([[str(wake.event_id), wake.snoozed] for wake in wakes])
        try:
            self._client.publish(channel, body)
        except (RedisError, OSError) as error:
            self._quiet_until = time.monotonic() + _QUIET
            self._client.connection_pool.disconnect()  # the others are as dead; each would cost a patience to find out
            _log.warning("wake_failed", reason=type(error).__name__, quiet_seconds=_QUIET)
            return False
        return True

    def close(self) -> None:
        self._client.close()


class Listener:
    """The API's side: one subscription for the process; reconnects for ever, quietly."""

    def __init__(self, redis_url: str, channel: str, on_wake: Callable[[Wake], None]) -> None:
        self.channel = channel
        self.connected = False
        self._url = redis_url
        self._on_wake = on_wake

    async def run(self) -> None:
        """Listen until cancelled."""
        delay = 0.1
        while True:
            try:
                await self._listen()
                delay = 0.1
            except (RedisError, OSError, asyncio.IncompleteReadError) as error:
                if self.connected:
                    _log.warning("wake_listener_lost", reason=type(error).__name__)
                self.connected = False
                await asyncio.sleep(delay)
                delay = min(2.0, delay * 2)

    async def _listen(self) -> None:
        client = redis.asyncio.Redis.from_url(
            self._url, socket_connect_timeout=_PATIENCE, socket_timeout=_PATIENCE, **_options(self._url)
        )
        try:
            async with client.pubsub() as subscription:
                await subscription.subscribe(self.channel)
                while True:
                    message = await subscription.get_message(timeout=_SILENCE if self.connected else _PATIENCE)
                    message = message or await self._ask(subscription)
                    self.connected = True
                    if message["type"] == "message":
                        self._dispatch(message["data"])
        finally:
            await client.aclose()

    async def _ask(self, subscription: redis.asyncio.client.PubSub) -> dict[str, Any]:
        """Nothing was heard for a while. Raises TimeoutError when no answer comes either: then nobody is there."""
        await subscription.ping()
        answer: dict[str, Any] | None = await subscription.get_message(timeout=_PATIENCE)
        if answer is None:
            raise TimeoutError
        return answer

    def _dispatch(self, body: bytes) -> None:
        try:
            wakes = [Wake(UUID(item[0]), float(item[1])) for item in orjson.loads(body)]
        except (ValueError, TypeError, IndexError):
            _log.warning("wake_malformed")
            return
        for wake in wakes:
            self._on_wake(wake)
