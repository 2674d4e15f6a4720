"""What becomes of a window whose stages raised: done, snooze, narrow, fail with a code, retry, or give way.

A failure is never an empty success, and nothing accepted is dropped: every branch writes down why.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from shared import metrics
from shared.db import attempts, breakers, events, messages, scopes
from shared.db.engine import Session
from shared.db.events import Finished, Progress
from shared.db.scopes import Claim
from shared.errors import Snooze, Unavailable, WorkError
from shared.logs import get_logger
from shared.model.record import Usage
from shared.provider.deadline import time_limit
from shared.vectors.failures import PROVIDER as INDEX
from workers.counting import count_usage
from workers.parts import Parts
from workers.work import Done, Shorter, Stale, Work

Remember = Callable[[Parts, Work], Done]

_RETRY_BASE, _RETRY_CAP = 1.0, 60.0
_COMMITTING = 3.0  # seconds of an attempt that are kept for what follows the last answer of a provider
_NOTHING = Done((), ())

_log = get_logger(__name__)


def attempt(parts: Parts, work: Work, remember: Remember) -> Done:
    """Run `remember` on the window once, within what the claim's lease leaves; a window at fault is tried smaller next.

    Raises `Unavailable` when Postgres is away: then nothing can be written down, and the claim is given back later.
    """
    began = time.monotonic()
    try:
        with time_limit(max(1.0, parts.settings.attempt_deadline - _COMMITTING)):
            outcome, done = "done", remember(parts, work)
        metrics.WINDOW_MESSAGES.observe(len(work.messages))
    except Unavailable:
        raise
    except (Stale, Shorter, WorkError) as reason:
        outcome, done = _settle(parts, work, reason)
    except Exception:  # noqa: BLE001 - written down as an attempt, tried again, then FAILED `internal`
        _log.exception("window_failed", messages=len(work.messages), scope=str(work.claim.scope.scope_id))
        outcome, done = "retry", _retry(parts, work)
    metrics.WINDOWS.labels(outcome).observe(time.monotonic() - began)
    return done


def _settle(parts: Parts, work: Work, reason: Stale | Shorter | WorkError) -> tuple[str, Done]:
    """(name of the outcome, what it left) of a window that did not become memories."""
    if isinstance(reason, Stale):
        return "stale", _NOTHING
    if isinstance(reason, Shorter):
        return "narrowed", _narrow(parts, work, reason)
    spent = _spent(reason)
    if reason.provider == INDEX:  # an engine that refuses us waits for its operator, like one that is away
        reason = Snooze(reason.detail, code="index_unavailable", provider=INDEX, retry_after=reason.retry_after)
    if isinstance(reason, Snooze):
        return "snoozed", _snooze(parts, work, reason)
    half = len(work.window.first_half().messages)
    if half == len(work.window.messages):
        return "failed", _fail(parts, work, reason, spent)
    _log.info("window_narrowed", code=reason.code, messages=half)
    return "narrowed", _narrow(parts, work, Shorter(half, spent))


def _spent(error: WorkError) -> Usage:
    """What the provider was paid for nothing."""
    told = error.extra.get("usage")
    spent = Usage(**told) if isinstance(told, dict) else Usage()
    count_usage(spent, error.code)
    return spent


def _snooze(parts: Parts, work: Work, error: Snooze) -> Done:
    """The dependency is away: everything back as it was, no attempt consumed, the lane waits.

    Only an event that failed again after failing for `max_age` ends here: it was tried all that time.
    """
    claim, ids = work.claim, list(work.events)
    with parts.db.transaction() as session:
        if not scopes.hold(session, claim):
            return _NOTHING
        late = attempts.overdue(session, claim.scope.project_id, ids, parts.settings.max_age)
        why = f"no try succeeded within {parts.settings.max_age:.0f} s of the first one; the last said {error.code}"
        ended = [end_event(session, claim, event_id, "expired", why) for event_id in late]
        delay = _pause(error, events.snoozes(session, claim.scope.project_id, ids))
        told = events.put_back(session, claim.scope.project_id, ids, delay=delay, consumed=False, snoozed=True)
        done, size = sum(end.messages for end in ended), sum(end.size for end in ended)
        scopes.settle(session, claim, done=done, done_bytes=size, delay=delay, cut=claim.cut)
    metrics.FINISHED.labels("FAILED", "expired").inc(len(ended))
    _trip(parts, error)
    _log.warning("window_snoozed", code=error.code, seconds=round(delay, 1), provider=error.provider)
    return Done((), tuple(told), snoozed=delay)


@dataclass(frozen=True, slots=True)
class Ended:
    """An event that ended without more work, and what that takes off its lane."""

    finished: tuple[Finished, ...]
    messages: int
    size: int


def end_event(session: Session, claim: Claim, event_id: UUID, code: str, detail: str) -> Ended:
    """FAILED with all messages it has left; the caller holds the claim and settles it."""
    left = messages.open_of_event(session, claim.scope.project_id, event_id)
    size = messages.mark_failed(session, claim.scope, [message.id for message in left], code)
    failed = [message.index for message in left]
    step = Progress(event_id, len(left), failed=failed, error_code=code, error_detail=detail)
    return Ended(tuple(events.advance(session, claim.scope.project_id, [step])), len(left), size)


def _narrow(parts: Parts, work: Work, cut: Shorter) -> Done:
    """The claim goes back; the lane's next window is shorter, and has a lease of its own to be worked on in."""
    project_id, first = work.claim.scope.project_id, work.groups[0][0].event_id
    with parts.db.transaction() as session:
        if not scopes.hold(session, work.claim):
            return _NOTHING
        _return_rest(session, work)
        attempts.charge(session, project_id, first, _costs(cut.usage))
        scopes.settle(session, work.claim, done=0, done_bytes=0, cut=cut.messages)
    return _NOTHING


def _pause(error: Snooze, before: int) -> float:
    """Seconds: what the provider asked for, else 1, 2, 4 .. 60."""
    if error.retry_after is not None:
        return max(0.1, error.retry_after)
    if error.code in breakers.PAUSING_CODES:
        return _RETRY_CAP
    return min(_RETRY_CAP, _RETRY_BASE * float(2 ** min(before, 6)))


def _trip(parts: Parts, error: Snooze) -> None:
    """Only the chat model's breaker stops claims; a window that needs the index or embeddings waits by itself."""
    if parts.provider is None or error.provider != "llm":
        return
    provider = parts.provider
    parts.db.run(lambda session: breakers.trip(session, provider, error))


def _fail(parts: Parts, work: Work, error: WorkError, wasted: Usage) -> Done:
    """The one message left cannot be worked on; its event ends FAILED now or with its last message."""
    poison = work.groups[0]
    with parts.db.transaction() as session:
        if not scopes.hold(session, work.claim):
            return _NOTHING
        size = messages.mark_failed(session, work.claim.scope, [message.id for message in poison], error.code)
        finished = events.advance(session, work.claim.scope.project_id, _failures(work, error, wasted))
        _return_rest(session, work)
        scopes.settle(session, work.claim, done=len(poison), done_bytes=size)
    _log.warning("message_failed", code=error.code, events=[str(event.event_id) for event in finished])
    return Done((), tuple(finished))


def _failures(work: Work, error: WorkError, wasted: Usage) -> list[Progress]:
    """What each event of the message is told; the first one also carries what the attempts cost."""
    failed: dict[UUID, list[int]] = {}
    for message in work.groups[0]:
        failed.setdefault(message.event_id, []).append(message.index)
    first = work.groups[0][0].event_id
    cost = _costs(wasted)
    return [
        Progress(
            event_id,
            len(indexes),
            failed=indexes,
            error_code=error.code,
            error_detail=error.detail,
            usage=cost if event_id == first else {},
        )
        for event_id, indexes in failed.items()
    ]


def _costs(spent: Usage) -> dict[str, int]:
    return {name: value for name, value in spent.as_dict().items() if value}


def _retry(parts: Parts, work: Work) -> Done:
    """A fault of ours: the attempt counts, the events run alone next time, later and later."""
    claim, ids = work.claim, list(work.events)
    with parts.db.transaction() as session:
        if not scopes.hold(session, claim):
            return _NOTHING
        events.put_back(session, claim.scope.project_id, ids, delay=0, consumed=True, snoozed=False)
        tries = events.attempts(session, claim.scope.project_id, ids)
        delay = min(_RETRY_CAP, _RETRY_BASE * 2 ** max(0, tries - 1))
        scopes.settle(session, claim, done=0, done_bytes=0, delay=delay, cut=claim.cut)
    return _NOTHING


def _return_rest(session: Session, work: Work) -> list[Finished]:
    return events.put_back(
        session, work.claim.scope.project_id, list(work.events), delay=0, consumed=False, snoozed=False
    )
