"""LoCoMo's shape: dated sessions of two named people. A shared photo is told by its caption.

Source of the shape: Maharana et al., "Evaluating Very Long-Term Conversational Memory of LLM Agents" (2024).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.importing.errors import BadLine

_SESSION = re.compile(r"session_(\d+)")
_STEP = timedelta(seconds=1)  # turns carry no time of their own: they follow their session's, in order


def bodies(value: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One group a session, oldest first; both people speak as users under their names."""
    talk = value.get("conversation")
    if not isinstance(talk, Mapping):
        raise BadLine("`conversation` must be an object of sessions")
    name = value.get("sample_id")
    beside = {} if name is None else {"conversation": str(name)}
    for number in sorted(int(match[1]) for key in talk if (match := _SESSION.fullmatch(key)) and talk[key]):
        yield {"messages": _turns(talk, number), **beside}


def moment(text: str) -> datetime:
    """`1:56 pm on 8 May, 2023`, read as UTC. Raises ValueError."""
    return datetime.strptime(text.strip(), "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)


def _turns(talk: Mapping[str, Any], number: int) -> list[dict[str, Any]]:
    try:
        start = moment(str(talk[f"session_{number}_date_time"]))
    except (KeyError, ValueError):
        raise BadLine(f"session_{number}_date_time is missing or no time") from None
    try:
        return [
            {"role": "user", "name": str(turn["speaker"]), "content": _text(turn),
             "timestamp": (start + place * _STEP).isoformat()}
            for place, turn in enumerate(talk[f"session_{number}"])
        ]  # fmt: skip
    except (KeyError, TypeError):
        raise BadLine(f"session_{number} holds a turn without speaker or text") from None


def _text(turn: Mapping[str, Any]) -> str:
    caption = turn.get("blip_caption")
    return f"{turn['text']} [shares {caption}]" if caption else str(turn["text"])
