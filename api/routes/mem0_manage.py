"""mem0 platform: feedback, exports, summaries and counters."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import queries
from api.auth import Caller
from api.body import read_object
from api.composing import requests
from api.composing.forms import strict
from api.deps import Ingests, Parts, Reads, parts_of
from api.dialects import digest
from api.dialects import mem0 as wire
from api.dialects import mem0_records as records
from api.dialects.mem0_bodies import ExportBody, ExportGetBody, FeedbackBody, Selection
from api.replies import Json
from api.routes import mem0_pages as pages
from api.routes.mem0_items import missing, own
from api.schemas import parse
from shared.db import entities, exports, feedback, filtered, stats
from shared.db.engine import Session
from shared.db.exports import Export
from shared.errors import NoModel, NotFound, WorkError
from shared.model.memory import Memory
from shared.model.scope import ID_FIELDS, ScopeIds

router = APIRouter(tags=["mem0 platform"], redirect_slashes=False)

_MOST = 10_000  # memories in one export or summary
_SELECTION = (*ID_FIELDS, "filters", "metadata", "categories", "keywords", "start_date", "end_date", "show_expired")


@router.post("/v1/feedback", response_model=None, **pages.FEEDBACK)
async def give_feedback(request: Request, caller: Ingests) -> Response:
    """What somebody thinks of a memory; null takes it back."""
    parts = parts_of(request)
    given = parse(FeedbackBody, await read_object(request, parts.settings.max_body_bytes))
    found_id = queries.id_in_path(given.memory_id, missing())

    def work(session: Session) -> None:
        own(session, caller, found_id)
        feedback.put(session, caller.project_id, found_id, given.feedback, given.feedback_reason)

    await parts.db.run(work)
    return Json({"id": str(found_id), "feedback": given.feedback, "feedback_reason": given.feedback_reason})


@router.get("/v1/feedback/{memory_id}", response_model=None, **pages.READ_FEEDBACK)
async def read_feedback(request: Request, caller: Reads, memory_id: str) -> Response:
    """What is stored about a memory; nulls when nothing is."""
    found_id = queries.id_in_path(memory_id, missing())

    def work(session: Session) -> feedback.Feedback | None:
        own(session, caller, found_id)
        return feedback.of_memory(session, caller.project_id, found_id)

    found = await parts_of(request).db.run(work)
    reason, at = (found.reason, found.at.isoformat()) if found else (None, None)
    return Json({"id": memory_id, "feedback": found.feedback if found else None, "feedback_reason": reason, "at": at})


@router.post("/v1/exports", response_model=None, status_code=201, **pages.EXPORT)
async def create_export(request: Request, caller: Reads) -> Response:
    """Ask for an export; it is ready at once. With a schema to fill in it needs a chat model."""
    parts = parts_of(request)
    body = await read_object(request, parts.settings.max_body_bytes)
    wire.check_echo(body, caller)
    given = parse(ExportBody, body)
    wire.asked(caller, given, need_entity=False)
    if strict(given.schema_) is not None and parts.composer.model is None:
        raise NoModel("filling in a schema needs a chat model; an export without a schema is the memories themselves")
    chosen = _selection(body, caller)
    export_id = await parts.db.run(
        lambda session: exports.create(session, caller.project_id, chosen, given.schema_, given.export_instructions)
    )
    message = "Memory export request received. The export will be ready in a few seconds."
    return Json({"message": message, "id": str(export_id)}, status_code=201)


def _selection(body: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """The part of a request that chooses memories, with what the key is bound to: another key's is another export."""
    chosen = {name: body[name] for name in _SELECTION if body.get(name) not in (None, "", [], {}, False)}
    return chosen | {f"bound_{name}": value for name, value in caller.narrow(ScopeIds()).given().items()}


@router.post("/v1/exports/get", response_model=None, **pages.READ_EXPORT)
async def read_export(request: Request, caller: Reads) -> Response:
    """The memories of an export as they are now: by its id, or of the newest with the same filters."""
    parts = parts_of(request)
    body = await read_object(request, parts.settings.max_body_bytes)
    given = parse(ExportGetBody, body)
    return Json(await _exported(request, caller, given.memory_export_id, body))


@router.get("/v1/exports", response_model=None, **pages.READ_EXPORT)
async def read_export_v0(request: Request, caller: Reads) -> Response:
    """The same for older clients, which ask in the query."""
    given = queries.parameters(request, {*ID_FIELDS, "memory_export_id"}).given
    return Json(await _exported(request, caller, given.get("memory_export_id"), given))


async def _exported(request: Request, caller: Caller, export_id: str | None, body: dict[str, Any]) -> dict[str, Any]:
    absent = NotFound("no export was asked for with this id or these filters", code="export_not_found", field="filters")
    named = queries.id_in_path(export_id, absent) if export_id else None

    def work(session: Session) -> tuple[Export, list[Memory], int]:
        export = _find(session, caller, named, body)
        if export is None:
            raise absent
        asked = wire.asked(caller, parse(Selection, export.selection), need_entity=False)
        return export, filtered.page(session, asked, _MOST), filtered.count(session, asked)

    parts = parts_of(request)
    export, found, total = await parts.db.run(work)
    schema = strict(export.form)
    if schema is not None:
        return await _filled(parts, caller, export, schema, found)
    records_ = [records.record(memory) for memory in found]
    about = {"id": str(export.id), "created_at": export.created_at.isoformat(), "schema": export.form}
    return {**about, "memories": records_, "total": total}


async def _filled(
    parts: Parts, caller: Caller, export: Export, schema: dict[str, Any], found: list[Memory]
) -> dict[str, Any]:
    """The form as the model filled it in: kept, and asked for again only when the memories are others."""
    asked = requests.form(found, schema, export.instructions)
    mark = hashlib.sha256("".join(message["content"] for message in asked.messages).encode()).hexdigest()
    if export.filled is None or export.filled_of != mark:
        made = await parts.composer.compose(caller.project_id, asked.messages, asked.schema)
        await parts.db.run(lambda session: exports.keep(session, caller.project_id, export.id, made, mark))
        return made
    return export.filled


def _find(session: Session, caller: Caller, named: UUID | None, body: dict[str, Any]) -> Export | None:
    if named is None:
        return exports.newest(session, caller.project_id, _selection(body, caller))
    found = exports.get(session, caller.project_id, named)
    bound = {f"bound_{name}": value for name, value in caller.narrow(ScopeIds()).given().items()}
    return found if found is not None and all(found.selection.get(name) == bound[name] for name in bound) else None


@router.post("/v1/summary", response_model=None, **pages.SUMMARY)
async def summary(request: Request, caller: Reads) -> Response:
    """The memories that pass, in a few sentences: one call of the model, a plain digest without one."""
    parts = parts_of(request)
    body = await read_object(request, parts.settings.max_body_bytes)
    asked = wire.asked(caller, parse(Selection, body), need_entity=False)
    found = await parts.db.run(lambda session: filtered.page(session, asked, _MOST))
    return Json([await _summary(parts, caller, found)] if found else [])


async def _summary(parts: Parts, caller: Caller, found: list[Memory]) -> dict[str, Any]:
    """What the model writes; the digest, and why, where it could not."""
    if parts.composer.model is None:
        return digest.summary(found)
    asked = requests.summary(found)
    try:
        answer = await parts.composer.compose(caller.project_id, asked.messages, asked.schema)
    except WorkError as error:
        return digest.summary(found) | {"degraded": True, "code": error.code}
    return digest.written(found, answer["summary"], asked.covered)


@router.get("/v1/stats", response_model=None, **pages.STATS)
async def read_stats(request: Request, caller: Reads) -> Response:
    """Counters of the project."""
    caller.demand_unbound()

    def work(session: Session) -> dict[str, Any]:
        kinds = entities.totals(session, caller.project_id, ScopeIds())
        counters = stats.counters(session, caller.project_id)
        people = {f"total_{kind}s": number for kind, number in kinds.items()}
        return {**counters, **people, "feedback": feedback.totals(session, caller.project_id)}

    return Json(await parts_of(request).db.run(work))
