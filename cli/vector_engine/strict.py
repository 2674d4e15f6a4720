"""Reads JSON objects strictly: a key nobody asked for is an error, so nothing in a request is ever ignored silently."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cli.vector_engine.errors import bad_request, unsupported


class Fields:
    """A JSON object whose keys are taken one by one; `null` counts as absent, as it does for Qdrant."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise bad_request(f"{where}: expected an object")
        self._left: dict[str, Any] = {key: item for key, item in value.items() if item is not None}
        self._where = where

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def __bool__(self) -> bool:
        return bool(self._left)

    def take(self, key: str, default: Any = None) -> Any:
        """The value, or the default when absent."""
        return self._left.pop(key, default)

    def need(self, key: str) -> Any:
        """The value; absent → 400."""
        if key not in self._left:
            raise bad_request(f"{self._where}: missing field `{key}`")
        return self._left.pop(key)

    def integer(self, key: str, default: int | None = None, least: int = 0) -> int | None:
        """A whole number of at least `least`."""
        value = self._left.pop(key, default)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
            raise bad_request(f"{self._where}.{key}: expected an integer of at least {least}")
        return value

    def number(self, key: str) -> float | None:
        """A number."""
        value = self._left.pop(key, None)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise bad_request(f"{self._where}.{key}: expected a number")
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """A boolean."""
        value = self._left.pop(key, default)
        if not isinstance(value, bool):
            raise bad_request(f"{self._where}.{key}: expected true or false")
        return value

    def text(self, key: str) -> str | None:
        """A string."""
        value = self._left.pop(key, None)
        if value is not None and not isinstance(value, str):
            raise bad_request(f"{self._where}.{key}: expected a string")
        return value

    def array(self, key: str) -> list[Any] | None:
        """A list; one object counts as a list of one."""
        value = self._left.pop(key, None)
        if isinstance(value, dict):
            return [value]
        if value is not None and not isinstance(value, list):
            raise bad_request(f"{self._where}.{key}: expected a list")
        return value

    def only(self, key: str, allowed: Iterable[object]) -> None:
        """Takes a key of which just these values mean what the engine does anyway."""
        value = self._left.pop(key, None)
        if value is not None and value not in allowed:
            raise unsupported(f"{self._where}.{key} = {value!r}")

    def done(self) -> None:
        """Whatever is left is unsupported."""
        if self._left:
            raise unsupported(", ".join(f"{self._where}.{key}" for key in sorted(self._left)))
