"""One time limit for a whole HTTP exchange.

Read timeouts start anew with every byte, so a server that drips holds a slot for ever. Here each socket operation of
the calling thread gets what is left of the exchange's time, from connect to the last byte of the body.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore2
import httpx2

_current = threading.local()


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Bound all network operations of this thread on clients from `bounded_client` to `seconds` in sum.

    Within another limit, whatever ends first counts.
    """
    outer: float | None = getattr(_current, "end", None)
    end = time.monotonic() + seconds
    _current.end = end if outer is None else min(outer, end)
    try:
        yield
    finally:
        _current.end = outer


def remaining() -> float | None:
    """Seconds left for this thread's exchange; None outside of a `time_limit`."""
    end: float | None = getattr(_current, "end", None)
    return None if end is None else end - time.monotonic()


class Countdown:
    """A time limit shared by several exchanges."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left, never below a millisecond."""
        return max(0.001, self._end - time.monotonic())


def _left(timeout: float | None, error: type[Exception]) -> float | None:
    left = remaining()
    if left is None:
        return timeout
    if left <= 0:
        raise error("time limit of the exchange reached")
    return left if timeout is None else min(timeout, left)


class _Stream(httpcore2.NetworkStream):
    """A socket stream that never waits beyond the thread's limit."""

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = _left(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore2.NetworkBackend):
    """Opens `_Stream`s."""

    def __init__(self) -> None:
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        left = _left(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._inner.connect_tcp(host, port, left, local_address, socket_options))

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


def bounded_client(*, timeout: httpx2.Timeout, limits: httpx2.Limits, trust_env: bool) -> httpx2.Client:
    """An HTTP/1.1 client, proxies of the environment included, whose sockets honour `time_limit`."""
    client = httpx2.Client(timeout=timeout, limits=limits, trust_env=trust_env, follow_redirects=False)
    backend = _Backend()
    for transport in (client._transport, *client._mounts.values()):  # noqa: SLF001 - httpx2 has no public hook for it
        if isinstance(transport, httpx2.HTTPTransport):
            transport._pool._network_backend = backend  # noqa: SLF001 - public in httpcore2's constructor only
    return client
