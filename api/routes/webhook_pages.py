"""What the OpenAPI document says about webhooks."""

from __future__ import annotations

from typing import Any

from api.dialects.webhooks import WebhookBody, WebhookChange
from api.routes.pages import answer, answers, body, parameter
from shared.db.webhook_deliveries import STATES

_ID = "0199b1f2-7c1e-7a10-8a55-0d2f6c1b9e77"
_MEMORY = "4a43c2f0-2f37-7d1e-9a55-3a8d2a4f6e01"
_TIME = "2026-06-01T09:30:00+00:00"
_WEBHOOK = {
    "webhook_id": _ID, "id": _ID, "name": "crm", "url": "https://example.org/flumes",
    "event_types": ["memory_add", "memory_update"], "is_active": True, "disabled_reason": None, "failing_since": None,
    "project": "default", "project_id": _MEMORY, "created_at": _TIME, "updated_at": _TIME,
}  # fmt: skip
_SECRET = {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
_DELIVERY = {
    "id": _ID, "message_id": f"msg_{_ID}", "webhook_id": _ID, "event_type": "memory_add", "memory_id": _MEMORY,
    "status": "pending", "attempts": 1, "last_response_code": 503, "last_error": None, "next_attempt_at": _TIME,
    "created_at": _TIME, "ended_at": None,
}  # fmt: skip
_NEW = {"url": "https://example.org/flumes", "name": "crm", "event_types": ["memory_add", "memory_update"]}

LIST: dict[str, Any] = {"summary": "List webhooks", "responses": answers([_WEBHOOK], 404)}
_CREATED = {code: words for code, words in answers({}, 404, 409, 413).items() if code != 200}
CREATE: dict[str, Any] = {
    "status_code": 201,
    "summary": "Make a webhook",
    "responses": {**_CREATED, 201: answer("Made; the secret is shown once", {"type": "object"}, _WEBHOOK | _SECRET)},
    "openapi_extra": {"requestBody": body(WebhookBody, _NEW)},
}
GET: dict[str, Any] = {"summary": "Read a webhook", "responses": answers(_WEBHOOK, 404)}
CHANGE: dict[str, Any] = {
    "summary": "Change a webhook",
    "responses": answers({"message": "Webhook updated successfully", **_WEBHOOK}, 404, 413),
    "openapi_extra": {"requestBody": body(WebhookChange, {"is_active": False})},
}
DELETE: dict[str, Any] = {
    "summary": "Delete a webhook",
    "responses": answers({"message": "Webhook deleted successfully"}, 404),
}
ROTATE: dict[str, Any] = {
    "summary": "Give a webhook a new secret",
    "responses": answers({**_WEBHOOK, **_SECRET}, 404),
}
DELIVERIES: dict[str, Any] = {
    "summary": "List deliveries of a webhook",
    "responses": answers({"count": 1, "next": None, "previous": None, "results": [_DELIVERY]}, 404),
    "openapi_extra": {
        "parameters": [
            parameter("status", "only these", enum=list(STATES)),
            parameter("page", "from 1", "integer", minimum=1, default=1),
            parameter("page_size", "how many", "integer", minimum=1, maximum=200, default=50),
        ]
    },
}
REPLAY: dict[str, Any] = {"summary": "Deliver once more", "responses": answers(_DELIVERY, 404, 409)}
