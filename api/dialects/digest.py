"""A summary without a model: the newest statements of each kind, in their own words. The shape is the same with one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.model.memory import Memory

_EACH = 25  # statements of a kind


def summary(memories: Sequence[Memory]) -> dict[str, Any]:
    """`memories` newest first; the text names how many of a kind there are beyond those it tells."""
    kinds: dict[str, list[str]] = {}
    for memory in memories:
        kinds.setdefault(memory.kind, []).append(memory.text)
    lines = [_line(kind, texts) for kind, texts in sorted(kinds.items())]
    return {
        "summary": "\n".join(lines),
        "source": "digest",
        "total": len(memories),
        "kinds": {kind: len(texts) for kind, texts in sorted(kinds.items())},
        "from": min(memory.created_at for memory in memories).isoformat(),
        "to": max(memory.created_at for memory in memories).isoformat(),
    }


def written(memories: Sequence[Memory], text: str, covered: int) -> dict[str, Any]:
    """The same around what a model wrote about the newest `covered` of them."""
    return summary(memories) | {"summary": text, "source": "model", "covered": covered}


def _line(kind: str, texts: Sequence[str]) -> str:
    rest = f" (and {len(texts) - _EACH} older)" if len(texts) > _EACH else ""
    told = "; ".join(text.rstrip(" .") for text in texts[:_EACH])
    return f"{kind.replace('_', ' ').capitalize()}: {told}.{rest}"
