"""`python -m cli.vector_engine --data-dir DIR --port N`: serves one data directory until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from cli.vector_engine.app import create_app
from cli.vector_engine.catalogue import replace_file
from cli.vector_engine.store import DataDirBroken, DataDirBusy, Store

FLUSH_EVERY = 5.0  # seconds, a Qdrant server's own default; what a killed process did not flush is in its log
BUSY, BROKEN, USAGE = 3, 4, 2
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Engine(uvicorn.Server):
    """uvicorn that tells when it serves and stops without passing the signal on, so that the store gets closed."""

    def __init__(self, config: uvicorn.Config, store: Store, listening: socket.socket, port_file: Path | None) -> None:
        super().__init__(config)
        self._store = store
        self._listening = listening
        self._port_file = port_file

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self._port_file is not None:
            replace_file(self._port_file, f"{self._listening.getsockname()[1]}\n")

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self.handle_exit)
        yield

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        flushing = asyncio.create_task(self._flush_now_and_then())
        try:
            await super().serve(sockets)
        finally:
            flushing.cancel()

    async def _flush_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_EVERY)
            try:
                await asyncio.to_thread(self._store.flush)
            except Exception:
                logging.getLogger("flumes.vector_engine").exception("flush failed; the write-ahead log still holds all")


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 after a signal, 2 wrong use or a taken port, 3 data directory in use, 4 data unreadable."""
    options = _options(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        api_key = _api_key(options.api_key_env, options.host)
        store = Store(options.data_dir)
    except ValueError as error:
        return _refuse(str(error), USAGE)
    except DataDirBusy as error:
        return _refuse(str(error), BUSY)
    except DataDirBroken as error:
        return _refuse(str(error), BROKEN)
    try:
        return _serve(store, api_key, options)
    finally:
        store.close()


def _serve(store: Store, api_key: str | None, options: argparse.Namespace) -> int:
    try:
        listening = _listen(options.host, options.port)
    except OSError as error:
        return _refuse(f"cannot listen on {options.host} --port {options.port}: {error.strerror}", USAGE)
    config = uvicorn.Config(
        create_app(store, api_key),
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        timeout_keep_alive=75,  # longer than clients keep a connection, so the server never closes under a request
        timeout_graceful_shutdown=2,
    )
    Engine(config, store, listening, options.port_file).run([listening])
    return 0


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    return listening


def _api_key(variable: str | None, host: str) -> str | None:
    if variable is None:
        if host not in _LOOPBACK:
            raise ValueError(f"--host {host} is open to others: it needs --api-key-env")
        return None
    key = os.environ.get(variable, "")
    if not key:
        raise ValueError(f"--api-key-env {variable}: the variable is empty")
    return key


def _refuse(message: str, status: int) -> int:
    print(f"vector engine: {message}", file=sys.stderr)
    return status


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m cli.vector_engine", description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True, help="folder of the collections, made when missing")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=6333, help="port to listen on, 0 = a free one")
    parser.add_argument("--port-file", type=Path, help="written with the port once requests are served")
    parser.add_argument("--api-key-env", metavar="NAME", help="environment variable with the key clients must send")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
