"""The JSON Schema subset of strict answers, and what is wrong with a value against it.

Faults name paths and rules, never a value: they go into logs and events.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MOST_FAULTS = 20

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """A named answer schema: every property required, no others, no limits beyond types and enums."""

    name: str
    schema: dict[str, Any] = field(hash=False)


def faults(value: Any, schema: dict[str, Any], path: str = "") -> list[str]:
    """What is wrong, e.g. `records[0].op: not one of ADD, SAME`; [] = valid. At most 20 entries."""
    return _faults(value, schema, path)[:MOST_FAULTS]


def _faults(value: Any, schema: dict[str, Any], path: str) -> list[str]:
    where = path or "the answer"
    types = schema.get("type", [])
    names = [types] if isinstance(types, str) else types
    if names and not any(_is(value, name) for name in names):
        return [f"{where}: not of type {' or '.join(names)}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{where}: not one of {', '.join(map(str, schema['enum']))}"]
    if isinstance(value, dict):
        return _object_faults(value, schema, path)
    if isinstance(value, list) and "items" in schema:
        return [fault for n, item in enumerate(value) for fault in _faults(item, schema["items"], f"{path}[{n}]")]
    return []


def _is(value: Any, name: str) -> bool:
    if isinstance(value, bool) and name != "boolean":
        return False
    return isinstance(value, _TYPES[name])


def _object_faults(value: dict[str, Any], schema: dict[str, Any], path: str) -> list[str]:
    where = path or "the answer"
    properties = schema.get("properties", {})
    found = [f"{where}: {name} is missing" for name in schema.get("required", []) if name not in value]
    if schema.get("additionalProperties") is False and value.keys() - properties.keys():
        found.append(f"{where}: properties that the schema does not have")
    for name, inner in properties.items():
        if name in value:
            found += _faults(value[name], inner, f"{path}.{name}" if path else name)
    return found
