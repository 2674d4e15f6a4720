"""What callers were promised, one JSON line each, written the moment the promise was given and never changed.

The checker knows nothing of the writers but this file.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Promise:
    """An acknowledged write. `facts`: what must be served; for a patch the new text, for a delete nothing.

    `kind`: add | raw | patch | delete. `memory_id` and `before`: what a patch or delete changed.
    """

    kind: str
    scope: dict[str, str]
    facts: list[str] = field(default_factory=list)
    key: str = ""
    event_id: str = ""
    status: int = 0
    results: list[dict[str, Any]] = field(default_factory=list)
    memory_id: str = ""
    before: str = ""


class Ledger:
    """Appends from many threads."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()
        self.adds = 0
        self.edits = 0

    def write(self, promise: Promise) -> None:
        """One line, flushed: a runner that dies leaves a whole list."""
        with self._lock:
            self._file.write(json.dumps(asdict(promise)) + "\n")
            self._file.flush()
            if promise.kind in ("add", "raw"):
                self.adds += 1
            else:
                self.edits += 1

    def close(self) -> None:
        self._file.close()


def read(path: Path) -> Iterator[Promise]:
    """The promises in the order they were given."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield Promise(**json.loads(line))
