"""The embedded Valkey: bells and wake-ups over a Unix socket. Nothing in it matters, yet it survives a kill -9."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from urllib.parse import quote

from cli.embedded import environment, runtime
from cli.embedded.child import Child, Command, tail
from cli.embedded.errors import EmbeddedError
from cli.embedded.paths import Layout, release_socket_folder, socket_folder

_SOCKET = "valkey.sock"
_STOP_GRACE = 10.0
_BROKEN = "Bad file format reading the append only file"


class Valkey:
    """One server with its append-only file in `layout.valkey`."""

    name = "valkey"

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._note = layout.run / "valkey-sockets"
        self._log = layout.logs / "valkey.log"
        self._sockets: Path | None = None
        self.child: Child | None = None

    @property
    def socket(self) -> Path:
        """Where it listens."""
        if self._sockets is None:
            raise EmbeddedError("valkey was not started")
        return self._sockets / _SOCKET

    @property
    def url(self) -> str:
        """In redis-py's form; Celery's is made of it by `shared.queue`."""
        return f"unix://{quote(str(self.socket), safe='/')}?db=0"

    def start(self) -> None:
        """Spawn the server. Raises EmbeddedError when there is none for this machine."""
        data = self._layout.valkey
        data.mkdir(mode=0o700, exist_ok=True)
        self._set_broken_file_aside()
        if self._sockets is None:  # a restart keeps the address
            self._sockets = socket_folder(data, _SOCKET, self._note, None)
        self.socket.unlink(missing_ok=True)
        self.child = Child(self._command())

    def ready(self) -> bool:
        """Whether it answers a ping, which it does not while it loads its file."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1)
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False

    def stop(self) -> None:
        """Ask it to write its file and end."""
        if self.child is not None:
            self.child.stop(_STOP_GRACE)
        self.child = self._sockets = None
        release_socket_folder(self._note)

    def _set_broken_file_aside(self) -> None:
        """A file that stopped the last start would stop every start; nothing in it is missed."""
        file = self._layout.valkey / "appendonlydir"
        if _BROKEN in tail(self._log, 5) and file.exists():
            file.replace(file.with_name(f"broken-{time.time_ns()}"))

    def _command(self) -> Command:
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self._layout.valkey),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "loglevel": "notice",
        }
        argv = [str(runtime.valkey_server())]
        argv += [word for name, value in options.items() for word in (f"--{name}", value)]
        return Command(argv, environment.server(os.environ), self._log)
