"""The OpenAPI document: the routes' own words plus what holds for all of them."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from api.dialects import mem0_bodies as mem0
from api.dialects import webhooks
from api.routes.pages import PROBLEM
from api.schemas import AddBody, MessageBody, PatchBody

_ABOUT = """Messages in, long-term memories out. Every path answers with and without a trailing slash.
Errors are one JSON object with string `detail` and `message`; `errors` names the fields at fault."""

_MODELS = (
    AddBody, MessageBody, PatchBody, mem0.Selection, mem0.ListBody, mem0.SearchBody, mem0.UpdateBody, mem0.BatchBody,
    mem0.FeedbackBody, mem0.ExportBody, mem0.ExportGetBody, mem0.ProjectBody, mem0.MemberBody, webhooks.WebhookBody,
    webhooks.WebhookChange,
)  # fmt: skip
_OPEN = ("/livez", "/readyz", "/metrics")


def install(app: FastAPI) -> None:
    """Make `app.openapi()` return the document, built once."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _build(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _build(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(title=app.title, version=app.version, description=_ABOUT, routes=app.routes)
    models = [(model, "validation") for model in _MODELS]
    _, schemas = models_json_schema(models, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    parts = found.setdefault("components", {})
    parts.setdefault("schemas", {}).update(schemas["$defs"])
    parts["schemas"]["Problem"] = PROBLEM
    for name in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(name, None)
    parts["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer"},
        "token": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`Token <key>`: mem0"},
        "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "mem0's self-hosted server"},
    }
    for path, operations in found["paths"].items():
        for operation in operations.values():
            if "HTTPValidationError" in str(operation["responses"].get("422")):
                del operation["responses"]["422"]  # the framework's own, never sent
            operation["security"] = [] if path in _OPEN else [{"key": []}, {"token": []}, {"apiKey": []}]
    return found
