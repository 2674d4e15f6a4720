"""The load generator, a process of its own: `python -m tests.bench.load` obeys one JSON order a line on stdin.

It answers each with one JSON line on stdout, and ends when stdin closes, that is with the process that started it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import orjson

from tests.bench import bare_insert, replay, requests

Order = Callable[..., dict[str, Any]]

ORDERS: dict[str, Order] = {
    "add": requests.add,
    "enqueue": requests.enqueue,
    "fill": requests.fill,
    "get": requests.get,
    "search": requests.search,
    "replay": replay.replay,
    "insert": bare_insert.insert,
}


def main() -> None:
    """Obey until stdin ends."""
    for line in sys.stdin.buffer:
        order = orjson.loads(line)
        try:
            answer: dict[str, Any] = ORDERS[order.pop("order")](**order)
        except Exception as error:  # noqa: BLE001 - the process that ordered it must learn why
            answer = {"failed": f"{type(error).__name__}: {error}"}
        try:
            sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            return  # killed meanwhile: nobody is left to tell


if __name__ == "__main__":
    main()
