"""The JSON Schema of an export, as callers write it, in the strict subset that chat models are held to.

Every property becomes required, and may be null where the caller did not require it; nothing else may be added.
"""

from __future__ import annotations

from typing import Any

import orjson

from shared.errors import BadRequest

_DEEPEST = 8
_MOST = 200  # properties and list items in all
_TYPES = ("string", "number", "integer", "boolean", "null", "object", "array")
_SCALARS = ("string", "number", "boolean")
_SAYING = {"type", "properties", "items", "$ref", "anyOf", "oneOf", "allOf", "enum", "const"}


def strict(given: object) -> dict[str, Any] | None:
    """The strict schema; None where nothing is asked to be filled in. Raises `BadRequest` naming the place."""
    schema = _read(given)
    if not _SAYING & schema.keys():
        return None
    reader = _Reader(schema)
    found = reader.node(schema, "schema", 0)
    if found["type"] != "object":
        raise _refused("schema", "must describe an object")
    return found if found["properties"] else None


def _read(given: object) -> dict[str, Any]:
    """An object, which some clients send as text."""
    if isinstance(given, str) and given.strip():
        try:
            given = orjson.loads(given)
        except orjson.JSONDecodeError:
            raise _refused("schema", "is not valid JSON") from None
    if given in (None, ""):
        return {}
    if not isinstance(given, dict):
        raise _refused("schema", "must be a JSON Schema object")
    return given


def _refused(place: str, why: str) -> BadRequest:
    return BadRequest(f"{place} {why}", code="invalid_schema", field=place)


class _Reader:
    """Reads one schema; counts how much there is of it."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._nodes = 0

    def node(self, given: object, place: str, depth: int) -> dict[str, Any]:
        """One place of the schema."""
        self._nodes += 1
        if depth > _DEEPEST or self._nodes > _MOST:
            raise _refused(place, "is too deep or too long")
        schema, nullable = self._resolved(given, place)
        types = _types(schema, place)
        if nullable and "null" not in types:
            types.append("null")
        said = {name: str(schema[name])[:1_000] for name in ("description",) if schema.get(name)}
        if "object" in types or "array" in types:
            return said | self._compound(schema, types, place, depth)
        choices = _choices(schema, types, place)
        return said | {"type": types[0] if len(types) == 1 else types} | choices

    def _compound(self, schema: dict[str, Any], types: list[str], place: str, depth: int) -> dict[str, Any]:
        kind = "object" if "object" in types else "array"
        if set(types) - {kind, "null"}:
            raise _refused(place, "may be an object, a list or a single value, but not several of these")
        named: Any = [kind, "null"] if "null" in types else kind
        if kind == "array":
            return {"type": named, "items": self.node(schema.get("items", {}), f"{place}.items", depth + 1)}
        properties = schema.get("properties", {})
        if not isinstance(properties, dict) or any("\0" in name for name in properties):
            raise _refused(f"{place}.properties", "must be an object of names")
        if not properties and schema.get("additionalProperties") and depth:
            raise _refused(place, "must name its properties: free ones cannot be filled in")
        required = schema.get("required")
        wanted = [*required] if isinstance(required, list) else []
        made = {name: self.node(inner, f"{place}.{name}", depth + 1) for name, inner in properties.items()}
        optional = {name: _or_null(one) if name not in wanted else one for name, one in made.items()}
        return {"type": named, "properties": optional, "required": list(made), "additionalProperties": False}

    def _resolved(self, given: object, place: str) -> tuple[dict[str, Any], bool]:
        """Without references and without the `anyOf` by which optional values are written; whether null is among it."""
        nullable = False
        for _ in range(_DEEPEST):
            if not isinstance(given, dict):
                raise _refused(place, "must be a JSON Schema object")
            several = given.get("anyOf") or given.get("oneOf") or given.get("allOf")
            if "$ref" in given:
                given = self._referred(given["$ref"], place)
            elif isinstance(several, list) and several:
                rest = [one for one in several if not (isinstance(one, dict) and one.get("type") == "null")]
                nullable = nullable or len(rest) < len(several)
                beside = {name: value for name, value in given.items() if name == "description"}
                given = self._one_of(rest, place) | beside
            else:
                return given, nullable
        raise _refused(place, "refers to itself")

    def _one_of(self, several: list[Any], place: str) -> dict[str, Any]:
        """The only alternative, or the types of several single values together."""
        if len(several) == 1 and isinstance(several[0], dict):
            return several[0]
        types = [one.get("type") if isinstance(one, dict) else None for one in several]
        if not several or any(one not in (*_SCALARS, "integer") for one in types):
            raise _refused(place, "has alternatives that cannot be told apart")
        return {"type": types}

    def _referred(self, reference: object, place: str) -> Any:
        found: Any = self._root
        if not isinstance(reference, str) or not reference.startswith("#/"):
            raise _refused(place, "may only refer to the schema's own definitions")
        for part in reference[2:].split("/"):
            found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
        if found is None:
            raise _refused(place, "refers to a definition that is not there")
        return found


def _types(schema: dict[str, Any], place: str) -> list[str]:
    named = schema.get("type")
    if named is None:
        return ["object"] if "properties" in schema else ["array"] if "items" in schema else [*_SCALARS, "null"]
    types = [named] if isinstance(named, str) else named
    if not isinstance(types, list) or not types or any(one not in _TYPES for one in types):
        raise _refused(f"{place}.type", f"must be of {', '.join(_TYPES)}")
    return list(dict.fromkeys(types))


def _choices(schema: dict[str, Any], types: list[str], place: str) -> dict[str, Any]:
    """`enum` and `const`."""
    choices = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if choices is None:
        return {}
    if (
        not isinstance(choices, list)
        or not 1 <= len(choices) <= _MOST
        or any(isinstance(one, dict | list) for one in choices)
    ):
        raise _refused(f"{place}.enum", f"must be a list of 1 to {_MOST} single values")
    return {"enum": [*choices, None] if "null" in types and None not in choices else choices}


def _or_null(node: dict[str, Any]) -> dict[str, Any]:
    """The same, or null."""
    types = node["type"] if isinstance(node["type"], list) else [node["type"]]
    with_null = node if "null" in types else {**node, "type": [*types, "null"]}
    if "enum" in with_null and None not in with_null["enum"]:
        return {**with_null, "enum": [*with_null["enum"], None]}
    return with_null
