"""The vector engine as a child process: speaks Qdrant's REST routes on a local port, behind a key."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cli.embedded import environment
from cli.embedded.child import Child, Command
from cli.embedded.errors import EmbeddedError
from cli.embedded.paths import Layout
from cli.embedded.probe import answers_ok

_HOST = "127.0.0.1"
_KEY = "FLUMES_QDRANT_API_KEY"
_STOP_GRACE = 15.0


class VectorEngine:
    """One engine on `layout.vectors`. It picks a free port at the first start and keeps it for every later one."""

    name = "vector-engine"

    def __init__(self, layout: Layout, *, api_key: str) -> None:
        self._layout = layout
        self._api_key = api_key
        self._port_file = layout.run / "vector-engine-port"
        self._port = 0
        self.child: Child | None = None

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`; known once it was ready."""
        if not self._port:
            raise EmbeddedError("the vector engine was not started")
        return f"http://{_HOST}:{self._port}"

    def start(self) -> None:
        """Spawn it."""
        self._layout.vectors.mkdir(mode=0o700, exist_ok=True)
        self._port_file.unlink(missing_ok=True)
        self.child = Child(self._command())

    def ready(self) -> bool:
        """Whether it has said its port and answers there."""
        if not self._port:
            self._port = _read_port(self._port_file)
        return bool(self._port) and answers_ok(_HOST, self._port, "/readyz")

    def stop(self) -> None:
        """Ask it to flush and end."""
        if self.child is not None:
            self.child.stop(_STOP_GRACE)
        self.child = None

    def _command(self) -> Command:
        argv = [sys.executable, "-m", "cli.vector_engine", "--data-dir", str(self._layout.vectors)]
        argv += ["--port", str(self._port), "--port-file", str(self._port_file)]
        argv += ["--api-key-env", _KEY]  # on the command line every user of the machine could read it
        secret = {_KEY: self._api_key}
        env = environment.program(environment.isolated(os.environ), own_database=True, extra=secret)
        return Command(argv, env, self._layout.logs / "vector-engine.log", cwd=self._layout.vectors)


def _read_port(file: Path) -> int:
    try:
        text = file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return 0
    return int(text) if text.isdigit() else 0
