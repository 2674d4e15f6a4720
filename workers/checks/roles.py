"""Who may state what: people speak for themselves, an unnamed assistant only of its own deeds, machines not at all."""

from __future__ import annotations

from collections.abc import Sequence

from shared.model.message import Message
from shared.model.record import Record


def may_not_state(record: Record, cited: Sequence[Message]) -> str | None:
    """Why these messages (at least one; the first states it) cannot carry the record; None where they can."""
    silent = next((message.role for message in cited if message.role in ("system", "tool")), None)
    if silent:
        return f"a {silent} message is no source"
    first = cited[0]
    if record.kind == "instruction" and first.role != "user":
        return "only a user's own wish is an instruction"
    if first.role == "assistant" and first.speaker is None:
        if record.about != "assistant":
            return "an unnamed assistant is a source only for what it did itself (about = assistant)"
        if record.op == "RETRACT":
            return "only a person may take a memory back"
    return None
