"""Stage 8: wake the API processes that wait for these events. Best effort: their own poll finds out a second later."""

from __future__ import annotations

from collections import defaultdict

from shared.crashpoints import reach
from shared.wakeups import Wake
from workers.parts import Parts
from workers.work import Done


def notify(parts: Parts, done: Done) -> None:
    """Publish each finished (or snoozed) event on the channel of the process that accepted it."""
    reach("notify.before")
    channels: dict[str, list[Wake]] = defaultdict(list)
    for event in done.finished:
        if event.reply_to:
            channels[event.reply_to].append(Wake(event.event_id, done.snoozed))
    for channel, wakes in channels.items():
        parts.waker.publish(channel, wakes)
