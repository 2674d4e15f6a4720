"""mem0's self-hosted server: its memory routes, without a prefix; adding waits, as it does there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import queries
from api.body import read_object
from api.deps import Deletes, Ingests, Reads, parts_of
from api.dialects import flumes_v1
from api.dialects import mem0 as wire
from api.dialects import mem0_records as records
from api.dialects.mem0_bodies import SearchBody, Selection
from api.posting import post
from api.replay import idempotency_key
from api.replies import Json
from api.routes import mem0_pages as pages
from api.routes.mem0_items import change, erase, missing, own, versions
from api.routes.mem0_memories import ranked
from api.schemas import parse
from shared.db import filtered, memory_edits
from shared.db.engine import Session
from shared.errors import BadRequest
from shared.model.scope import ID_FIELDS, ScopeIds

router = APIRouter(tags=["mem0 server"], redirect_slashes=False)

_TOP_K = 10
_LIST = 100


@router.post("/memories", response_model=None, **pages.OSS_ADD)
async def add(request: Request, caller: Ingests) -> Response:
    """Keep messages and wait for the memories they become."""
    parts = parts_of(request)
    body = await read_object(request, parts.settings.max_body_bytes)
    given = {**body, "custom_instructions": body.get("custom_instructions") or body.get("prompt")}
    parsed = wire.parse_add(given, caller, parts.settings)
    key = idempotency_key(request.headers, "POST /memories", body, caller, parts.settings.idempotency_days)
    new = replace(parsed.event, idempotency=key)
    return await post(request, parts, new, async_mode=parsed.async_mode, shape=flumes_v1.SHAPE,
                      budget=parts.settings.wait_cap)  # fmt: skip


@router.get("/memories", response_model=None, **pages.OSS_LIST)
async def listing(request: Request, caller: Reads) -> Response:
    """Newest first; without an id all of the project, for admins."""
    given = queries.parameters(request, {*ID_FIELDS, "top_k", "limit", "show_expired"})
    named = "top_k" if "top_k" in given.given else "limit"
    size = given.number(named, _LIST, 1, 1_000)
    if not any(name in given.given for name in ID_FIELDS):
        caller.demand("admin")
    selection = parse(Selection, {**given.given, "show_expired": given.flag("show_expired")})
    asked = wire.asked(caller, selection, need_entity=False)
    found = await parts_of(request).db.run(lambda session: filtered.page(session, asked, size))
    return Json({"results": [records.record(memory) for memory in found]})


@router.get("/memories/{memory_id}", response_model=None, **pages.OSS_GET)
async def get(request: Request, caller: Reads, memory_id: str) -> Response:
    """One memory; 404 when it is not there."""
    found_id = queries.id_in_path(memory_id, missing())
    return Json(records.record(await parts_of(request).db.run(lambda session: own(session, caller, found_id))))


@router.put("/memories/{memory_id}", response_model=None, **pages.OSS_UPDATE)
async def update(request: Request, caller: Ingests, memory_id: str) -> Response:
    """Change text, metadata or expiry."""
    changed = await change(request, caller, memory_id)
    return Json({"message": "Memory updated successfully!", "id": str(changed.id)})


@router.get("/memories/{memory_id}/history", response_model=None, **pages.HISTORY)
async def history(request: Request, caller: Reads, memory_id: str) -> Response:
    """Every version of a memory, oldest first."""
    return Json(await versions(request, caller, memory_id))


@router.delete("/memories/{memory_id}", response_model=None, **pages.DELETE)
async def delete(request: Request, caller: Deletes, memory_id: str) -> Response:
    """Hide a memory for good."""
    parts = parts_of(request)
    found_id = queries.id_in_path(memory_id, missing())

    def work(session: Session) -> None:
        own(session, caller, found_id)
        memory_edits.delete(session, caller.project_id, found_id)

    await parts.db.run(work)
    parts.ringer.ring()
    return Json({"message": "Memory deleted successfully"})


@router.delete("/memories", response_model=None, **pages.DELETE_ALL)
async def delete_all(request: Request, caller: Deletes) -> Response:
    """Erase all memories of the given ids."""
    ids: ScopeIds = caller.narrow(queries.parameters(request, ID_FIELDS).ids())
    if not ids:
        raise BadRequest(f"at least one of {', '.join(ID_FIELDS)} is needed", code="missing_scope", field=ID_FIELDS[0])
    erased = await erase(request, caller, ids, [])
    return Json(erased | {"message": "All relevant memories deleted"})


@router.post("/search", response_model=None, **pages.OSS_SEARCH)
async def search(request: Request, caller: Reads) -> Response:
    """The best memories that pass the filters."""
    parts = parts_of(request)
    body = await read_object(request, parts.settings.max_body_bytes)
    given = parse(SearchBody, body)
    if not given.query.strip():
        raise BadRequest("query must not be empty", field="query")
    asked = wire.asked(caller, given)
    results, degraded = await ranked(parts, asked, given, given.top_k or given.limit or _TOP_K, None)
    answer: dict[str, Any] = {"results": results}
    return Json(answer | {"degraded": True} if degraded else answer)
