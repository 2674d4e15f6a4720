"""Every route of the app, read from the app: one that nobody told how to call is an error, not a gap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Route

OPEN = ("/livez", "/readyz", "/metrics", "/openapi.json")

# The placeholders of paths; a new one needs a line in `moves.placeholders`.
PLACEHOLDERS = frozenset(
    {
        *("memory_id", "event_id", "kind", "name", "org_id", "project_id", "job_id", "import_id"),
        *("webhook_id", "delivery_id", "erasure_id"),
    }
)

# Which body a route that takes one is called with (`moves.bodies`); a GET takes none.
BODIES = {
    "POST /v1/memories": "add",
    "PATCH /v1/memories/{memory_id}": "text",
    "DELETE /v1/memories/{memory_id}": "nothing",
    "DELETE /v1/memories": "nothing",
    "POST /v1/event/{event_id}/retry": "nothing",
    "POST /v1/event/{event_id}/revert": "nothing",
    "DELETE /v2/entities/{kind}/{name}": "nothing",
    "DELETE /v1/entities/{kind}/{name}": "nothing",
    "POST /v2/profiles/jobs": "selection",
    "POST /v2/profiles/settings": "project",
    "PUT /v1/memories/{memory_id}": "text",
    "PUT /v1/batch": "batch",
    "DELETE /v1/batch": "batch",
    "POST /v1/feedback": "feedback",
    "POST /v1/exports": "export",
    "POST /v1/exports/get": "export",
    "POST /v1/summary": "selection",
    "POST /v3/memories/add": "add",
    "POST /v3/memories": "selection",
    "POST /v2/memories": "selection",
    "POST /v3/memories/search": "search",
    "POST /v2/memories/search": "search",
    "POST /v1/memories/search": "search",
    "PATCH /api/v1/orgs/organizations/{org_id}/projects/{project_id}": "project",
    "POST /api/v1/orgs/organizations/{org_id}/projects": "project",
    "DELETE /api/v1/orgs/organizations/{org_id}/projects/{project_id}": "nothing",
    "POST /api/v1/orgs/organizations/{org_id}/projects/{project_id}/members": "member",
    "PUT /api/v1/orgs/organizations/{org_id}/projects/{project_id}/members": "member",
    "DELETE /api/v1/orgs/organizations/{org_id}/projects/{project_id}/members": "member",
    "POST /api/v1/webhooks/projects/{project_id}": "webhook",
    "PUT /api/v1/webhooks/{webhook_id}": "webhook",
    "DELETE /api/v1/webhooks/{webhook_id}": "nothing",
    "POST /api/v1/webhooks/{webhook_id}/secret": "nothing",
    "POST /api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay": "nothing",
    "POST /memories": "add",
    "PUT /memories/{memory_id}": "text",
    "DELETE /memories/{memory_id}": "nothing",
    "DELETE /memories": "nothing",
    "POST /search": "search",
    "POST /v1/imports": "add",
    "POST /v1/imports/{import_id}/pause": "nothing",
    "POST /v1/imports/{import_id}/resume": "nothing",
    "POST /v1/imports/{import_id}/cancel": "nothing",
}


@dataclass(frozen=True, slots=True)
class Way:
    """One method of one path; `path` holds its placeholders bare, without converters."""

    method: str
    path: str
    names: tuple[str, ...]

    @property
    def label(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def body(self) -> str | None:
        return None if self.method == "GET" else BODIES[self.label]


def ways(app: FastAPI) -> list[Way]:
    """What a caller may try. Raises AssertionError naming what `BODIES` or `PLACEHOLDERS` lack."""
    found = sorted({way for route in _flat(app.routes) for way in _of(route)}, key=lambda way: way.label)
    untold = [way.label for way in found if way.method != "GET" and way.label not in BODIES]
    assert not untold, f"tests/walls/routes.py: no body is known for {untold}"
    strange = {name for way in found for name in way.names} - PLACEHOLDERS
    assert not strange, f"tests/walls/routes.py: unknown placeholders {sorted(strange)}"
    return found


def _flat(routes: Any) -> Iterator[Route]:
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from _flat(inner.routes)
        else:
            assert isinstance(route, Route), f"what is {route!r}?"
            yield route


def _of(route: Route) -> Iterator[Way]:
    if route.path in OPEN:
        return
    assert isinstance(route, APIRoute), route
    path = route.path.replace(":path", "")
    for method in route.methods or ():
        yield Way(method, path, tuple(part[1:-1] for part in path.split("/") if part.startswith("{")))
