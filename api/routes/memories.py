"""Flumes v1: add, read, list, search, change and delete memories."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import filtered_search, queries
from api.auth import Caller
from api.body import read_bytes, read_object
from api.deps import Deletes, Ingests, Parts, Reads, parts_of
from api.dialects import flumes_v1 as wire
from api.dialects import mem0_records
from api.dialects.choice import speaks_mem0
from api.filters.happening import FROM, TO, happening
from api.filters.values import span
from api.posting import post
from api.replay import idempotency_key
from api.replies import Json
from api.routes import mem0_items, mem0_memories, pages
from api.schemas import PatchBody, parse
from shared.db import as_of, erasure, filtered, memories, memory_edits
from shared.db.engine import Session
from shared.db.filtered import Asked
from shared.db.memories import Page
from shared.db.memory_edits import Patch
from shared.errors import BadRequest, NotFound, TooLarge
from shared.model.filters import Happens
from shared.model.memory import Memory
from shared.model.scope import ID_FIELDS, ScopeIds
from shared.wakeups import Wake

router = APIRouter(prefix="/v1/memories", tags=["memories"], redirect_slashes=False)

_LIST = frozenset({*ID_FIELDS, "query", "limit", "cursor", "include_raw", "as_of", FROM, TO})
_INCLUDES = ("history", "sources")
_LONGEST_QUERY = 8_000  # characters


def _missing() -> NotFound:
    return NotFound("no memory has this id", code="memory_not_found", field="id")


@router.post("", response_model=None, **pages.ADD)
async def add(request: Request, caller: Ingests) -> Response:
    """Keep messages and, unless asked not to, wait for the memories they become."""
    if speaks_mem0(request.headers, caller):
        return await mem0_memories.add_v1(request, caller)
    parts = parts_of(request)
    body = await read_object(request, parts.settings.max_body_bytes)
    parsed = wire.parse_add(body, caller, parts.settings)
    key = idempotency_key(request.headers, "POST /v1/memories", body, caller, parts.settings.idempotency_days)
    return await post(request, parts, replace(parsed.event, idempotency=key), async_mode=parsed.async_mode)


@router.get("", response_model=None, **pages.LIST)
async def listing(request: Request, caller: Reads) -> Response:
    """Newest first; with `query`, best first."""
    if speaks_mem0(request.headers, caller):
        return await mem0_memories.list_v1(request, caller)
    parts = parts_of(request)
    given = queries.parameters(request, _LIST)
    ids = _scope(caller, given.ids())
    limit = given.number("limit", 20, 1, 200)
    messages = given.flag("include_raw")
    query, cursor = given.given.get("query", "").strip(), given.given.get("cursor")
    at = _moment(given, "query", "include_raw", FROM, TO)
    happens = happening(given.given)
    if happens is not None and messages:
        raise BadRequest("a message has no date of its own; leave `include_raw` out", field="include_raw")
    if query and cursor:
        raise BadRequest("a search has no pages: leave `cursor` out", field="cursor")
    if query:
        return await _search(parts, caller, ids, query, limit, messages=messages, happens=happens)
    page = Page(limit + 1, queries.read_cursor(cursor) if cursor else None)
    asked = None if happens is None else Asked(caller.project_id, ids, happens)
    found = await parts.db.run(partial(_list, caller=caller, ids=ids, page=page, at=at, messages=messages, asked=asked))
    shown = found[:limit]
    following = queries.write_cursor(shown[-1].created_at, shown[-1].id) if len(found) > limit else None
    return Json(wire.page([wire.record(memory) for memory in shown], following))


def _list(
    session: Session,
    *,
    caller: Caller,
    ids: ScopeIds,
    page: Page,
    at: datetime | None,
    messages: bool,
    asked: Asked | None,
) -> list[Memory]:
    if asked is not None:
        return filtered.newest(session, asked, page)
    if at is None:
        return memories.newest(session, caller.project_id, ids, page, messages=messages)
    return as_of.newest(session, caller.project_id, ids, page, at, scope_key=caller.project.scope_key)


def _moment(given: queries.Parameters, *unfit: str) -> datetime | None:
    """`as_of`, a day to its end. Raises `BadRequest`, also for what is only known of the present."""
    if "as_of" not in given.given:
        return None
    for name in unfit:
        if name in given.given:
            raise BadRequest(f"as_of shows the past; leave `{name}` out", field=name)
    return span(given.given["as_of"], "as_of")[1] - timedelta(microseconds=1)


async def _search(
    parts: Parts, caller: Caller, ids: ScopeIds, query: str, limit: int, *, messages: bool, happens: Happens | None
) -> Response:
    if len(query) > _LONGEST_QUERY:
        raise BadRequest(f"query is longer than {_LONGEST_QUERY} characters", field="query")
    if happens is None:
        found = await parts.searcher.search(caller.project_id, ids, query, limit, messages=messages)
    else:
        asked = Asked(caller.project_id, ids, happens)
        found = await filtered_search.search(parts.searcher, parts.db, asked, query, limit)
    results = [
        wire.scored(item.memory, round(item.score, 6), _rounded(item.semantic), _rounded(item.bm25))
        for item in found.items
    ]
    body = wire.page(results, None)
    return Json(body | {"degraded": True} if found.degraded else body)


def _rounded(part: float | None) -> float | None:
    return None if part is None else round(part, 6)


def _scope(caller: Caller, ids: ScopeIds) -> ScopeIds:
    """Raises `BadRequest` when neither the caller nor its key names an id."""
    narrowed = caller.narrow(ids)
    if not narrowed:
        raise BadRequest(f"at least one of {', '.join(ID_FIELDS)} is needed", code="missing_scope", field=ID_FIELDS[0])
    return narrowed


@router.get("/{memory_id}", response_model=None, **pages.GET)
async def get(request: Request, caller: Reads, memory_id: str) -> Response:
    """One memory with its `state`; deleted and foreign ones are not there."""
    parts = parts_of(request)
    found_id = queries.id_in_path(memory_id, _missing())
    given = queries.parameters(request, {"include", "as_of"})
    include, at = given.words("include", _INCLUDES), _moment(given, "include")
    record = mem0_records.record if speaks_mem0(request.headers, caller) else wire.record
    return Json(
        await parts.db.run(partial(_read, caller=caller, memory_id=found_id, include=include, record=record, at=at))
    )


def _read(
    session: Session,
    *,
    caller: Caller,
    memory_id: UUID,
    include: frozenset[str],
    record: Callable[[Memory], Any],
    at: datetime | None,
) -> dict[str, Any]:
    memory = _own(session, caller, memory_id)
    if at is not None:
        past = as_of.get(session, caller.project_id, memory_id, at)
        if past is None:
            raise NotFound("this memory was not current then", code="memory_not_found", field="as_of")
        memory = past
    body: dict[str, Any] = record(memory)
    if "sources" in include:
        body["sources"] = [wire.source(row) for row in memories.sources(session, caller.project_id, memory_id)]
    if "history" in include:
        body["history"] = [wire.history_row(row) for row in memories.history(session, caller.project_id, memory_id)]
    return body


def _own(session: Session, caller: Caller, memory_id: UUID) -> Memory:
    """A memory this caller may see. Raises `NotFound`."""
    memory = memories.get(session, caller.project_id, memory_id)
    if memory is None or memory.state == "deleted" or not caller.owns(memory.ids):
        raise _missing()
    return memory


@router.patch("/{memory_id}", response_model=None, **pages.PATCH)
async def patch(request: Request, caller: Ingests, memory_id: str) -> Response:
    """Change a memory's text or metadata; it keeps its id, and history keeps the rest."""
    parts = parts_of(request)
    found_id = queries.id_in_path(memory_id, _missing())
    body = parse(PatchBody, await read_object(request, parts.settings.max_body_bytes))
    if len(body.memory or "") > parts.settings.max_message_chars:
        raise TooLarge(f"memory is longer than {parts.settings.max_message_chars} characters", field="memory")
    wire.check_metadata(body.metadata, parts.settings)

    def work(session: Session) -> Memory:
        _own(session, caller, found_id)
        return memory_edits.patch(session, caller.project_id, found_id, Patch(body.memory, body.metadata))

    changed = await parts.db.run(work)
    parts.ringer.ring()
    return Json(wire.record(changed))


@router.delete("/{memory_id}", response_model=None, **pages.DELETE)
async def delete(request: Request, caller: Deletes, memory_id: str) -> Response:
    """Hide a memory for good."""
    if speaks_mem0(request.headers, caller):
        return await mem0_items.delete(request, caller, memory_id)
    parts = parts_of(request)
    found_id = queries.id_in_path(memory_id, _missing())

    def work(session: Session) -> Memory:
        _own(session, caller, found_id)
        return memory_edits.delete(session, caller.project_id, found_id)

    await parts.db.run(work)
    parts.ringer.ring()
    return Json({"message": "Memory deleted successfully!", "id": str(found_id)})


@router.delete("", response_model=None, **pages.DELETE_ALL)
async def delete_all(request: Request, caller: Deletes) -> Response:
    """Erase all memories of the given ids, with the messages they came from."""
    if speaks_mem0(request.headers, caller):
        return await mem0_items.delete_all(request, caller)
    parts = parts_of(request)
    ids = _scope(caller, queries.parameters(request, ID_FIELDS).ids())
    if (await read_bytes(request, parts.settings.max_body_bytes)).strip() not in (b"", b"{}", b"null"):
        raise BadRequest("what to delete is named in the query string, not in a body", field="body")
    erased = await parts.db.run(
        lambda session: erasure.delete_all(
            session, caller.project_id, ids, scope_key=caller.project.scope_key, seal=caller.seal
        )
    )  # fmt: skip
    for event_id, _ in erased.ended:
        parts.waiters.wake(Wake(event_id))
    parts.ringer.ring()
    counts = {"memories": erased.memories, "messages": erased.messages, "events": erased.events}
    return Json({"message": "Memories deleted successfully!", "event_id": str(erased.event_id), **counts})
