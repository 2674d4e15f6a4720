"""mem0 platform: the entities that memories are kept for, and their profiles, which this service does not make."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import queries
from api.deps import Deletes, Ingests, Reads, parts_of
from api.dialects import mem0_records as records
from api.replies import Json
from api.routes import mem0_pages as pages
from api.routes.mem0_items import erase
from shared.db import entities
from shared.db.engine import Session
from shared.db.entities import Entity, Kind
from shared.errors import BadRequest, NotFound
from shared.model.scope import ScopeIds

router = APIRouter(tags=["mem0 platform"], redirect_slashes=False)


def _kind(text: str) -> Kind:
    found = next((kind for kind in entities.KINDS if kind == text), None)
    if found is None:
        raise BadRequest(f"type must be one of {', '.join(entities.KINDS)}", field="type")
    return found


def _missing() -> NotFound:
    return NotFound("no memories are kept for this entity", code="entity_not_found", field="name")


@router.get("/v1/entities", response_model=None, **pages.ENTITIES)
async def listing(request: Request, caller: Reads) -> Response:
    """Users, agents, apps and runs with memories, newest change first."""
    parts = parts_of(request)
    given = queries.parameters(request, {"page", "page_size"})
    page, size = given.number("page", 1, 1, 1_000_000), given.number("page_size", 1_000, 1, 1_000)
    own = caller.narrow(ScopeIds())

    def work(session: Session) -> tuple[list[Entity], dict[Kind, int]]:
        found = entities.listing(session, caller.project_id, own, size, (page - 1) * size)
        return found, entities.totals(session, caller.project_id, own)

    found, totals = await parts.db.run(work)
    count = sum(totals.values())
    links = queries.neighbours(request, parts.settings.public_url, page, size, count)
    body = records.envelope(count, [records.entity(one) for one in found], *links)
    return Json(body | {f"total_{kind}s": number for kind, number in totals.items()})


_NOT_ENABLED: dict[str, Any] = {"status": "not_enabled"}


@router.get("/v2/entities/user/{name:path}/profile", response_model=None, **pages.PROFILE)
async def profile(request: Request, caller: Reads, name: str) -> Response:  # noqa: ARG001 - the same for everybody
    """Profiles are not made: always `not_enabled`."""
    about = {"entity_type": "user", "entity_id": name, "updated_at": None, "generation_count": 0}
    return Json({"profile": {}, **_NOT_ENABLED, **about})


@router.get("/v2/entities/{kind}/{name:path}", response_model=None, **pages.ENTITY)
async def get(request: Request, caller: Reads, kind: str, name: str) -> Response:
    """One entity, as a list of one."""
    chosen, own = _kind(kind), caller.narrow(ScopeIds())
    found = await parts_of(request).db.run(
        lambda session: entities.one(session, caller.project_id, own, chosen, name)
    )  # fmt: skip
    if found is None:
        raise _missing()
    return Json([records.entity(found)])


@router.delete("/v2/entities/{kind}/{name:path}", response_model=None, **pages.DELETE_ENTITY)
async def delete(request: Request, caller: Deletes, kind: str, name: str) -> Response:
    """Erase every memory of an entity, with the messages they came from."""
    return await _delete(request, caller, kind, name)


@router.delete("/v1/entities/{kind}/{name:path}", response_model=None, **pages.DELETE_ENTITY)
async def delete_v1(request: Request, caller: Deletes, kind: str, name: str) -> Response:
    """The same by the older path; `name` may also be the entity's id."""
    chosen, own = _kind(kind), caller.narrow(ScopeIds())
    found = await parts_of(request).db.run(
        lambda session: entities.listing(session, caller.project_id, own, 100_000)
    )  # fmt: skip
    named = (one.name for one in found if one.kind == chosen and records.entity(one)["id"] == name)
    return await _delete(request, caller, kind, next(named, name))


async def _delete(request: Request, caller: Deletes, kind: str, name: str) -> Response:
    ids = caller.narrow(ScopeIds(**{f"{_kind(kind)}_id": name}))
    answer = await erase(request, caller, ids, [])
    return Json(answer | {"message": "Entity deleted successfully!"})


@router.post("/v2/profiles/jobs", response_model=None, **pages.PROFILE)
async def start_job(request: Request, caller: Ingests) -> Response:  # noqa: ARG001 - the same for everybody
    """No job is started."""
    return Json({"job_id": None, "status_url": None, "sampled": 0, "entity_ids": [], **_NOT_ENABLED})


@router.get("/v2/profiles/jobs/{job_id}", response_model=None, **pages.PROFILE)
async def job(request: Request, caller: Reads, job_id: str) -> Response:  # noqa: ARG001 - the same for everybody
    """There are no jobs."""
    counts = dict.fromkeys(("total", "completed", "succeeded", "failed", "skipped"), 0)
    return Json({"job": {"id": job_id, **_NOT_ENABLED, **counts, "enumeration_complete": True}, **_NOT_ENABLED})


@router.get("/v2/profiles/settings", response_model=None, **pages.PROFILE)
async def settings(request: Request, caller: Reads) -> Response:  # noqa: ARG001 - the same for everybody
    """Always off."""
    return Json({"enabled": False, "entities": {}, **_NOT_ENABLED})


@router.post("/v2/profiles/settings", response_model=None, **pages.PROFILE)
async def change_settings(request: Request, caller: Ingests) -> Response:  # noqa: ARG001 - the same for everybody
    """Nothing changes: profiles stay off."""
    return Json({"enabled": False, "entities": {}, **_NOT_ENABLED})
