"""A filter inside a query string: JSON, or the `repr` of a Python dict as some clients send it."""

from __future__ import annotations

import ast

import orjson

from shared.errors import BadRequest

_LONGEST = 10_000  # characters
_DEEPEST = 20


def read_literal(given: str, place: str) -> dict[str, object]:
    """The object written there. Raises `BadRequest` when it is neither JSON nor a plain Python literal."""
    if len(given) > _LONGEST or _depth(given) > _DEEPEST:
        raise BadRequest(f"{place} is too long", code="invalid_filter", field=place)
    try:
        found = orjson.loads(given)
    except orjson.JSONDecodeError:
        found = _python(given)
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise BadRequest(f"{place} must be an object, as JSON", code="invalid_filter", field=place)
    return found


def _python(given: str) -> object:
    try:
        return ast.literal_eval(given)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _depth(given: str) -> int:
    """How many brackets are open at most; the parser's stack is bounded before it runs."""
    depth = deepest = 0
    for sign in given:
        depth += (sign in "([{") - (sign in ")]}")
        deepest = max(deepest, depth)
    return deepest
