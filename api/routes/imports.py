"""Imports: logs as jobs. Lines are kept as they come in; workers hand them over to the bulk lane."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from api import queries
from api.auth import Caller
from api.deps import Ingests, Parts, Reads, parts_of
from api.import_lines import Line, Reader, lines, pages
from api.replies import Json
from api.routes import import_pages
from shared.db import import_lines, imports
from shared.db.engine import Session
from shared.db.import_lines import Fault, Staged
from shared.db.imports import Import, State
from shared.errors import BadRequest, Conflict, NotFound
from shared.importing.groups import Format
from shared.model.scope import ID_FIELDS
from shared.settings import Settings

router = APIRouter(prefix="/v1/imports", tags=["imports"], redirect_slashes=False)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@ -]{0,199}")
_GIVEN = frozenset({*ID_FIELDS, "name", "format", "on_error", "from_line", "more", "timezone", "infer", "max_tokens"})
_FAULTS = 100


def _missing() -> NotFound:
    return NotFound("no import has this id", code="import_not_found", field="id")


@router.post("", response_model=None, **import_pages.POST)
async def send(request: Request, caller: Ingests) -> Response:
    """Keep the lines of a log; the same `name` again goes on where it stopped, each line counts once."""
    parts = parts_of(request)
    given = queries.parameters(request, _GIVEN)
    caller.narrow(given.ids())
    options = _options(given)
    found = await parts.db.run(
        partial(imports.open_named, project_id=caller.project_id, name=_name(given) + _space(caller), options=options)
    )
    if found.state == "CANCELLED":
        raise Conflict("this import was cancelled; give another name to start anew", code="import_cancelled")
    reader = Reader(caller, parts.settings, Format(found.options["format"]), _defaults(given), found.name)
    changed = await _receive(request, parts, found, reader, first=given.number("from_line", 1, 1, 999_999_999))
    if not given.flag("more"):
        await parts.db.run(partial(imports.received, project_id=found.project_id, import_id=found.id))
    body = await _shown(parts, found)
    location = f"{parts.settings.public_url.rstrip('/')}/v1/imports/{found.id}/"
    return Json(body | {"changed_lines": changed}, status_code=202, headers={"Location": location})


async def _receive(request: Request, parts: Parts, found: Import, reader: Reader, *, first: int) -> list[int]:
    """Page by page; what is kept stays kept when the sender goes away. Returns lines that came before, different."""
    gzip = request.headers.get("content-encoding", "identity").lower() == "gzip"
    changed: list[int] = []
    stop = found.options["on_error"] == "stop"
    body = lines(_chunks(request), gzip=gzip, first=first, longest=parts.settings.import_line_bytes)
    async for page in pages(body):
        staged, fault = _checked(reader, page, stop=stop)
        work = partial(import_lines.stage, project_id=found.project_id, import_id=found.id, page=staged)
        changed += (await parts.db.run(work))[: _FAULTS - len(changed)]
        if fault is not None:
            raise BadRequest(f"line {fault.line}: {fault.error}", code="bad_line", field=f"line {fault.line}")
    return changed


def _checked(reader: Reader, page: list[Line], *, stop: bool) -> tuple[list[Staged], Staged | None]:
    """The rows of a page; with `stop` up to the first bad line, which is not kept."""
    rows: list[Staged] = []
    for line in page:
        found = reader.staged(line)
        if stop and found[0].error is not None:
            return rows, found[0]
        rows += found
    return rows, None


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect:
        raise BadRequest("the body ended early; what came before is kept", code="incomplete_body") from None


def _name(given: queries.Parameters) -> str:
    name = given.given.get("name", "")
    if not _NAME.fullmatch(name):
        raise BadRequest(
            "name says which import this is: 1 to 200 letters, digits and ._:@- ; the same name goes on with it",
            field="name",
        )
    return name


def _space(caller: Caller) -> str:
    """What a key that is bound to a user or agent adds to its names: nobody goes on with somebody else's import."""
    if caller.user_id is None and caller.agent_id is None:
        return ""
    bound = orjson.dumps([caller.user_id, caller.agent_id])
    return f" bound {hashlib.sha256(bound).hexdigest()[:32]}"


def _options(given: queries.Parameters) -> dict[str, Any]:
    form = given.given.get("format", "auto")
    if form not in list(Format):
        raise BadRequest(f"format knows {', '.join(Format)}", field="format")
    on_error = given.given.get("on_error", "skip")
    if on_error not in ("skip", "stop"):
        raise BadRequest("on_error knows skip, stop", field="on_error")
    most = given.number("max_tokens", 0, 0, 999_999_999)
    return {"format": form, "on_error": on_error, "max_tokens": most or None}


def _defaults(given: queries.Parameters) -> dict[str, Any]:
    found: dict[str, Any] = {name: given.given[name] for name in (*ID_FIELDS, "timezone") if name in given.given}
    if "infer" in given.given:
        found["infer"] = given.flag("infer")
    return found


@router.get("", response_model=None, **import_pages.LIST)
async def listing(request: Request, caller: Reads) -> Response:
    """Imports of the project, newest first."""
    caller.demand_unbound()
    parts = parts_of(request)
    given = queries.parameters(request, {"limit", "before"})
    before = queries.id_in_path(given.given["before"], _missing()) if "before" in given.given else None
    limit = given.number("limit", 20, 1, 200)
    found = await parts.db.run(partial(imports.newest, project_id=caller.project_id, limit=limit, before=before))
    return Json({"results": [record(item) for item in found]})


@router.get("/{import_id}", response_model=None, **import_pages.GET)
async def get(request: Request, caller: Reads, import_id: str) -> Response:
    """How far an import is, and its first faulty lines; `after=LINE.PART` shows more of them."""
    parts = parts_of(request)
    given = queries.parameters(request, {"after"})
    found = await _own(parts, caller, import_id)
    return Json(await _shown(parts, found, _after(given.given.get("after", "0.0"))))


@router.post("/{import_id}/pause", response_model=None, **import_pages.MOVE)
async def pause(request: Request, caller: Ingests, import_id: str) -> Response:
    """Hand over nothing more; what was handed over is finished."""
    return await _move(request, caller, import_id, "PAUSED", "asked for")


@router.post("/{import_id}/resume", response_model=None, **import_pages.RESUME)
async def resume(request: Request, caller: Ingests, import_id: str) -> Response:
    """Go on with an import that was paused, or stopped at a ceiling (`max_tokens` raises it)."""
    parts = parts_of(request)
    most = queries.parameters(request, {"max_tokens"}).number("max_tokens", 0, 0, 999_999_999)
    if most:
        found = await _own(parts, caller, import_id)
        await parts.db.run(partial(imports.raise_ceiling, project_id=found.project_id, import_id=found.id, most=most))
    return await _move(request, caller, import_id, "RUNNING", None)


@router.post("/{import_id}/cancel", response_model=None, **import_pages.MOVE)
async def cancel(request: Request, caller: Ingests, import_id: str) -> Response:
    """For good: waiting lines are dropped, memories that were made stay."""
    return await _move(request, caller, import_id, "CANCELLED", "asked for")


async def _move(request: Request, caller: Caller, import_id: str, to: State, reason: str | None) -> Response:
    parts = parts_of(request)
    found = await _own(parts, caller, import_id)
    if found.state != to:
        moved = await parts.db.run(
            partial(imports.move, project_id=found.project_id, import_id=found.id, to=to, reason=reason)
        )
        if not moved:
            raise Conflict(f"an import that is {found.state} cannot become {to}", code="import_state")
    return Json(await _shown(parts, found))


async def _own(parts: Parts, caller: Caller, import_id: str) -> Import:
    """An import may hold anybody's lines: a key bound to a user or agent sees only those it sent itself."""
    found_id = queries.id_in_path(import_id, _missing())
    found = await parts.db.run(partial(imports.get, project_id=caller.project_id, import_id=found_id))
    if found is None or not found.name.endswith(_space(caller)):
        raise _missing()
    return found


def _after(text: str) -> tuple[int, int]:
    line, _, part = text.partition(".")
    if not (line.isascii() and line.isdigit() and (part or "0").isdigit() and len(text) < 24):
        raise BadRequest("after must be LINE or LINE.PART", field="after")
    return int(line), int(part or 0) if part else 2**31 - 1


async def _shown(parts: Parts, found: Import, after: tuple[int, int] = (0, 0)) -> dict[str, Any]:
    def work(session: Session) -> tuple[Import | None, list[Fault], int, int]:
        key = (found.project_id, found.id)
        faults = import_lines.faults(session, *key, after, _FAULTS)
        last = import_lines.last_line(session, *key)
        return imports.get(session, *key), faults, last, import_lines.in_work(session, *key)

    now, faults, last, in_work = await parts.db.run(work)
    if now is None:
        raise _missing()
    cost = {"cost": _cost(now, parts.settings)}
    return (
        record(now)
        | cost
        | {"last_line": last, "messages_in_work": in_work, "faults": [_fault(fault) for fault in faults]}
    )


def record(item: Import) -> dict[str, Any]:
    """An import on the wire; `eta`: seconds, from how long it took so far."""
    body = {name: value for name, value in asdict(item).items() if name not in ("project_id", "options")}
    moments = {name: _iso(body.pop(name)) for name in ("created_at", "started_at", "completed_at", "received_at")}
    body["id"] = str(item.id)
    return {**body, **item.options, **moments, "eta": _eta(item)}


def _eta(item: Import) -> float | None:
    left = item.groups - item.ended
    if item.state != "RUNNING" or item.started_at is None or not item.ended or not left:
        return None
    return round((datetime.now(UTC) - item.started_at).total_seconds() / item.ended * left, 1)


def _cost(item: Import, settings: Settings) -> float | None:
    """USD so far; None where no prices are set."""
    prices = (settings.price_input, settings.price_output)
    spent = item.input_tokens * prices[0] + item.output_tokens * prices[1]
    return round(spent / 1_000_000, 4) if any(prices) else None


def _fault(fault: Fault) -> dict[str, Any]:
    event = {"event_id": str(fault.event_id)} if fault.event_id else {}
    return {"line": fault.line, "part": fault.part, "state": fault.state, "reason": fault.error, **event}


def _iso(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()
