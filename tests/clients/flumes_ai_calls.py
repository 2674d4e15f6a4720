"""Runs in the client's own environment: one JSON line in (a call), one JSON line out (its answer or error).

Calls flumes-ai as its users do; nothing of this repository is imported.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any


def client(kind: str, url: str, key: str) -> Any:
    """The synchronous or the asynchronous client of the package."""
    from flumes.aio_client import AsyncMemoryClient  # type: ignore[import-not-found,unused-ignore]
    from flumes.client import MemoryClient  # type: ignore[import-not-found,unused-ignore]

    return {"sync": MemoryClient, "async": AsyncMemoryClient}[kind](api_key=key, base_url=url)


def call(target: Any, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
    """One method of the client; messages become the package's own type."""
    from flumes.models import Message  # type: ignore[import-not-found,unused-ignore]

    if name == "add":
        arguments = [[Message(**message) for message in arguments[0]]]
    answer = getattr(target, name)(*arguments, **options)
    return asyncio.run(answer) if asyncio.iscoroutine(answer) else answer


def main(kind: str, url: str, key: str) -> None:
    target = client(kind, url, key)
    for line in sys.stdin:
        name, arguments, options = json.loads(line)
        try:
            answer = {"answer": call(target, name, arguments, options)}
        except Exception as error:  # noqa: BLE001 - the test judges it by name
            answer = {"error": type(error).__name__, "detail": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:4])
