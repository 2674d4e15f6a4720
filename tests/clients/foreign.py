"""A third-party client in a process of its own environment, called as if it were here."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cli.embedded import environment

ROOT = Path(__file__).parents[2]


class ClientError(Exception):
    """The client raised; `kind` is the name of its exception."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind = kind
        self.text = text


class ForeignClient:
    """`name` is the lock's: `make clients` builds `.venv-clients/<name>` from `tests/clients/<name>.lock`."""

    def __init__(
        self, name: str, module: str, kind: str, env: Mapping[str, str] | None = None, **keywords: object
    ) -> None:
        python = ROOT / ".venv-clients" / name / "bin" / "python"
        assert python.exists(), "run `make clients` first"
        clean = environment.program(environment.isolated(os.environ), own_database=True, extra=env or {})
        clean.pop("PYTHONPATH", None)
        argv = [str(python), str(Path(__file__).with_name("driver.py")), module, kind, json.dumps(keywords)]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=clean)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=10)

    def call(self, method: str, *args: Any, **keywords: Any) -> Any:
        """What the method returns. Raises `ClientError`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({"method": method, "args": args, "keywords": keywords}), file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline())
        if "raised" in answer:
            raise ClientError(answer["raised"], answer["text"])
        return answer["returned"]
