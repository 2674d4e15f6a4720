"""ShareGPT's shape: `{"id": …, "conversations": [{"from": "human", "value": …}]}`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.importing.plain import listed


def bodies(value: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One group a conversation; it carries no times, unless a message does."""
    yield from listed(value["conversations"], {**value, "messages": None})
