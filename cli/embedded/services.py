"""A running `flumes up` leaves a note on where its servers are; the other commands read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from cli.embedded.keyfile import write_secret

_NAMES = (
    "FLUMES_DATABASE_URL",
    "FLUMES_REDIS_URL",
    "FLUMES_QDRANT_URL",
    "FLUMES_QDRANT_API_KEY",
    "FLUMES_KEY_PEPPER",
)


def write_note(run: Path, environment: Mapping[str, str]) -> None:
    """Note the services of this environment, for the owner's eyes only."""
    told = {name: environment[name] for name in _NAMES if environment.get(name)}
    write_secret(run / "services.json", json.dumps(told))


def read_note(run: Path) -> dict[str, str] | None:
    """What a running `flumes up` noted; None when there is no note."""
    try:
        told = json.loads((run / "services.json").read_text(encoding="ascii"))
    except FileNotFoundError:
        return None
    return {name: str(told[name]) for name in _NAMES if name in told}


def remove_note(run: Path) -> None:
    """The servers are going away."""
    (run / "services.json").unlink(missing_ok=True)
