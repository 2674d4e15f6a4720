"""One POST to a receiver nobody vouches for: the address that was checked is the one connected to.

The name is resolved once an attempt, every address it has is checked, no proxy and no redirect is followed, and time
and size are bounded whatever the other side does.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import h11

from shared.webhooks.addresses import Allowed
from shared.webhooks.targets import Target

_HEAD = 32_768  # bytes of an answer's head, interim answers included
_BODY = 65_536  # bytes of its body read before the connection is closed
_LINGER = 2.0  # seconds for that body: the status is known, the rest is courtesy
_TRIED = 4  # addresses of one name

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` None: there was none, and `error` says why. `retry_after`: seconds the receiver asked for."""

    status: int | None
    error: str | None = None
    retry_after: float | None = None

    @property
    def accepted(self) -> bool:
        """2xx; a redirect is a refusal."""
        return self.status is not None and 200 <= self.status < 300


class _Failed(Exception):
    """Why there is no answer, as one word."""


async def system_resolver(host: str, port: int) -> Sequence[str]:
    """Every address of a name, as the system sees it."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Sender:
    """`timeout`: seconds for everything, from the name to the end of the answer."""

    def __init__(
        self,
        allowed: Allowed,
        *,
        timeout: float,
        resolve: Resolve = system_resolver,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._allowed = allowed
        self._timeout = timeout
        self._resolve = resolve
        self._trust = trust

    async def post(self, target: Target, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send it; whatever goes wrong is an `Answer` too."""
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(self._timeout):
                reader, writer = await self._connect(target, await self._addresses(target))
                wire, response = await _exchange(reader, writer, _request(target, headers, body), body)
            await _drop_body(reader, wire)
            return Answer(response.status_code, retry_after=_retry_after(response))
        except TimeoutError:
            return Answer(None, "timeout")
        except _Failed as error:
            return Answer(None, str(error))
        except OSError:
            return Answer(None, "connection_lost")
        except h11.RemoteProtocolError:
            return Answer(None, "bad_answer")
        finally:
            if writer is not None:
                writer.transport.abort()

    async def _addresses(self, target: Target) -> Sequence[str]:
        try:
            found = await self._resolve(target.host, target.port)
        except (OSError, UnicodeError):
            raise _Failed("name_not_resolved") from None
        if not found:
            raise _Failed("name_not_resolved")
        if any(self._allowed.refuses(target.host, address) for address in found):
            raise _Failed("address_refused")
        return found[:_TRIED]

    def _tls(self) -> ssl.SSLContext:
        """The system's authorities, read when first needed."""
        if self._trust is None:
            self._trust = ssl.create_default_context()
        return self._trust

    async def _connect(
        self, target: Target, addresses: Sequence[str]
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        context = self._tls() if target.secure else None
        name = target.host.rstrip(".") if target.secure else None
        reason = "connection_failed"
        for address in addresses:
            try:
                return await asyncio.open_connection(
                    address, target.port, ssl=context, server_hostname=name, limit=_HEAD
                )
            except ssl.SSLError:
                reason = "tls_failed"
            except OSError:
                reason = "connection_failed"
        raise _Failed(reason)


def _request(target: Target, headers: Mapping[str, str], body: bytes) -> h11.Request:
    sent = {
        "Host": target.authority,
        "User-Agent": "Flumes-Webhooks/1",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Accept-Encoding": "identity",
        "Connection": "close",
        **headers,
    }
    return h11.Request(method="POST", target=target.path, headers=list(sent.items()))


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: h11.Request, body: bytes
) -> tuple[h11.Connection, h11.Response]:
    """Send all of it, then read until the status is known."""
    wire = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD)
    out = [wire.send(request), wire.send(h11.Data(body)), wire.send(h11.EndOfMessage())]
    writer.write(b"".join(part for part in out if part))
    await writer.drain()
    left = _HEAD
    while left > 0:
        event = wire.next_event()
        if isinstance(event, h11.Response):
            return wire, event
        if event is h11.NEED_DATA:
            left -= await _more(reader, wire)
    raise _Failed("bad_answer")


async def _drop_body(reader: asyncio.StreamReader, wire: h11.Connection) -> None:
    """The answer was given: how its body goes on and ends is nothing to us."""
    left = _BODY
    with suppress(TimeoutError, OSError, h11.RemoteProtocolError):
        async with asyncio.timeout(_LINGER):
            while left > 0 and not isinstance(event := wire.next_event(), (h11.EndOfMessage, h11.ConnectionClosed)):
                if event is h11.NEED_DATA:
                    left -= await _more(reader, wire)


async def _more(reader: asyncio.StreamReader, wire: h11.Connection) -> int:
    """Feed what has come; how many bytes."""
    data = await reader.read(4_096)
    wire.receive_data(data)
    return len(data)


def _retry_after(response: h11.Response) -> float | None:
    """In whole seconds; the form of a date is not read."""
    for name, value in response.headers:
        if name == b"retry-after" and value.isdigit() and len(value) < 10:
            return float(value)
    return None
