"""The dates of a memory whose text a user rewrote: those that the new words name, where these differ from the old."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shared.model.grounding import mentions
from shared.model.memory import Memory
from shared.model.times import parse_partial


def redated(old: Memory, text: str, now: datetime) -> dict[str, Any]:
    """The fields of a date that change with the new text, as said `now` in the offset of its writer; {} for none.

    A text that names the dates of the old one, or that names none as the old one did, keeps what is known; one that
    leaves the old dates out and names no others has none.
    """
    before, after = _named(old.text, now), _named(text, now)
    if before == after:
        return {}
    when, until = after[0] if after else (None, None)
    start, end = parse_partial(when) if when else None, parse_partial(until) if until else None
    return {
        "happens_at": start.at if start else None,
        "happens_until": end.at if end else None,
        "precision": start.precision if start else None,
    }


def _named(text: str, now: datetime) -> list[tuple[str, str | None]]:
    return [(mention.moment.value, mention.moment.until) for mention in mentions(text, now)]
