"""What becomes of a window whose stages raised: done, snooze, narrow, fail with a code, retry, or give way.

A failure is never an empty success, and nothing accepted is dropped: every branch writes down why.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

from shared import metrics
from shared.db import breakers, events, messages, scopes
from shared.db.engine import Session
from shared.db.events import Finished, Progress
from shared.errors import Narrow, PermanentFailure, Snooze, Unavailable, WorkError
from shared.logs import get_logger
from shared.model.record import Usage
from workers.counting import count_usage
from workers.parts import Parts
from workers.work import Done, Stale, Work

Remember = Callable[[Parts, Work], Done]

_RETRY_BASE, _RETRY_CAP = 1.0, 60.0
_NOTHING = Done((), ())

_log = get_logger(__name__)


def attempt(parts: Parts, work: Work, remember: Remember) -> Done:
    """Run `remember` on the window, or on ever smaller halves of it while something in it cannot be worked on."""
    began, wasted = time.monotonic(), Usage()
    while True:
        try:
            done = remember(parts, work)
        except Stale:
            return _observed(began, "stale", _NOTHING)
        except Snooze as error:
            _spent(error)
            return _observed(began, "snoozed", _snooze(parts, work, error))
        except (Narrow, PermanentFailure) as error:
            wasted += _spent(error)
            if len(work.window.messages) > 1:
                work = work.first_half()
                continue
            return _observed(began, "failed", _fail(parts, work, error, wasted))
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - written down as an attempt, tried again, then FAILED `internal`
            _log.exception("window_failed", messages=len(work.messages), scope=str(work.claim.scope.scope_id))
            return _observed(began, "retry", _retry(parts, work))
        metrics.WINDOW_MESSAGES.observe(len(work.messages))
        return _observed(began, "done", done)


def _observed(began: float, outcome: str, done: Done) -> Done:
    metrics.WINDOWS.labels(outcome).observe(time.monotonic() - began)
    return done


def _spent(error: WorkError) -> Usage:
    """What the provider was paid for nothing."""
    told = error.extra.get("usage")
    spent = Usage(**told) if isinstance(told, dict) else Usage()
    count_usage(spent, error.code)
    return spent


def _snooze(parts: Parts, work: Work, error: Snooze) -> Done:
    """The dependency is away: everything back as it was, no attempt consumed, the lane waits."""
    project_id, ids = work.claim.scope.project_id, list(work.events)
    with parts.db.transaction() as session:
        if not scopes.hold(session, work.claim):
            return _NOTHING
        delay = _pause(error, events.snoozes(session, project_id, ids))
        told = events.put_back(session, project_id, ids, delay=delay, consumed=False, snoozed=True)
        scopes.settle(session, work.claim, done=0, done_bytes=0, delay=delay)
    _trip(parts, error)
    _log.warning("window_snoozed", code=error.code, seconds=round(delay, 1), provider=error.provider)
    return Done((), tuple(told), snoozed=delay)


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
    cost = {name: value for name, value in wasted.as_dict().items() if value}
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


def _retry(parts: Parts, work: Work) -> Done:
    """A fault of ours: the attempt counts, the events run alone next time, later and later."""
    project_id, ids = work.claim.scope.project_id, list(work.events)
    with parts.db.transaction() as session:
        if not scopes.hold(session, work.claim):
            return _NOTHING
        tries = events.attempts(session, project_id, ids)
        events.put_back(session, project_id, ids, delay=0, consumed=True, snoozed=False)
        scopes.settle(
            session, work.claim, done=0, done_bytes=0, delay=min(_RETRY_CAP, _RETRY_BASE * 2 ** max(0, tries - 1))
        )
    return _NOTHING


def _return_rest(session: Session, work: Work) -> list[Finished]:
    return events.put_back(
        session, work.claim.scope.project_id, list(work.events), delay=0, consumed=False, snoozed=False
    )
