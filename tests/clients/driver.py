"""Runs inside a client's own environment: one JSON call a line on stdin, one JSON answer a line on stdout.

usage: driver.py MODULE CLASS KEYWORDS. Standard library only; the client is imported by name and used as it is.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from typing import Any


def answer(client: Any, call: dict[str, Any]) -> dict[str, Any]:
    """What the client's method returned, or the type and text of what it raised."""
    try:
        returned = getattr(client, call["method"])(*call["args"], **call["keywords"])
        return {"returned": asyncio.run(returned) if asyncio.iscoroutine(returned) else returned}
    except Exception as error:  # noqa: BLE001 - whatever a client raises is the answer
        return {"raised": type(error).__name__, "text": str(error)}


def main(module: str, name: str, keywords: str) -> None:
    """Serve calls until stdin ends."""
    client = getattr(importlib.import_module(module), name)(**json.loads(keywords))
    for line in sys.stdin:
        print(json.dumps(answer(client, json.loads(line))), file=sys.__stdout__, flush=True)


if __name__ == "__main__":
    sys.stdout = sys.stderr  # what a client prints is not an answer
    main(*sys.argv[1:])
