"""Events: what became of a POST, one by one or as a feed."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import URL
from starlette.responses import Response

from api import queries
from api.auth import Caller
from api.deps import Parts, Reads, parts_of
from api.dialects import flumes_v1 as wire
from api.errors import seconds_header
from api.outcomes import reason
from api.prefer import parse_prefer, patience
from api.replies import Json
from api.routes import pages
from shared.db import events, messages
from shared.db.engine import Session
from shared.db.events import Event
from shared.errors import BadRequest, NotFound
from shared.model.scope import ID_FIELDS

router = APIRouter(prefix="/v1", tags=["events"], redirect_slashes=False)

_STATUSES = ("PENDING", "RUNNING", "SUCCEEDED", "FAILED")
_FEED = frozenset({*ID_FIELDS, "status", "page", "page_size"})
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
    if not event.ended:
        headers["Retry-After"] = seconds_header(event.wait)
    return Json(wire.event_record(event, reason(event)) | {"message_count": count}, headers=headers)


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


@router.get("/events", response_model=None, **pages.EVENTS)
async def feed(request: Request, caller: Reads) -> Response:
    """The project's events, newest first."""
    parts = parts_of(request)
    given = queries.parameters(request, _FEED)
    ids = caller.narrow(given.ids())
    status = given.given.get("status", "").upper() or None
    if status is not None and status not in _STATUSES:
        raise BadRequest(f"status must be one of {', '.join(_STATUSES)}", field="status")
    page, size = given.number("page", 1, 1, _LAST_PAGE), given.number("page_size", 50, 1, 200)
    found, total = await parts.db.run(
        lambda session: events.feed(
            session, caller.project_id, status=status, ids=ids, limit=size, offset=(page - 1) * size
        )
    )
    body: dict[str, Any] = {
        "count": total,
        "next": _page_url(request, parts, page + 1) if page * size < total else None,
        "previous": _page_url(request, parts, page - 1) if page > 1 else None,
        "results": [wire.event_record(event, reason(event)) for event in found],
    }
    return Json(body)


def _page_url(request: Request, parts: Parts, page: int) -> str:
    base = parts.settings.public_url.rstrip("/") or str(request.base_url).rstrip("/")
    return str(URL(f"{base}/v1/events/?{request.url.query}").include_query_params(page=page))
