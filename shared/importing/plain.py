"""Messages as everybody writes them: a body with `messages`, a list of messages, one message a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.importing.errors import BadLine
from shared.importing.message import message

# What a line may say beside its messages; the rest of it is left where it is.
KEPT = (
    "user_id", "agent_id", "app_id", "run_id", "metadata", "infer", "timestamp", "timezone", "custom_instructions",
    "includes", "excludes", "custom_categories", "expiration_date", "immutable",
)  # fmt: skip
_CONVERSATION = ("conversation_id", "conversation", "thread_id", "session_id", "chat_id", "id")


def body(value: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Our own lines and mem0's `add` bodies: `messages` is a list, one message, or a text said by the user."""
    messages = value["messages"]
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    elif isinstance(messages, Mapping):
        messages = [messages]
    yield from listed(messages, value)


def listed(messages: object, beside: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A list of messages. Raises `BadLine` for anything else and for an empty one."""
    if not isinstance(messages, Sequence) or isinstance(messages, str) or not messages:
        raise BadLine("`messages` must be a list of at least one message")
    found = [message(raw, f"messages[{place}]") for place, raw in enumerate(messages)]
    yield {"messages": found, **around(beside)}


def single(value: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One message, with its ids beside it."""
    found = message(value, "the line")
    yield {"messages": [found], **{name: part for name, part in around(value).items() if name != "timestamp"}}


def around(value: Mapping[str, Any]) -> dict[str, Any]:
    """What belongs to the whole group; `conversation` names it where the log does."""
    found = {name: value[name] for name in KEPT if value.get(name) is not None}
    name = next((value[key] for key in _CONVERSATION if isinstance(value.get(key), str | int) and value[key]), None)
    return found if name is None else {**found, "conversation": str(name)}
