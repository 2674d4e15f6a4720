"""mem0 platform: add, list and search memories, in its versions 1, 2 and 3."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import filtered_search, queries
from api.auth import Caller
from api.body import read_object
from api.deps import Ingests, Parts, Reads, parts_of
from api.dialects import mem0 as wire
from api.dialects import mem0_records as records
from api.dialects.mem0_bodies import ListBody, SearchBody, Selection
from api.dialects.shape import Shape
from api.filtered_search import NO_THRESHOLD, Threshold
from api.filters.literals import read_literal
from api.posting import post
from api.replay import idempotency_key
from api.replies import Json
from api.routes import mem0_pages as pages
from api.schemas import parse
from shared.db import filtered
from shared.db.engine import Session
from shared.db.filtered import Asked
from shared.errors import BadRequest, NotFound
from shared.model.memory import Memory
from shared.model.scope import ID_FIELDS

router = APIRouter(tags=["mem0 platform"], redirect_slashes=False)

_TOP_K = 10
_PAGE_SIZE = 100
_DEFAULT_V2 = 0.3
_DEFAULT_V3 = 0.1
_SEVERAL = ("categories", "fields")
_LIST = frozenset({
    *ID_FIELDS, *_SEVERAL, "filters", "metadata", "keywords", "page", "page_size", "limit", "top_k", "start_date",
    "end_date", "show_expired",
})  # fmt: skip
IGNORED = frozenset({"enable_graph", "api_version", "async_mode"})


@router.post("/v3/memories/add", response_model=None, **pages.ADD_V3)
async def add_v3(request: Request, caller: Ingests) -> Response:
    """Keep messages. PENDING unless the messages are kept as they are, or the body says `async_mode: false`."""
    parts = parts_of(request)
    body = await read_object(request, parts.settings.max_body_bytes)
    asynchronous = body.get("async_mode", body.get("infer") is not False)
    return await _add(request, caller, body, wire.ADD_V3, async_mode=asynchronous is not False)


async def add_v1(request: Request, caller: Caller) -> Response:
    """`POST /v1/memories/` of a mem0 caller: PENDING unless the body says `async_mode: false`."""
    parts = parts_of(request)
    body = await read_object(request, parts.settings.max_body_bytes)
    v11 = body.get("output_format") == "v1.1"
    asynchronous = body.get("async_mode")
    if asynchronous is None:
        asynchronous = parts.settings.mem0_async
    return await _add(request, caller, body, wire.add_v1(v11=v11), async_mode=asynchronous is not False)


async def _add(request: Request, caller: Caller, body: dict[str, Any], shape: Shape, *, async_mode: bool) -> Response:
    parts = parts_of(request)
    parsed = wire.parse_add(body, caller, parts.settings)
    path = request.url.path.rstrip("/")
    key = idempotency_key(request.headers, f"POST {path}", body, caller, parts.settings.idempotency_days)
    new = replace(parsed.event, idempotency=key)
    return await post(request, parts, new, async_mode=async_mode, shape=shape, budget=parts.settings.wait_cap)


@router.post("/v3/memories", response_model=None, **pages.LIST_V3)
async def list_v3(request: Request, caller: Reads) -> Response:
    """A page of memories, newest first; the query's page wins over the body's."""
    parts = parts_of(request)
    body = await _body(request, caller)
    given = parse(ListBody, body)
    page, size = _paging(request, given)
    asked = wire.asked(caller, given)
    return Json(await _page(request, parts, asked, page or 1, size or given.limit or _PAGE_SIZE, given.fields))


@router.post("/v2/memories", response_model=None, **pages.LIST_V2)
async def list_v2(request: Request, caller: Reads) -> Response:
    """A bare list, an envelope when page and page_size are both given."""
    given = parse(ListBody, await _body(request, caller))
    page, size = _paging(request, given)
    if size is None and given.limit is not None:
        page, size = None, given.limit
    return Json(await _list(request, wire.asked(caller, given), page, size, given.fields))


async def list_v1(request: Request, caller: Caller) -> Response:
    """`GET /v1/memories/` of a mem0 caller: a bare list, an envelope when page and page_size are both given."""
    given = queries.parameters(request, _LIST | IGNORED, _SEVERAL)
    wire.check_echo(dict(request.query_params), caller)
    selection = parse(Selection, {**given.given, **_objects(given)})
    page = given.number("page", 0, 1, 1_000_000) or None
    named = next((name for name in ("page_size", "limit", "top_k") if name in given.given), "page_size")
    size = given.number(named, 0, 1, 200) or None
    if named != "page_size":
        page = None
    return Json(await _list(request, wire.asked(caller, selection), page, size, selection.fields))


def _objects(given: queries.Parameters) -> dict[str, Any]:
    return {name: read_literal(given.given[name], name) for name in ("filters", "metadata") if name in given.given}


async def _list(
    request: Request, asked: Asked, page: int | None, size: int | None, fields: list[str] | None
) -> Any:  # fmt: skip
    body = await _page(request, parts_of(request), asked, page or 1, size or _PAGE_SIZE, fields)
    return body if page is not None and size is not None else body["results"]


async def _page(
    request: Request, parts: Parts, asked: Asked, page: int, size: int, fields: list[str] | None
) -> dict[str, Any]:
    def work(session: Session) -> tuple[list[Memory], int]:
        return filtered.page(session, asked, size, (page - 1) * size), filtered.count(session, asked)

    found, total = await parts.db.run(work)
    links = queries.neighbours(request, parts.settings.public_url, page, size, total)
    return records.envelope(total, [records.record(memory, fields) for memory in found], *links)


def _paging(request: Request, given: ListBody) -> tuple[int | None, int | None]:
    """Page and size: those of the query win."""
    named = queries.parameters(request, {"page", "page_size", *IGNORED})
    page = named.number("page", given.page or 0, 0 if given.page is None else 1, 1_000_000)
    size = named.number("page_size", given.page_size or 0, 0 if given.page_size is None else 1, 200)
    return page or None, size or None


async def _body(request: Request, caller: Caller) -> dict[str, Any]:
    body = await read_object(request, parts_of(request).settings.max_body_bytes)
    wire.check_echo(body, caller)
    return body


@router.post("/v3/memories/search", response_model=None, **pages.SEARCH_V3)
async def search_v3(request: Request, caller: Reads) -> Response:
    """The best memories that pass the filters."""
    body = await _body(request, caller)
    top = next((name for name in ID_FIELDS if body.get(name)), None)
    if top is not None:
        raise BadRequest(f'{top} belongs into filters: {{"{top}": ...}}', field=top)
    results, degraded = await _search(request, caller, parse(SearchBody, body), _DEFAULT_V3)
    return Json({"results": results} | ({"degraded": True} if degraded else {}))


@router.post("/v2/memories/search", response_model=None, **pages.SEARCH_V2)
async def search_v2(request: Request, caller: Reads) -> Response:
    """The best memories that pass the filters, as a bare list."""
    given = parse(SearchBody, await _body(request, caller))
    results, _ = await _search(request, caller, given, _DEFAULT_V2)
    return Json({"results": results, "relations": []} if given.output_format == "v1.1" else results)


@router.post("/v1/memories/search", response_model=None, **pages.SEARCH_V1)
async def search_v1(request: Request, caller: Reads) -> Response:
    """The best memories of the given ids: a bare list, an object when `output_format` is v1.1."""
    given = parse(SearchBody, await _body(request, caller))
    results, _ = await _search(request, caller, given, None)
    return Json({"results": results, "relations": []} if given.output_format == "v1.1" else results)


async def _search(
    request: Request, caller: Caller, given: SearchBody, default: float | None
) -> tuple[list[dict[str, Any]], bool]:
    parts = parts_of(request)
    if not given.query.strip() and not given.only_metadata_based_search:
        raise BadRequest("query must not be empty", field="query")
    asked = wire.asked(caller, given)
    limit = given.top_k or given.limit or _TOP_K
    if given.only_metadata_based_search:
        found = await parts.db.run(lambda session: filtered.page(session, asked, limit))
        return [records.record(memory, given.fields) for memory in found], False
    return await ranked(parts, asked, given, limit, default)


async def ranked(
    parts: Parts, asked: Asked, given: SearchBody, limit: int, default: float | None
) -> tuple[list[dict[str, Any]], bool]:
    """Search results, and whether there should have been an embedding of the query."""
    if given.threshold is not None:
        threshold = Threshold(given.threshold, explicit=True)
    else:
        threshold = NO_THRESHOLD if default is None else Threshold(default)
    found = await filtered_search.search(parts.searcher, parts.db, asked, given.query.strip(), limit, threshold)
    return [records.scored(item, given.fields) for item in found.items], found.degraded


@router.get("/v1/memories/{kind}/{name:path}", response_model=None, **pages.BY_ENTITY)
async def by_entity(request: Request, caller: Reads, kind: str, name: str) -> Response:
    """The memories of one user, agent, app or run, 100 a page."""
    if kind not in ("user", "agent", "app", "run"):
        raise NotFound("there is nothing at this path", code="route_not_found")
    given = queries.parameters(request, {"page", "page_size", *IGNORED})
    selection = parse(Selection, {f"{kind}_id": name})
    page, size = given.number("page", 1, 1, 1_000_000), given.number("page_size", _PAGE_SIZE, 1, 200)
    asked = wire.asked(caller, selection)
    return Json(await _page(request, parts_of(request), asked, page, size, None))
