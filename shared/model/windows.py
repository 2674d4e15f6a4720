"""How pending messages are cut into windows: pure rules over rows in accept order."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.model.message import Message, Rules, tokens


@dataclass(frozen=True, slots=True)
class Limits:
    """A window holds at most `messages` messages and `tokens` tokens, but always at least one message."""

    messages: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pending message with what decides whether it may share a window.

    `alone`: its event crashed before. `immutable`: what its event states may not be changed by what follows.
    """

    message: Message
    window_key: bytes
    alone: bool = False
    immutable: bool = False


def window_key(rules: Rules, timezone: str | None) -> bytes:
    """16 bytes: equal for events whose messages may share one prompt."""
    parts = (rules.instructions, rules.includes, rules.excludes, "\x1f".join(rules.categories), timezone or "")
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).digest()


def cut(waiting: Sequence[Waiting], limits: Limits, observed: Sequence[datetime] = ()) -> tuple[Waiting, ...]:
    """The longest prefix that may be worked on together: one window key, within the limits, suspects alone.

    `observed`: when current memories of the scope were last observed. A window never goes back in time and never
    spans such a moment, so that all its messages are late for a memory or none is, as if they had come one by one.
    """
    if not waiting:
        return ()
    first = waiting[0]
    chosen = [first]
    used = tokens(first.message.text)
    moments = sorted(observed)
    for item in waiting[1 : limits.messages]:
        used += tokens(item.message.text)
        if used > limits.tokens or not _may_join(first, item) or not _may_follow(chosen[-1], item, moments):
            break
        chosen.append(item)
    return tuple(chosen)


def span(waiting: Sequence[Waiting]) -> tuple[datetime, datetime] | None:
    """When these messages were said, from the first to the last of them; None when that is one moment or none."""
    said = [item.message.said_at for item in waiting]
    return (min(said), max(said)) if said and min(said) < max(said) else None


def _may_join(first: Waiting, item: Waiting) -> bool:
    if first.alone or item.alone:
        return item.message.event_id == first.message.event_id
    return item.window_key == first.window_key


def _may_follow(before: Waiting, item: Waiting, observed: Sequence[datetime]) -> bool:
    if before.immutable and item.message.event_id != before.message.event_id:
        return False
    earlier, later = before.message.said_at, item.message.said_at
    return earlier <= later and bisect_right(observed, earlier) == bisect_right(observed, later)


def share_out(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` over `weights` so that the parts add up exactly; the largest remainders get the rest."""
    whole = sum(weights)
    if not whole:
        return [total, *([0] * (len(weights) - 1))] if weights else []
    exact = [total * weight / whole for weight in weights]
    parts = [int(value) for value in exact]
    order = sorted(range(len(parts)), key=lambda index: exact[index] - parts[index], reverse=True)
    for index in order[: total - sum(parts)]:
        parts[index] += 1
    return parts


def events_of(messages: Sequence[Message]) -> list[UUID]:
    """The events behind these messages, each once, in order."""
    return list(dict.fromkeys(message.event_id for message in messages))
