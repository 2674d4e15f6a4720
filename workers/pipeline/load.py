"""Stage 1: turn a claimed lane of a scope into one window of messages, and note that its events are in work.

Ends here: events that crash every time or failed too often.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared.db import events, memories, messages, projects, scopes
from shared.db.engine import Session
from shared.db.messages import OpenMessage
from shared.db.scopes import Claim
from shared.model.decision import EventTraits
from shared.model.ids import uuid7
from shared.model.message import CHARS_PER_TOKEN, Message, Rules, Window
from shared.model.repeats import in_a_row
from shared.model.windows import Limits, Waiting, cut, events_of, span
from workers.outcomes import end_event
from workers.parts import Parts
from workers.work import Done, Suspect, Work

LONE_CRASHES = 3  # an event whose work ended its own process this often is not tried again
SUSPECT = 2  # crashes after which an event, alone in its window by then, is given a process of its own

_NOTHING = Done((), ())


def load(parts: Parts, claim: Claim) -> Work | Suspect | Done:
    """The window to work on, or whom to work on apart (the claim stays), or what ended (the claim is given back).

    Nothing is noted under a claim that somebody else took over: such notes would pass for crashes.
    """
    with parts.db.transaction() as session:
        if not scopes.hold(session, claim):
            return _NOTHING
        waiting = messages.waiting(session, claim.scope, claim.lane, parts.settings.backlog_window_messages + 1)
        if not waiting:
            scopes.settle(session, claim, done=claim.pending, done_bytes=0)
            return _NOTHING
        hopeless = _hopeless(parts, waiting[0])
        if hopeless is not None:
            return _end(session, claim, waiting[0].message.event_id, *hopeless)
        if parts.apart is not None and waiting[0].crash_count >= SUSPECT:
            return Suspect(waiting[0].message.event_id)
        return _work(parts, session, claim, _cut(parts, session, claim, waiting))


def _hopeless(parts: Parts, first: OpenMessage) -> tuple[str, str] | None:
    """(code, detail) when the first waiting event must not be tried again."""
    if first.lone_crashes >= LONE_CRASHES:
        return "crashed", f"the worker died {first.lone_crashes} times while it worked on this event alone"
    if first.attempts >= parts.settings.max_attempts:
        return "internal", f"an unexpected error came back in {first.attempts} attempts"
    return None


def _end(session: Session, claim: Claim, event_id: UUID, code: str, detail: str) -> Done:
    ended = end_event(session, claim, event_id, code, detail)
    scopes.settle(session, claim, done=ended.messages, done_bytes=ended.size)
    return Done((), ended.finished)


def _cut(parts: Parts, session: Session, claim: Claim, waiting: Sequence[OpenMessage]) -> tuple[Waiting, ...]:
    settings = parts.settings
    many = claim.pending > settings.window_messages
    much = claim.pending_bytes > settings.window_tokens * CHARS_PER_TOKEN
    limits = (
        Limits(settings.backlog_window_messages, settings.backlog_window_tokens)
        if many or much
        else Limits(settings.window_messages, settings.window_tokens)
    )
    ready = [
        Waiting(item.message, item.window_key, bool(item.crash_count or item.attempts), item.immutable)
        for item in waiting
    ]
    said = span(cut(ready, limits))
    observed = memories.observed_within(session, claim.scope, *said) if said else ()
    return cut(ready, limits, observed)


def _work(parts: Parts, session: Session, claim: Claim, chosen: Sequence[Waiting]) -> Work:
    groups = group([item.message for item in chosen])[: claim.cut]
    taken = sorted((message for same in groups for message in same), key=lambda message: (message.seq, message.index))
    ids = events_of(taken)
    project_id = claim.scope.project_id
    found = events.traits(session, project_id, ids)
    _, rules, timezone = found[ids[0]]
    window = _window(parts, session, claim, taken, rules, timezone).of(tuple(same[0] for same in groups))
    events.start(session, project_id, ids)
    traits: dict[UUID, EventTraits] = {event_id: found[event_id][0] for event_id in ids}
    stamped = messages.stamped(session, project_id, [message.id for message in taken])
    return Work(uuid7(), claim, window, groups, traits, stamped, _keeps_messages(parts, session, project_id))


def _keeps_messages(parts: Parts, session: Session, project_id: UUID) -> bool:
    project = projects.get(session, project_id)
    return bool((project.settings if project else {}).get("index_raw", parts.settings.index_raw))


def _window(
    parts: Parts, session: Session, claim: Claim, taken: Sequence[Message], rules: Rules, timezone: str | None
) -> Window:
    project = projects.get(session, claim.scope.project_id)
    settings = project.settings if project else {}
    earlier = messages.earlier(session, claim.scope, claim.lane, taken[0], parts.settings.earlier_messages)
    return Window(
        tuple(taken),
        tuple(earlier),
        rules if project is None else project.merged(rules),
        str(settings.get("subject") or ""),
        str(settings.get("assistant") or ""),
        timezone or (project.timezone if project else None),
    )


def group(taken: Sequence[Message]) -> tuple[tuple[Message, ...], ...]:
    """Messages in a row that say the same are one for the extractor; what is halved must stay a run of messages."""
    return in_a_row(taken)
