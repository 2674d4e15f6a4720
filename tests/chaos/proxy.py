"""A proxy on one link between two parts: can go silent, reset, delay, and swallow published wake-ups.

All links of a run share one event loop in a thread of its own. TCP and Unix sockets on either side.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_CHUNK = 65_536
_PUSHED = (b"*3\r\n$7\r\nmessage", b">3\r\n$7\r\nmessage")  # how a published message begins, in both protocols
_SMALL = 4_096

Address = Path | tuple[str, int]


@dataclass(slots=True, eq=False)
class _Connection:
    """Two sockets. `dead`: bytes of either side vanish, and neither side is told."""

    caller: asyncio.StreamWriter
    server: asyncio.StreamWriter | None = None
    dead: bool = False

    def abort(self) -> None:
        for writer in (self.caller, self.server):
            if writer is not None:
                writer.transport.abort()


@dataclass(slots=True)
class Link:
    """One proxied link. `delay`: seconds each chunk may be held, at random; `dropped`: share of wake-ups swallowed."""

    name: str
    target: Address
    delay: float = 0.0
    dropped: float = 0.0
    drops: int = 0
    listening: Address | None = None
    _silent: bool = False
    _open: set[_Connection] = field(default_factory=set)
    _rng: random.Random = field(default_factory=random.Random)

    async def serve(self, caller: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its first byte to its end."""
        connection = _Connection(writer, dead=self._silent)
        self._open.add(connection)
        try:
            if connection.dead:
                await _swallow(caller)
                return
            server, connection.server = await _connect(self.target)
            await asyncio.gather(
                self._pump(connection, caller, connection.server, to_caller=False),
                self._pump(connection, server, writer, to_caller=True),
            )
        except OSError:
            pass  # the part behind is away, or either side reset: both learn it by the close below
        finally:
            connection.abort()
            self._open.discard(connection)

    async def _pump(
        self, connection: _Connection, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, to_caller: bool
    ) -> None:
        with suppress(OSError):
            while chunk := await source.read(_CHUNK):
                if self.delay:
                    await asyncio.sleep(self._rng.uniform(0, self.delay))
                if connection.dead:
                    continue
                if to_caller and self._swallows(chunk):
                    self.drops += 1
                    continue
                sink.write(chunk)
                await sink.drain()
        if to_caller and connection.dead:
            return  # the server hung up, which the caller must not hear of
        raise ConnectionResetError("one side closed")

    def _swallows(self, chunk: bytes) -> bool:
        return (
            self.dropped > 0 and len(chunk) < _SMALL and chunk.startswith(_PUSHED) and self._rng.random() < self.dropped
        )

    def silence(self) -> None:
        """Half-open: what is connected, and whoever connects from now on, hears nothing any more, for ever."""
        self._silent = True
        for connection in self._open:
            connection.dead = True

    def speak(self) -> None:
        """New connections work again; those that went silent stay so."""
        self._silent = False

    def reset(self) -> None:
        """Break every connection."""
        for connection in list(self._open):
            connection.abort()
        self._open.clear()


async def _swallow(reader: asyncio.StreamReader) -> None:
    while await reader.read(_CHUNK):
        pass


async def _connect(target: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if isinstance(target, Path):
        return await asyncio.open_unix_connection(str(target))
    return await asyncio.open_connection(*target)


class Proxies:
    """All links of a run; the methods may be called from any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._thread.start()
        self._servers: list[asyncio.Server] = []
        self.links: dict[str, Link] = {}

    def unix(self, name: str, listen: Path, target: Path) -> Link:
        """A link between Unix sockets."""
        link = Link(name, target)

        async def start() -> None:
            self._servers.append(await asyncio.start_unix_server(link.serve, str(listen)))

        self._call(start())
        link.listening = listen
        self.links[name] = link
        return link

    def tcp(self, name: str, target: tuple[str, int]) -> Link:
        """A link between ports of this machine, listening on a free one."""
        link = Link(name, target)

        async def start() -> tuple[str, int]:
            server = await asyncio.start_server(link.serve, "127.0.0.1", 0)
            self._servers.append(server)
            host, port = server.sockets[0].getsockname()[:2]
            return str(host), int(port)

        link.listening = self._call(start())
        self.links[name] = link
        return link

    def do(self, change: Callable[[], None]) -> None:
        """Run a link's method on the loop that owns it."""

        async def work() -> None:
            change()

        self._call(work())

    def close(self) -> None:
        """Break every connection and end the loop."""
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        for link in self.links.values():
            link.reset()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)
        await asyncio.sleep(0)  # transports that were aborted close their sockets in the loop's next turn

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)
