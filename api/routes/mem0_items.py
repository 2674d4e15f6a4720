"""mem0 platform: one memory's update, deletion and history; the feed of all changes; deletion by ids; batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import queries
from api.auth import Caller
from api.body import read_bytes, read_object
from api.deps import Deletes, Ingests, Parts, Reads, parts_of
from api.dialects import flumes_v1
from api.dialects import mem0_records as records
from api.dialects.mem0_bodies import BatchBody, UpdateBody
from api.filters.literals import read_literal
from api.filters.parse import parse_filter, shorthand
from api.filters.values import day
from api.replies import Json
from api.routes import mem0_pages as pages
from api.schemas import parse
from api.stamps import moment_of
from shared import clock
from shared.db import entities, erasure, filtered, history_feed, linked, memories, memory_edits
from shared.db.engine import Session
from shared.db.erasure import Erased
from shared.db.filtered import Asked
from shared.db.memory_edits import Keep, Patch
from shared.errors import BadRequest, NotFound, TooLarge
from shared.model.filters import Every, Filter, Word, conjunction, demanded_ids
from shared.model.memory import Memory
from shared.model.scope import ID_FIELDS, ScopeIds
from shared.wakeups import Wake

router = APIRouter(tags=["mem0 platform"], redirect_slashes=False)

_MOST = 1_000  # memories erased one by one in a request


def missing() -> NotFound:
    """No such memory, or none of the caller's."""
    return NotFound("Memory not found!", code="memory_not_found", field="id")


def own(session: Session, caller: Caller, memory_id: UUID) -> Memory:
    """A memory this caller may see. Raises `NotFound`."""
    memory = memories.get(session, caller.project_id, memory_id)
    if memory is None or memory.state == "deleted" or not caller.owns(memory.ids):
        raise missing()
    return memory


@router.get("/v1/memories/events", response_model=None, **pages.HISTORY_FEED)
async def feed(request: Request, caller: Reads) -> Response:
    """Every change of the project's memories, newest first."""
    parts = parts_of(request)
    given = queries.parameters(request, {"page", "limit", "page_size"})
    page = given.number("page", 1, 1, 1_000_000)
    size = given.number("page_size" if "page_size" in given.given else "limit", 100, 1, 200)
    bound = caller.narrow(ScopeIds())
    found, total = await parts.db.run(
        lambda session: history_feed.page(session, caller.project_id, bound, size, (page - 1) * size)
    )
    links = queries.neighbours(request, parts.settings.public_url, page, size, total)
    return Json(records.envelope(total, [records.history(entry) for entry in found], *links))


@router.get("/v1/memories/{memory_id}/history", response_model=None, **pages.HISTORY)
async def history(request: Request, caller: Reads, memory_id: str) -> Response:
    """Every version of a memory, oldest first."""
    return Json(await versions(request, caller, memory_id))


async def versions(request: Request, caller: Caller, memory_id: str) -> list[dict[str, Any]]:
    """The history of a memory on the wire."""
    found_id = queries.id_in_path(memory_id, missing())

    def work(session: Session) -> list[history_feed.HistoryEntry]:
        own(session, caller, found_id)
        return history_feed.of_memory(session, caller.project_id, found_id)

    return [records.history(entry) for entry in await parts_of(request).db.run(work)]


@router.put("/v1/memories/{memory_id}", response_model=None, **pages.UPDATE)
async def update(request: Request, caller: Ingests, memory_id: str) -> Response:
    """Change text, metadata (replaced as a whole), time or expiry of a memory."""
    return Json(records.record(await change(request, caller, memory_id)))


async def change(request: Request, caller: Caller, memory_id: str) -> Memory:
    """The memory as the body of the request changes it."""
    parts = parts_of(request)
    found_id = queries.id_in_path(memory_id, missing())
    body = await read_object(request, parts.settings.max_body_bytes)
    asked = patch_of(body, parts, caller)

    def work(session: Session) -> Memory:
        own(session, caller, found_id)
        if asked == Patch():
            raise BadRequest("text, metadata, timestamp or expiration_date is needed", field="body")
        return memory_edits.patch(session, caller.project_id, found_id, asked)

    changed = await parts.db.run(work)
    parts.ringer.ring()
    return changed


def patch_of(body: dict[str, Any], parts: Parts, caller: Caller) -> Patch:
    """What an update asks for. `expiration_date: null` clears; the other nulls leave as it is."""
    given = parse(UpdateBody, body)
    if len(given.text or "") > parts.settings.max_message_chars:
        raise TooLarge(f"text is longer than {parts.settings.max_message_chars} characters", field="text")
    flumes_v1.check_metadata(given.metadata, parts.settings)
    zone = caller.project.timezone
    said_at = None if given.timestamp is None else moment_of(given.timestamp, "timestamp", zone, clock.now())
    expires = None if given.expiration_date is None else day(given.expiration_date, "expiration_date")
    return Patch(given.text, given.metadata, said_at, expires if "expiration_date" in body else Keep.AS_IT_IS)


async def delete(request: Request, caller: Caller, memory_id: str) -> Response:
    """`DELETE /v1/memories/{id}/` of a mem0 caller; with `delete_linked` also what it replaced."""
    parts = parts_of(request)
    found_id = queries.id_in_path(memory_id, missing())
    cascade = queries.parameters(request, {"delete_linked"}).flag("delete_linked")

    def work(session: Session) -> int:
        own(session, caller, found_id)
        memory_edits.delete(session, caller.project_id, found_id)
        others = linked.replaced_by(session, caller.project_id, found_id) if cascade else []
        for other in others:
            memory_edits.delete(session, caller.project_id, other)
        return len(others)

    count = await parts.db.run(work)
    parts.ringer.ring()
    return Json({"message": "Memory deleted successfully!"} | ({"cascade_count": count} if cascade else {}))


async def delete_all(request: Request, caller: Caller) -> Response:
    """`DELETE /v1/memories/?…` of a mem0 caller: ids in the query or inside `filters`, `*` for all of a kind.

    With `metadata` only those of them that have it.
    """
    given = queries.parameters(request, {*ID_FIELDS, "filters", "metadata"})
    ids, wild = _scope(given, caller)
    if (await read_bytes(request, parts_of(request).settings.max_body_bytes)).strip() not in (b"", b"{}", b"null"):
        raise BadRequest("what to delete is named in the query string, not in a body", field="body")
    if "metadata" not in given.given:
        return Json(await erase(request, caller, ids, wild))
    metadata = read_literal(given.given["metadata"], "metadata")
    if not metadata:
        raise BadRequest("metadata must not be empty", code="invalid_filter", field="metadata")
    chosen = {**ids.given(), **dict.fromkeys(wild, "*"), "metadata": metadata}
    return Json(await _erase_some(request, caller, shorthand(chosen, (*ID_FIELDS, "metadata"))))


def _scope(given: queries.Parameters, caller: Caller) -> tuple[ScopeIds, list[str]]:
    """The ids that must be equal, and those of which every value goes. Raises `BadRequest` without any."""
    wild = [name for name in ID_FIELDS if given.given.get(name) == "*"]
    plain = queries.Parameters({name: value for name, value in given.given.items() if name not in wild}).ids().given()
    if "filters" in given.given:
        inside = parse_filter(read_literal(given.given["filters"], "filters"))
        wild += _wild(inside)
        plain |= _checked(demanded_ids(inside).given(), plain)
    ids = caller.narrow(ScopeIds(**plain))
    if not ids and not wild:
        raise BadRequest(f"at least one of {', '.join(ID_FIELDS)} is needed", code="missing_scope", field=ID_FIELDS[0])
    return ids, wild


def _wild(found: Any) -> list[str]:
    """Ids with a `*`. Raises `BadRequest` for anything but a conjunction of ids: nothing may be dropped here."""
    parts = () if found == Every() else conjunction(found)
    for part in parts:
        if not isinstance(part, Word) or part.column not in ID_FIELDS or len(part.values or ("",)) != 1:
            raise BadRequest("a deletion takes ids that must all be equal, nothing else",
                             code="invalid_filter", field="filters")  # fmt: skip
    return [part.column for part in parts if isinstance(part, Word) and part.values is None]


def _checked(inside: dict[str, str], beside: dict[str, str]) -> dict[str, str]:
    other = next((name for name in inside if beside.get(name, inside[name]) != inside[name]), None)
    if other is not None:
        raise BadRequest(f"{other} differs from the one in filters", field=other)
    return inside


async def erase(request: Request, caller: Caller, ids: ScopeIds, wild: list[str]) -> dict[str, Any]:
    """Erase for good; the answer names the event."""
    parts = parts_of(request)

    def work(session: Session) -> list[Erased]:
        every = _expanded(session, caller, ids, wild)
        key = caller.project.scope_key
        return [
            erasure.delete_all(session, caller.project_id, one, scope_key=key, seal=caller.seal) for one in every
        ]  # fmt: skip

    return _deleting(parts, await parts.db.run(work))


async def _erase_some(request: Request, caller: Caller, shown: Filter) -> dict[str, Any]:
    """Erase the memories that pass, one by one, in the order in which scopes are locked."""
    parts = parts_of(request)
    asked = Asked(caller.project_id, caller.narrow(ScopeIds()), shown, show_expired=True)

    def work(session: Session) -> list[Erased]:
        found = filtered.page(session, asked, _MOST + 1)
        if len(found) > _MOST:
            raise TooLarge(f"more than {_MOST} memories have this metadata", field="metadata")
        chosen = sorted(found, key=lambda memory: (memory.scope_id, memory.id))
        every = [_erased(session, caller, memory.id) for memory in chosen]
        return [one for one in every if one is not None]

    return _deleting(parts, await parts.db.run(work))


def _erased(session: Session, caller: Caller, memory_id: UUID) -> Erased | None:
    """None when it went with one before it."""
    try:
        return erasure.erase_memory(session, caller.project_id, memory_id, seal=caller.seal)
    except NotFound:
        return None


def _deleting(parts: Parts, erased: list[Erased]) -> dict[str, Any]:
    """Wake who waits for what was cut short; the answer."""
    for event_id, _ in (ended for part in erased for ended in part.ended):
        parts.waiters.wake(Wake(event_id))
    parts.ringer.ring()
    last = str(erased[-1].event_id) if erased else None
    return {"message": "Delete in progress. This may take some time.", "event_id": last}


def _expanded(session: Session, caller: Caller, ids: ScopeIds, wild: list[str]) -> list[ScopeIds]:
    """One set of ids for every combination of the names behind a `*`; each is deleted with what it has in common.

    A `*` for what is given already, to whom the key is bound say, stands for that and nothing else.
    """
    found = [ids.given()]
    for name in (name for name in wild if getattr(ids, name) is None):
        kind = next(kind for kind in entities.KINDS if f"{kind}_id" == name)
        names = entities.names(session, caller.project_id, kind)
        found = [{**one, name: value} for one in found for value in names]
    return [ScopeIds(**one) for one in found]


@router.put("/v1/batch", response_model=None, **pages.BATCH_UPDATE)
async def batch_update(request: Request, caller: Ingests) -> Response:
    """Change up to 1000 memories, all or none of them."""
    parts = parts_of(request)
    body = await read_object(request, parts.settings.max_body_bytes)
    given = parse(BatchBody, body)
    asked = [patch_of(item, parts, caller) for item in body["memories"]]

    def one(session: Session, index: int, memory_id: UUID) -> None:
        memory_edits.patch(session, caller.project_id, memory_id, asked[index])

    count = await _batch(parts, caller, given, one)
    return Json({"message": f"Successfully updated {count} memories"})


@router.delete("/v1/batch", response_model=None, **pages.BATCH_DELETE)
async def batch_delete(request: Request, caller: Deletes) -> Response:
    """Delete up to 1000 memories, all or none of them; the body names them."""
    parts = parts_of(request)
    given = parse(BatchBody, await read_object(request, parts.settings.max_body_bytes))

    def one(session: Session, _: int, memory_id: UUID) -> None:
        memory_edits.delete(session, caller.project_id, memory_id)

    count = await _batch(parts, caller, given, one)
    return Json({"message": f"Successfully deleted {count} memories"})


async def _batch(
    parts: Parts, caller: Caller, given: BatchBody, one: Callable[[Session, int, UUID], None]
) -> int:  # fmt: skip
    """Do `one` for each memory, in the order in which scopes are locked. Raises `NotFound` naming the first missing."""
    found_ids = [queries.id_in_path(item.memory_id, missing()) for item in given.memories]
    if len(set(found_ids)) < len(found_ids):
        raise BadRequest("memories names one of them twice", field="memories")

    def work(session: Session) -> int:
        scopes = [own(session, caller, memory_id).scope_id for memory_id in found_ids]
        for index in sorted(range(len(found_ids)), key=lambda place: (scopes[place], place)):
            one(session, index, found_ids[index])
        return len(found_ids)

    count = await parts.db.run(work)
    parts.ringer.ring()
    return count
