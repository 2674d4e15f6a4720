"""OpenAI's export (`conversations.json`): a tree of messages a conversation, of which one branch was read last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.importing.errors import BadLine
from shared.importing.message import role_of

_SPOKEN = ("text", "multimodal_text")  # the rest is thinking, code that ran, quotes of pages, the user's own settings


def bodies(value: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What user and assistant said on the branch that is shown; nothing when nobody said anything."""
    mapping = value.get("mapping")
    if not isinstance(mapping, Mapping):
        raise BadLine("`mapping` must be an object of messages")
    said = [found for node in _branch(mapping, value.get("current_node")) if (found := _message(node))]
    default = value.get("create_time")
    for found in said:
        default = found.setdefault("timestamp", default) or default
        if found["timestamp"] is None:
            del found["timestamp"]
    if said:
        name = value.get("conversation_id") or value.get("id")
        yield {"messages": said, **({"conversation": str(name)} if name else {})}


def _branch(mapping: Mapping[str, Any], current: object) -> list[Mapping[str, Any]]:
    """From the root to the current node; without one, to the newest leaf."""
    node = mapping.get(current) if isinstance(current, str) else None
    if node is None:
        leaves = [item for item in mapping.values() if isinstance(item, Mapping) and not item.get("children")]
        node = max(leaves, key=_time, default=None)
    found: list[Mapping[str, Any]] = []
    seen: set[int] = set()
    while isinstance(node, Mapping) and id(node) not in seen:
        seen.add(id(node))
        found.append(node)
        node = mapping.get(str(node.get("parent")))
    return found[::-1]


def _time(node: Mapping[str, Any]) -> float:
    stamp = (node.get("message") or {}).get("create_time")
    return float(stamp) if isinstance(stamp, int | float) else 0.0


def _message(node: Mapping[str, Any]) -> dict[str, Any] | None:
    raw = node.get("message")
    if not isinstance(raw, Mapping) or raw.get("weight") == 0:
        return None
    if (raw.get("metadata") or {}).get("is_visually_hidden_from_conversation"):
        return None
    role = role_of((raw.get("author") or {}).get("role"), "a message")
    text = _text(raw.get("content"))
    if role not in ("user", "assistant") or not text.strip():
        return None
    found: dict[str, Any] = {"role": role, "content": text}
    if isinstance(raw.get("create_time"), int | float):
        found["timestamp"] = raw["create_time"]
    return found


def _text(content: object) -> str:
    if not isinstance(content, Mapping) or content.get("content_type") not in _SPOKEN:
        return ""
    return "\n".join(text for part in content.get("parts") or () if (text := _part(part)))


def _part(part: object) -> str:
    """A picture says nothing; what was spoken into a microphone does."""
    if isinstance(part, str):
        return part
    text = part.get("text") if isinstance(part, Mapping) else None
    return text if isinstance(text, str) else ""
