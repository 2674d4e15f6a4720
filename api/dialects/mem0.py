"""mem0's platform: what its requests mean to the core, and how the answers to an add look."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from api.auth import Caller
from api.dialects import flumes_v1
from api.dialects.flumes_v1 import Add
from api.dialects.mem0_bodies import Selection
from api.dialects.shape import Shape
from api.filters.parse import merged, parse_filter, shorthand
from shared.db.events import Event
from shared.db.filtered import Asked
from shared.errors import BadRequest, Forbidden
from shared.model.filters import Filter, demanded_ids, names_an_entity
from shared.model.scope import ID_FIELDS, ScopeIds
from shared.settings import Settings

QUEUED = "Memory processing has been queued for background execution"
_SHORTHAND = ("categories", "keywords", "metadata")


def check_echo(given: dict[str, Any], caller: Caller) -> None:
    """A project or organisation named beside the key must be the key's own. Raises `Forbidden`."""
    own = {str(caller.project_id), caller.project.name}
    for name in ("project_id", "org_id"):
        if given.get(name) and str(given[name]) not in own:
            raise Forbidden(f"{name} is not the one of this key", code="foreign_project", field=name)


def parse_add(body: dict[str, Any], caller: Caller, settings: Settings) -> Add:
    """An add of any version. Raises what `flumes_v1.parse_add` raises, and `BadRequest` for a filter that is no id."""
    check_echo(body, caller)
    given = {**body, **_ids(body)}
    if given.get("agent_id") and not given.get("user_id"):
        given["custom_instructions"] = _of_agents(given, caller)
    if given.get("timestamp") is None:
        given["timestamp"] = given.get("observation_datetime") or given.get("observation_date")
    if given.get("infer") is False and isinstance(given.get("messages"), list):
        given["messages"] = [item for item in given["messages"] if not _is_system(item)]
    return flumes_v1.parse_add(given, caller, settings, dialect="mem0")


def _of_agents(given: dict[str, Any], caller: Caller) -> Any:
    """What is asked of the extraction of an agent's own memories: the request's words, then the project's."""
    of_project = (caller.project.settings.get("mem0") or {}).get("agent_custom_instructions")
    return given.get("agent_custom_instructions") or given.get("custom_instructions") or of_project


def _is_system(item: object) -> bool:
    return isinstance(item, dict) and item.get("role") == "system"


def _ids(body: dict[str, Any]) -> dict[str, str]:
    """The entity ids, which may stand inside `filters`; those of both places must agree."""
    if body.get("filters") is None:
        return {}
    found = parse_filter(body["filters"])
    inside = demanded_ids(found).given()
    if len(inside) != _size(body["filters"]):
        raise BadRequest("filters of an add name the ids, each once", code="invalid_filter", field="filters")
    for name, value in inside.items():
        if body.get(name) not in (None, "", value):
            raise BadRequest(f"{name} differs from the one in filters", field=name)
    return inside


def _size(filters: Any) -> int:
    """How many conditions an add's filter holds, through ANDs."""
    inner = filters.get("AND", []) if isinstance(filters, dict) else []
    own = sum(value is not None for name, value in filters.items() if name != "AND")
    return own + sum(_size(item) for item in (inner if isinstance(inner, list) else [inner]))


def asked(caller: Caller, given: Selection, *, need_entity: bool = True) -> Asked:
    """Which memories a list or search is about, within what the key may see.

    Raises `BadRequest` naming a filter at fault, or when no entity is named and none is bound to the key.
    """
    top = {name: getattr(given, name) for name in ID_FIELDS}
    caller.narrow(ScopeIds(**top))
    shown: Filter = merged(
        parse_filter(given.filters),
        shorthand(top | {name: getattr(given, name) for name in _SHORTHAND}, (*ID_FIELDS, *_SHORTHAND)),
        _created(given),
    )
    caller.narrow(demanded_ids(shown))
    own = caller.narrow(ScopeIds())
    if need_entity and not own and not names_an_entity(shown):
        raise BadRequest(
            f"filters must name at least one of {', '.join(ID_FIELDS)}", code="missing_scope", field="filters"
        )
    return Asked(caller.project_id, own, shown, given.show_expired)


def _created(given: Selection) -> Filter:
    bounds = {"gte": given.start_date, "lte": given.end_date}
    set_ = {how: value for how, value in bounds.items() if value not in (None, "")}
    return shorthand({"created_at": set_ or None}, ("created_at",), "created_at")


def add_v1(*, v11: bool) -> Shape:
    """`POST /v1/memories/`: a list, or an object when `output_format` is v1.1."""

    def pending(event_id: UUID) -> Any:
        item = {"message": QUEUED, "status": "PENDING", "event_id": str(event_id)}
        return {"results": [item], "relations": []} if v11 else [item]

    def done(event: Event) -> Any:
        if not v11:
            return [_wrapped(result) for result in event.results]
        results = [{**flumes_v1.item(result), "structured_attributes": None} for result in event.results]
        return {"results": results, "relations": [], "event_id": str(event.id)}

    return Shape(done, pending, pending_status=200, says_pending=True)


def _wrapped(result: dict[str, Any]) -> dict[str, Any]:
    """The older shape of a result, with the newer one's `memory` beside it."""
    plain = flumes_v1.item(result)
    return {"id": plain["id"], "data": {"memory": plain["memory"]}, "event": plain["event"], "memory": plain["memory"]}


def _pending_v3(event_id: UUID) -> Any:
    return {"message": QUEUED, "status": "PENDING", "event_id": str(event_id)}


def _done_v3(event: Event) -> Any:
    return {
        "message": "Memories processed", "status": event.status, "event_id": str(event.id),
        "results": [_wrapped(result) for result in event.results],
    }  # fmt: skip


ADD_V3 = Shape(_done_v3, _pending_v3, pending_status=200)
