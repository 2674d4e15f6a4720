"""`flumes doctor`: one line a check, each failure with what to do about it."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.text import Text

from cli import screen
from cli.embedded import runtime
from cli.embedded.durability import refuse_unsafe
from cli.embedded.errors import EmbeddedError
from cli.embedded.listener import listen
from cli.embedded.lock import DataDirLock
from cli.embedded.paths import server_user
from shared.settings import Settings

_FREE = 1_000_000_000  # bytes

Check = Callable[[Settings], str]


def run(settings: Settings) -> bool:
    """Print all checks; False when one failed."""
    console = Console(highlight=False, soft_wrap=True)
    fine = True
    for name, check in _checks():
        try:
            line, style = f"ok    {name}: {check(settings)}", "green"
        except (EmbeddedError, OSError) as error:
            line, style, fine = f"FAIL  {name}: {error}", "red", False
        console.print(Text(line, style=style))
    return fine


def _checks() -> Iterator[tuple[str, Check]]:
    yield "python", lambda _: f"{sys.version.split()[0]} on {os.uname().sysname} {os.uname().machine}"
    yield "data directory", _data_dir
    yield "address", _address
    yield "database", _postgres
    yield "redis", _valkey
    yield "vector index", _engine
    yield "extractor", screen.extractor
    yield "search", screen.embeddings


def _data_dir(settings: Settings) -> str:
    place = settings.data_dir.expanduser().resolve()
    parent = next(folder for folder in (place, *place.parents) if folder.is_dir())
    if not os.access(parent, os.W_OK | os.X_OK):
        raise EmbeddedError(f"{parent} is not writable; choose another with --data-dir")
    free = shutil.disk_usage(parent).free
    if free < _FREE:
        raise EmbeddedError(f"{parent} has {free // 1_000_000} MB free; at least 1,000 MB are wanted")
    return f"{place}, {free // 1_000_000_000} GB free{_runs(place)}"


def _runs(place: Path) -> str:
    if not (place / "lock").exists():
        return ", not used yet"
    try:
        DataDirLock(place / "lock").release()
    except EmbeddedError:
        return ", flumes runs on it"
    return ""


def _address(settings: Settings) -> str:
    if "runs on it" in _data_dir(settings):
        return "in use by the flumes that runs here"
    with listen(settings.host, settings.port) as listener:
        host, port = listener.getsockname()[:2]
        return f"{host}:{port} is free"


def _postgres(settings: Settings) -> str:
    if settings.database_url:
        refuse_unsafe(settings.database_url)
        return f"{urlsplit(settings.database_url).hostname or 'socket'} answers and is durable"
    runtime.postgres_programs()
    return f"embedded{', as the user nobody' if server_user() else ''}"


def _valkey(settings: Settings) -> str:
    if settings.redis_url:
        return _reachable(settings.redis_url, 6379)
    runtime.valkey_server()
    return "embedded"


def _engine(settings: Settings) -> str:
    if settings.qdrant_url:
        return _reachable(settings.qdrant_url, 6333)
    runtime.engine_package()
    return "embedded"


def _reachable(url: str, default_port: int) -> str:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(parts.path)
        return f"{parts.path} takes connections"
    address = (parts.hostname or "", parts.port or default_port)
    try:
        socket.create_connection(address, timeout=5).close()
    except OSError as error:
        raise EmbeddedError(f"{address[0]}:{address[1]} cannot be reached: {error}") from None
    return f"{address[0]}:{address[1]} takes connections"
