"""From an accepted write to its answer: the same for every dialect that waits.

Accept (one transaction), ring, wait; from the commit on the caller always gets the event's id, whatever fails.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from api.deps import Parts
from api.dialects import flumes_v1
from api.dialects.shape import Shape
from api.errors import seconds_header
from api.outcomes import failure
from api.prefer import Patience, patience
from api.replies import Json
from api.wait import Outcome
from shared.crashpoints import reach
from shared.db import accept, events, index_queue
from shared.db.accept import Accepted, NewEvent
from shared.db.events import Event
from shared.errors import Conflict, Unavailable
from shared.metrics import ACCEPTED
from shared.model.scope import ScopeRef

_WORTH_WAITING = 2.0  # seconds; a lane that is due later is snoozed, and its callers are not kept
_INDEX_WAIT = 1.0  # seconds
_POLL_AGAIN = 1.0  # seconds a caller is asked to leave before polling


async def post(
    request: Request,
    parts: Parts,
    new: NewEvent,
    *,
    async_mode: bool | None,
    shape: Shape = flumes_v1.SHAPE,
    budget: float | None = None,
) -> Response:
    """Keep the write and answer as the caller asked: with results, or with the event's id. `budget`: seconds."""
    how = patience(
        request.headers.getlist("prefer"), budget=parts.settings.wait_budget if budget is None else budget,
        cap=parts.settings.wait_cap, async_mode=async_mode,
    )  # fmt: skip
    queued = len(new.messages) if new.infer else 0
    parts.admission.demand(new.project_id, queued, new.size if queued else 0)
    if not how.asynchronous:
        new = replace(new, reply_to=parts.listener.channel)
    with parts.admission.in_hand():
        accepted = await parts.db.run(lambda session: accept.accept(session, new))
    reach("accept.after")
    if not accepted.replayed:
        _note(parts, new, accepted, queued)
    if new.infer:  # a project at its ceiling on tokens: its callers are not kept
        accepted = replace(accepted, wait=max(accepted.wait, parts.admission.pause(new.project_id)))
    event, outcome = await _ended(parts, new, accepted, how)
    headers = {"Vary": "Prefer"}
    if how.applied:
        headers["Preference-Applied"] = how.applied
    if event is None or not event.ended or (shape.says_pending and how.asynchronous):
        return _pending(parts, accepted, how, outcome, shape, headers)
    failed = failure(event)
    if failed is not None:
        raise failed
    if not new.infer and not how.asynchronous and accepted.scope_id is not None:
        await _indexed(parts, ScopeRef(new.project_id, accepted.scope_id), event)
    return Json(shape.done(event), headers=headers)


def _note(parts: Parts, new: NewEvent, accepted: Accepted, queued: int) -> None:
    ACCEPTED.labels(new.lane).inc()
    parts.admission.note(new.project_id, queued, new.size if queued else 0)
    if accepted.ring and accepted.scope_id is not None:
        parts.ringer.ring(ScopeRef(new.project_id, accepted.scope_id))


async def _ended(parts: Parts, new: NewEvent, accepted: Accepted, how: Patience) -> tuple[Event | None, Outcome]:
    """The event as it stands once it ended or the patience is over; None when it could not be read."""
    outcome = Outcome("ended")
    try:
        if accepted.replayed or not new.infer:
            event = await _read(parts, new.project_id, accepted.event_id)
            if event is None or event.ended:
                return event, outcome
            outcome = Outcome("snoozed", event.wait) if event.wait > 0 else outcome
        if how.seconds <= 0:
            return None, Outcome("timeout", max(accepted.wait, outcome.seconds))
        if max(accepted.wait, outcome.seconds) > _WORTH_WAITING:
            return None, Outcome("snoozed", max(accepted.wait, outcome.seconds))
        outcome = await parts.waiters.wait(new.project_id, accepted.event_id, how.seconds)
        return await _read(parts, new.project_id, accepted.event_id), outcome
    except Unavailable:
        return None, outcome  # accepted is accepted: the id goes out even when Postgres just went away


async def _read(parts: Parts, project_id: UUID, event_id: UUID) -> Event | None:
    return await parts.db.run(partial(events.get, project_id=project_id, event_id=event_id))


def _pending(
    parts: Parts, accepted: Accepted, how: Patience, outcome: Outcome, shape: Shape, headers: dict[str, str]
) -> Response:
    """Accepted, with the way to the event. A replay that waited in vain is a 409: its first request is at work."""
    location = f"{parts.settings.public_url.rstrip('/')}/v1/event/{accepted.event_id}/"
    retry_after = outcome.seconds if outcome.seconds > 0 else _POLL_AGAIN
    if accepted.replayed and not how.asynchronous:
        raise Conflict(
            "the first request with this Idempotency-Key is still being worked on", code="event_in_progress",
            retry_after=retry_after, extra={"event_id": str(accepted.event_id), "location": location},
        )  # fmt: skip
    headers |= {"Location": location, "Retry-After": seconds_header(retry_after)}
    return Json(shape.pending(accepted.event_id), status_code=shape.pending_status, headers=headers)


async def _indexed(parts: Parts, scope: ScopeRef, event: Event) -> None:
    """Messages kept as they are can be searched a moment later; callers who wait get their answer after that."""
    ids = [UUID(str(result["id"])) for result in event.results]
    pause, waited = 0.02, 0.0
    while waited < _INDEX_WAIT and not parts.waiters.stopping:
        try:
            if await parts.db.run(lambda session: index_queue.reached(session, scope, ids)):
                return
        except Unavailable:
            return
        await asyncio.sleep(pause)
        waited, pause = waited + pause, pause * 2
