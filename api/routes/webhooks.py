"""Webhooks of a project at mem0's paths, with deliveries listed and replayed. All of it needs the right `admin`.

A webhook sees every change of every memory of its project, so keys bound to a user or agent have no part in it.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import queries
from api.auth import Caller
from api.body import read_object
from api.deps import Administers, Parts, parts_of
from api.dialects import webhooks as wire
from api.replies import Json
from api.routes import webhook_pages as pages
from api.schemas import parse
from shared.db import webhook_deliveries as deliveries
from shared.db import webhooks
from shared.db.engine import Session
from shared.db.webhook_deliveries import Delivery
from shared.db.webhooks import Webhook
from shared.errors import BadRequest, Conflict, Forbidden, NotFound
from shared.webhooks import signing
from shared.webhooks.addresses import allowed
from shared.webhooks.targets import read_target

router = APIRouter(tags=["webhooks"], redirect_slashes=False)

_OF_PROJECT = "/api/v1/webhooks/projects/{project_id}"
_ONE = "/api/v1/webhooks/{webhook_id}"


def _parts(request: Request, caller: Caller, project_id: str | None = None) -> Parts:
    """Raises `Forbidden` where webhooks are off or the key is bound, `NotFound` for another project than the key's."""
    parts = parts_of(request)
    if not parts.settings.webhooks:
        raise Forbidden("webhooks are off here; the operator sets FLUMES_WEBHOOKS=true", code="webhooks_off")
    caller.demand_unbound()
    if project_id not in (None, str(caller.project_id)):
        raise NotFound("this key belongs to no such project", code="project_not_found", field="project_id")
    return parts


def _missing() -> NotFound:
    return NotFound("no webhook has this id", code="webhook_not_found", field="webhook_id")


def _checked(parts: Parts, url: str) -> str:
    """The URL as given. Raises `BadRequest`; what its name stands for is checked at each delivery."""
    settings = parts.settings
    try:
        target = read_target(url, plain_http=settings.webhook_http)
    except ValueError as error:
        raise BadRequest(f"url {error}", field="url") from None
    try:
        refused = allowed(settings.webhook_allow).refuses(target.host, target.host)
    except ValueError:  # a name
        return url
    if refused:
        raise BadRequest("url names an address that is not public", code="address_refused", field="url")
    return url


def _secret(parts: Parts, webhook: Webhook) -> str:
    return signing.secret(parts.settings.key_pepper.get_secret_value(), webhook.id, webhook.secret_generation)


@router.get(_OF_PROJECT, response_model=None, **pages.LIST)
async def listing(request: Request, caller: Administers, project_id: str) -> Response:
    """All webhooks of the key's project."""
    parts = _parts(request, caller, project_id)
    found = await parts.db.run(lambda session: webhooks.listing(session, caller.project_id))
    return Json([wire.webhook(one, caller.project) for one in found])


@router.post(_OF_PROJECT, response_model=None, **pages.CREATE)
async def create(request: Request, caller: Administers, project_id: str) -> Response:
    """Its secret is in this answer and in no other; changes from now on are delivered."""
    parts = _parts(request, caller, project_id)
    given = parse(wire.WebhookBody, await read_object(request, parts.settings.max_body_bytes))
    url, types = _checked(parts, given.url), given.event_types or wire.DEFAULT_TYPES
    made = await parts.db.run(lambda session: webhooks.create(session, caller.project_id, given.name, url, types))
    return Json(wire.webhook(made, caller.project, _secret(parts, made)), status_code=201)


@router.get(_ONE, response_model=None, **pages.GET)
async def get(request: Request, caller: Administers, webhook_id: str) -> Response:
    """One webhook, and how it is doing."""
    parts, found_id = _parts(request, caller), queries.id_in_path(webhook_id, _missing())
    found = await parts.db.run(lambda session: webhooks.get(session, caller.project_id, found_id))
    if found is None:
        raise _missing()
    return Json(wire.webhook(found, caller.project))


@router.put(_ONE, response_model=None, **pages.CHANGE)
async def change(request: Request, caller: Administers, webhook_id: str) -> Response:
    """Name, address, event types; `is_active: true` also takes back that it was disabled."""
    parts, found_id = _parts(request, caller), queries.id_in_path(webhook_id, _missing())
    given = parse(wire.WebhookChange, await read_object(request, parts.settings.max_body_bytes))
    values: dict[str, Any] = {name: value for name, value in given.model_dump().items() if value is not None}
    if not values:
        raise BadRequest("nothing of the webhook is changed by this", field="body")
    if given.url is not None:
        _checked(parts, given.url)
    found = await parts.db.run(lambda session: webhooks.change(session, caller.project_id, found_id, values))
    if found is None:
        raise _missing()
    return Json({"message": "Webhook updated successfully", **wire.webhook(found, caller.project)})


@router.delete(_ONE, response_model=None, **pages.DELETE)
async def delete(request: Request, caller: Administers, webhook_id: str) -> Response:
    """With its deliveries; what is being sent at this moment may still arrive."""
    parts, found_id = _parts(request, caller), queries.id_in_path(webhook_id, _missing())
    if not await parts.db.run(lambda session: webhooks.delete(session, caller.project_id, found_id)):
        raise _missing()
    return Json({"message": "Webhook deleted successfully"})


@router.post(_ONE + "/secret", response_model=None, **pages.ROTATE)
async def rotate(request: Request, caller: Administers, webhook_id: str) -> Response:
    """A new secret, shown once; for a day the one before signs too."""
    parts, found_id = _parts(request, caller), queries.id_in_path(webhook_id, _missing())
    found = await parts.db.run(lambda session: webhooks.rotate(session, caller.project_id, found_id))
    if found is None:
        raise _missing()
    return Json(wire.webhook(found, caller.project, _secret(parts, found)))


@router.get(_ONE + "/deliveries", response_model=None, **pages.DELIVERIES)
async def list_deliveries(request: Request, caller: Administers, webhook_id: str) -> Response:
    """Newest first, with status, attempts, the last response code and the next attempt."""
    parts, found_id = _parts(request, caller), queries.id_in_path(webhook_id, _missing())
    given = queries.parameters(request, {"status", "page", "page_size"})
    page, size = given.number("page", 1, 1, 1_000_000), given.number("page_size", 50, 1, 200)
    state = given.given.get("status")
    if state not in (None, *deliveries.STATES):
        raise BadRequest(f"status knows {', '.join(deliveries.STATES)}", field="status")

    def work(session: Session) -> tuple[int, list[Delivery]]:
        if webhooks.get(session, caller.project_id, found_id) is None:
            raise _missing()
        offset = (page - 1) * size
        count, rows = deliveries.page(session, caller.project_id, found_id, state=state, limit=size, offset=offset)
        return count, list(rows)

    count, rows = await parts.db.run(work)
    following, before = queries.neighbours(request, parts.settings.public_url, page, size, count)
    return Json(
        {"count": count, "next": following, "previous": before, "results": [wire.delivery(row) for row in rows]}
    )


@router.post(_ONE + "/deliveries/{delivery_id}/replay", response_model=None, **pages.REPLAY)
async def replay(request: Request, caller: Administers, webhook_id: str, delivery_id: str) -> Response:
    """Due at once, with the same id and the whole schedule before it."""
    parts, found_id = _parts(request, caller), queries.id_in_path(webhook_id, _missing())
    absent = NotFound("this webhook has no such delivery", code="delivery_not_found", field="delivery_id")
    asked_id = queries.id_in_path(delivery_id, absent)
    found = await parts.db.run(lambda session: _replay(session, caller.project_id, found_id, asked_id))
    if found is None:
        raise absent
    return Json(wire.delivery(found))


def _replay(session: Session, project_id: UUID, webhook_id: UUID, delivery_id: UUID) -> Delivery | None:
    webhook = webhooks.get(session, project_id, webhook_id)
    if webhook is None:
        raise _missing()
    if not webhook.is_active:
        raise Conflict("this webhook is switched off", code="webhook_inactive", field="webhook_id")
    return deliveries.replay(session, project_id, webhook_id, delivery_id)
