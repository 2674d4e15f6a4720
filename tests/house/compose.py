"""docker-compose.yml as the compose command would see it: anchors merged, variables filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from tests.house.tree import ROOT

REQUIRED = ("POSTGRES_PASSWORD", "POSTGRES_APP_PASSWORD", "REDIS_PASSWORD", "QDRANT_API_KEY", "FLUMES_KEY_PEPPER")
ROLES = ("migrate", "api", "worker")
STORES = ("postgres", "redis", "qdrant")
_VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?::([-?])([^}]*))?\}")


class MissingVariable(Exception):
    """A variable written `${NAME:?message}` has no value."""


def load(variables: Mapping[str, str]) -> dict[str, Any]:
    """The file with `variables`. Raises MissingVariable as the compose command would refuse to start."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    filled: dict[str, Any] = _filled(document, variables)
    return filled


def _filled(node: Any, variables: Mapping[str, str]) -> Any:
    match node:
        case dict():
            return {key: _filled(value, variables) for key, value in node.items()}
        case list():
            return [_filled(value, variables) for value in node]
        case str():
            return _VARIABLE.sub(lambda found: _value(found, variables), node)
        case _:
            return node


def _value(found: re.Match[str], variables: Mapping[str, str]) -> str:
    name, kind, rest = found.groups()
    if name is None:
        return "$"
    if value := variables.get(name):
        return value
    if kind == "?":
        raise MissingVariable(f"{name}: {rest}")
    return rest or ""
