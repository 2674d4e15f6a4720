"""mem0 platform: ping, the project behind the key and its members. Projects themselves are made by the operator."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.auth import Caller
from api.body import read_object
from api.deps import Administers, Reads, parts_of
from api.dialects import mem0_project as wire
from api.dialects.mem0_bodies import MemberBody, ProjectBody
from api.replies import Json
from api.routes import mem0_pages as pages
from api.schemas import parse
from shared.db import members, projects
from shared.db.engine import Session
from shared.errors import BadRequest, Forbidden, NotFound

router = APIRouter(tags=["mem0 platform"], redirect_slashes=False)

_ORGS = "/api/v1/orgs/organizations"
_PROJECT = _ORGS + "/{org_id}/projects/{project_id}"


@router.get("/v1/ping", response_model=None, **pages.PING)
async def ping(request: Request, caller: Reads) -> Response:  # noqa: ARG001 - the signature of a route
    """The key is good; this is what it belongs to."""
    own = str(caller.project_id)
    return Json({"status": "ok", "org_id": own, "project_id": own, "user_email": wire.EMAIL})


def _own(caller: Caller, *ids: str) -> None:
    """Raises `NotFound` for another organisation or project than the key's."""
    if any(given != str(caller.project_id) for given in ids):
        raise NotFound("this key belongs to no such project", code="project_not_found", field="project_id")


@router.get(_ORGS, response_model=None, **pages.ORGANISATIONS)
async def organisations(request: Request, caller: Reads) -> Response:  # noqa: ARG001 - the signature of a route
    """The one organisation of the key."""
    return Json([wire.organisation(caller.project)])


@router.get(_ORGS + "/{org_id}", response_model=None, **pages.ORGANISATION)
async def organisation(request: Request, caller: Reads, org_id: str) -> Response:  # noqa: ARG001 - as above
    """The one organisation of the key."""
    _own(caller, org_id)
    return Json(wire.organisation(caller.project))


@router.get(_ORGS + "/{org_id}/projects", response_model=None, **pages.PROJECTS)
async def listing(request: Request, caller: Reads, org_id: str) -> Response:
    """The one project of the key."""
    _own(caller, org_id)
    return Json([await _project(request, caller)])


@router.get(_PROJECT, response_model=None, **pages.PROJECT)
async def get(request: Request, caller: Reads, org_id: str, project_id: str) -> Response:
    """The whole project, whatever `fields` says."""
    _own(caller, org_id, project_id)
    return Json(await _project(request, caller))


async def _project(request: Request, caller: Caller) -> dict[str, Any]:
    found = await parts_of(request).db.run(lambda session: projects.get(session, caller.project_id))
    return wire.project(found or caller.project)


@router.patch(_PROJECT, response_model=None, **pages.CHANGE_PROJECT)
async def change(request: Request, caller: Administers, org_id: str, project_id: str) -> Response:
    """Instructions and categories count from the next extraction on; null clears."""
    _own(caller, org_id, project_id)
    parts = parts_of(request)
    body = await read_object(request, parts.settings.max_body_bytes)
    settings = wire.settings(body, parse(ProjectBody, body))
    if not settings:
        raise BadRequest("nothing of the project is changed by this", field="body")
    await parts.db.run(lambda session: projects.change(session, caller.project_id, settings))
    parts.keyring.forget(caller.project_id)
    return Json({"message": "Updated project"})


@router.post(_ORGS + "/{org_id}/projects", response_model=None, **pages.OPERATOR_ONLY)
async def create(request: Request, caller: Administers, org_id: str) -> Response:  # noqa: ARG001 - as above
    """Refused: a project is a tenant, and the operator makes those."""
    _own(caller, org_id)
    raise Forbidden("projects are made by the operator: `flumes keys create --project NAME`", code="operator_only")


@router.delete(_PROJECT, response_model=None, **pages.OPERATOR_ONLY)
async def delete(request: Request, caller: Administers, org_id: str, project_id: str) -> Response:  # noqa: ARG001 - as above
    """Refused: a project is a tenant, and the operator removes those."""
    _own(caller, org_id, project_id)
    raise Forbidden("projects are removed by the operator; memories are deleted by their ids", code="operator_only")


@router.get(_PROJECT + "/members", response_model=None, **pages.MEMBERS)
async def list_members(request: Request, caller: Reads, org_id: str, project_id: str) -> Response:
    """Who is named as a member."""
    _own(caller, org_id, project_id)
    found = await parts_of(request).db.run(lambda session: members.listing(session, caller.project_id))
    return Json({"members": [{"email": email, "role": role} for email, role in sorted(found.items())]})


@router.post(_PROJECT + "/members", response_model=None, **pages.CHANGE_MEMBER)
async def add_member(request: Request, caller: Administers, org_id: str, project_id: str) -> Response:
    """Name a member."""
    _own(caller, org_id, project_id)
    return await _put_member(request, caller, "User added to the project")


@router.put(_PROJECT + "/members", response_model=None, **pages.CHANGE_MEMBER)
async def change_member(request: Request, caller: Administers, org_id: str, project_id: str) -> Response:
    """Change the role of a member."""
    _own(caller, org_id, project_id)
    return await _put_member(request, caller, "User role updated")


async def _put_member(request: Request, caller: Caller, message: str) -> Response:
    parts = parts_of(request)
    given = parse(MemberBody, await read_object(request, parts.settings.max_body_bytes))
    await parts.db.run(lambda session: members.put(session, caller.project_id, given.email, given.role))
    return Json({"message": message})


@router.delete(_PROJECT + "/members", response_model=None, **pages.REMOVE_MEMBER)
async def remove_member(request: Request, caller: Administers, org_id: str, project_id: str) -> Response:
    """No longer a member."""
    _own(caller, org_id, project_id)
    email = request.query_params.get("email", "")

    def work(session: Session) -> bool:
        return members.remove(session, caller.project_id, email)

    if not await parts_of(request).db.run(work):
        raise NotFound("nobody with this address is a member", code="member_not_found", field="email")
    return Json({"message": "User removed from the project"})
