"""Events: what became of a POST, one by one or as a feed."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import queries
from api.auth import Caller
from api.deps import Deletes, Ingests, Parts, Reads, parts_of
from api.dialects import flumes_v1 as wire
from api.errors import seconds_header
from api.filters.values import span
from api.outcomes import reason
from api.prefer import parse_prefer, patience
from api.replies import Json
from api.routes import pages
from shared.db import events, messages, retry, revert, spend
from shared.db.engine import Session
from shared.db.events import Event
from shared.errors import BadRequest, NotFound
from shared.model.scope import ID_FIELDS

router = APIRouter(prefix="/v1", tags=["events"], redirect_slashes=False)

_STATUSES = ("PENDING", "RUNNING", "SUCCEEDED", "FAILED")
_TYPES = {"ADD": ("add", "raw"), "DELETE": ("delete_all",), "REVERT": ("revert",)}
_FEED = frozenset({*ID_FIELDS, "status", "event_type", "start_date", "end_date", "page", "page_size"})
_LAST_PAGE = 10_000


def _missing() -> NotFound:
    return NotFound("no event has this id", code="event_not_found", field="id")


@router.get("/event/{event_id}", response_model=None, **pages.EVENT)
async def get(request: Request, caller: Reads, event_id: str) -> Response:
    """One event; with `wait` the answer comes when it ends, or after so many seconds."""
    parts = parts_of(request)
    found_id = queries.id_in_path(event_id, _missing())
    given = queries.parameters(request, {"wait"})
    seconds, applied = _wait(request, given, parts)
    event, count = await parts.db.run(partial(_read, caller=caller, event_id=found_id))
    if not event.ended and seconds > 0:
        await parts.waiters.wait(caller.project_id, found_id, seconds, patient=True)
        event, count = await parts.db.run(partial(_read, caller=caller, event_id=found_id))
    headers = {"Vary": "Prefer"} | ({"Preference-Applied": applied} if applied else {})
    body = wire.event_record(event, reason(event)) | {"message_count": count}
    if not event.ended:
        pause = parts.admission.pause(caller.project_id)
        headers["Retry-After"] = seconds_header(max(event.wait, pause))
        if pause > 0:
            body["waiting"] = {"code": spend.CODE, "retry_in": round(pause, 1)}
    return Json(body, headers=headers)


def _wait(request: Request, given: queries.Parameters, parts: Parts) -> tuple[float, str | None]:
    """`?wait=N`, else `Prefer: wait=N`, else no wait."""
    if "wait" in given.given:
        return min(given.number("wait", 0, 0, 1_000_000), parts.settings.wait_cap), None
    prefer = request.headers.getlist("prefer")
    if "wait" not in parse_prefer(prefer):
        return 0, None
    how = patience(prefer, budget=0, cap=parts.settings.wait_cap)
    return how.seconds, how.applied


def _read(session: Session, *, caller: Caller, event_id: UUID) -> tuple[Event, int]:
    event = events.get(session, caller.project_id, event_id)
    if event is None or not caller.owns(event.ids):
        raise _missing()
    return event, messages.count_of(session, caller.project_id, event_id)


@router.post("/event/{event_id}/retry", response_model=None, **pages.RETRY)
async def again(request: Request, caller: Ingests, event_id: str) -> Response:
    """Work again on the failed messages of an event; what succeeded of it stays."""
    parts = parts_of(request)
    found_id = queries.id_in_path(event_id, _missing())
    queries.parameters(request, ())
    parts.admission.demand(caller.project_id, 1, 0)

    def work(session: Session) -> retry.Reopened:
        _read(session, caller=caller, event_id=found_id)
        return retry.reopen(session, caller.project_id, found_id)

    reopened = await parts.db.run(work)
    if reopened.ring:
        parts.ringer.ring(reopened.scope)
    base = parts.settings.public_url.rstrip("/")
    headers = {"Location": f"{base}/v1/event/{found_id}/", "Retry-After": "1"}
    body = {"event_id": str(found_id), "status": "PENDING", "messages": reopened.messages,
            "message": "The failed messages are worked on again; poll the event for the outcome."}  # fmt: skip
    return Json(body, status_code=202, headers=headers)


@router.post("/event/{event_id}/revert", response_model=None, **pages.REVERT)
async def undo(request: Request, caller: Deletes, event_id: str) -> Response:
    """Undo what an event did to memories; what later events changed is left and named."""
    parts = parts_of(request)
    found_id = queries.id_in_path(event_id, _missing())
    queries.parameters(request, ())

    def work(session: Session) -> revert.Reverted:
        _read(session, caller=caller, event_id=found_id)
        return revert.revert(session, caller.project_id, found_id)

    done = await parts.db.run(work)
    parts.ringer.ring()
    kept = [
        {"id": str(one.memory_id), "reason": one.why, "event_id": str(one.event_id) if one.event_id else None}
        for one in done.kept
    ]
    results = [result.as_dict() for result in done.results]
    body = {"event_id": str(done.event_id), "reverted": str(found_id), "results": results, "kept": kept,
            "evidence_removed": done.evidence}  # fmt: skip
    return Json(body)


@router.get("/events", response_model=None, **pages.EVENTS)
async def feed(request: Request, caller: Reads) -> Response:
    """The project's events, newest first."""
    parts = parts_of(request)
    given = queries.parameters(request, _FEED)
    ids = caller.narrow(given.ids())
    chosen = _chosen(given)
    page, size = given.number("page", 1, 1, _LAST_PAGE), given.number("page_size", 50, 1, 200)
    found, total = await parts.db.run(
        lambda session: events.feed(session, caller.project_id, chosen, ids=ids, limit=size, offset=(page - 1) * size)
    )
    following, previous = queries.neighbours(request, parts.settings.public_url, page, size, total)
    body: dict[str, Any] = {
        "count": total,
        "next": following,
        "previous": previous,
        "results": [wire.event_record(event, reason(event)) for event in found],
    }
    return Json(body)


def _chosen(given: queries.Parameters) -> events.Chosen:
    """Which events of the feed are wanted. Raises `BadRequest`."""
    status = _one_of(given, "status", _STATUSES)
    kind = _one_of(given, "event_type", tuple(_TYPES))
    since = span(given.given["start_date"], "start_date")[0] if "start_date" in given.given else None
    until = span(given.given["end_date"], "end_date")[1] if "end_date" in given.given else None
    return events.Chosen(status, _TYPES[kind] if kind else (), since, until)


def _one_of(given: queries.Parameters, name: str, known: tuple[str, ...]) -> str | None:
    value = given.given.get(name, "").upper() or None
    if value is not None and value not in known:
        raise BadRequest(f"{name} must be one of {', '.join(known)}", field=name)
    return value
