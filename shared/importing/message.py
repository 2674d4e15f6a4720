"""One message as other systems write it: other names of roles, of the text, of the time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.importing.errors import BadLine

_ROLES = {
    "user": "user", "human": "user", "customer": "user", "client": "user", "me": "user",
    "assistant": "assistant", "ai": "assistant", "bot": "assistant", "gpt": "assistant", "model": "assistant",
    "chatgpt": "assistant", "claude": "assistant", "bard": "assistant", "bing": "assistant", "agent": "assistant",
    "system": "system", "developer": "system",
    "tool": "tool", "function": "tool", "function_call": "tool", "function_response": "tool", "observation": "tool",
    "ipython": "tool",
}  # fmt: skip
_ROLE_KEYS = ("role", "from", "sender", "author_role")
_TEXT_KEYS = ("content", "text", "value", "message", "body")
_TIME_KEYS = ("timestamp", "created_at", "create_time", "time", "date", "datetime", "ts")
_NAME_KEYS = ("name", "speaker", "author", "username")


def message(raw: object, where: str) -> dict[str, Any]:
    """The message with the names `POST /v1/memories/` uses. Raises `BadLine` naming `where`."""
    if not isinstance(raw, Mapping):
        raise BadLine(f"{where} is no message object")
    name = _first(raw, _NAME_KEYS)
    given = _first(raw, _ROLE_KEYS)
    if given is None and not isinstance(name, str):
        raise BadLine(f"{where} says neither who speaks nor in which role")
    content = _first(raw, _TEXT_KEYS)
    if content is None:
        raise BadLine(f"{where} has no content")
    found: dict[str, Any] = {"role": role_of(given, where), "content": content}
    if isinstance(name, str) and name.strip():
        found["name"] = name.strip()
    stamp = _first(raw, _TIME_KEYS)
    if stamp not in (None, ""):
        found["timestamp"] = seconds(stamp)
    return found


def role_of(given: object, where: str) -> str:
    """A named speaker without a role speaks as a user. Raises `BadLine` for a role nobody knows."""
    if given is None:
        return "user"
    role = _ROLES.get(str(given).strip().lower())
    if role is None:
        raise BadLine(f"{where}: the role {str(given)[:40]!r} is not known")
    return role


def seconds(stamp: object) -> object:
    """Milliseconds since 1970, as JavaScript writes them, in seconds; everything else as it is."""
    number = stamp
    if isinstance(stamp, str) and stamp.strip().isdigit():
        number = int(stamp.strip())
    if isinstance(number, int | float) and not isinstance(number, bool) and number > 100_000_000_000:
        return number / 1000
    return stamp


def _first(raw: Mapping[Any, Any], keys: tuple[str, ...]) -> Any:
    return next((raw[key] for key in keys if raw.get(key) is not None), None)
