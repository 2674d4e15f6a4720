"""Runs inside a client's own environment: one JSON call a line on stdin, one JSON answer a line on stdout.

usage: driver.py MODULE CLASS KEYWORDS. Standard library only; the client is imported by name and used as it is.
A method may be one of a part (`project.get`); `.methods` answers with the names of all public methods. An argument
`{"__class__": "module.Class", ...}` is an object of that class.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from operator import attrgetter
from typing import Any


def answer(client: Any, call: dict[str, Any], loop: asyncio.Runner) -> dict[str, Any]:
    """What the client's method returned, or the type and text of what it raised."""
    try:
        if call["method"] == ".methods":
            return {"returned": methods(client, call["args"])}
        given = {name: built(value) for name, value in call["keywords"].items()}
        returned = attrgetter(call["method"])(client)(*map(built, call["args"]), **given)
        return {"returned": loop.run(returned) if asyncio.iscoroutine(returned) else returned}
    except Exception as error:  # noqa: BLE001 - whatever a client raises is the answer
        return {"raised": type(error).__name__, "text": str(error)}


def methods(client: Any, parts: list[str]) -> list[str]:
    """Public methods of the client and of its named parts."""
    owners = [("", client), *((f"{part}.", getattr(client, part)) for part in parts)]
    return sorted(
        prefix + name
        for prefix, owner in owners
        for name in dir(type(owner))
        if not name.startswith("_") and callable(getattr(type(owner), name))
    )


def built(value: Any) -> Any:
    """A plain value, or an object of the class it names."""
    if not isinstance(value, dict) or "__class__" not in value:
        return value
    module, _, name = value["__class__"].rpartition(".")
    return getattr(importlib.import_module(module), name)(**{k: v for k, v in value.items() if k != "__class__"})


def main(module: str, name: str, keywords: str) -> None:
    """Serve calls until stdin ends; when the client cannot be made, each is answered by why."""
    client: Any = None
    failed: dict[str, Any] | None = None
    try:
        given = {key: built(value) for key, value in json.loads(keywords).items()}
        client = getattr(importlib.import_module(module), name)(**given)
    except Exception as error:  # noqa: BLE001 - as in `answer`
        failed = {"raised": type(error).__name__, "text": str(error)}
    with asyncio.Runner() as loop:
        for line in sys.stdin:
            if failed is not None:
                print(json.dumps(failed), file=sys.__stdout__, flush=True)
                continue
            print(json.dumps(answer(client, json.loads(line), loop)), file=sys.__stdout__, flush=True)


if __name__ == "__main__":
    sys.stdout = sys.stderr  # what a client prints is not an answer
    main(*sys.argv[1:])
