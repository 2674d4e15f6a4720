"""Webhooks in mem0's shapes, with what mem0 does not have beside them: the secret, how it is doing, deliveries."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StrictStr

from api.schemas import WireModel
from shared.db.projects import Project
from shared.db.webhook_deliveries import Delivery
from shared.db.webhooks import Webhook
from shared.model import notices

EventType = Literal[
    "memory_add", "memory_update", "memory_delete", "memory_categorize", "ingest_job_completed",
    "ingest_job_partially_completed", "ingest_job_failed", "ingest_job_cancelled",
]  # fmt: skip
DEFAULT_TYPES = (notices.ADDED, notices.UPDATED, notices.DELETED)


def _once(value: object) -> object:
    return list(dict.fromkeys(value)) if isinstance(value, list) and all(isinstance(v, str) for v in value) else value


Name = Annotated[StrictStr, Field(max_length=200)]
Url = Annotated[StrictStr, Field(min_length=1, max_length=2_048)]
EventTypes = Annotated[list[EventType], Field(min_length=1), BeforeValidator(_once)]


class WebhookBody(WireModel):
    """`POST`: a webhook is made."""

    url: Url = Field(description="https, a public address unless the operator allows more")
    name: Name = ""
    event_types: EventTypes | None = Field(None, description="absent: added, updated and deleted memories")


class WebhookChange(WireModel):
    """`PUT`: what is absent or null stays. Switched on again, it is sent what waits."""

    url: Url | None = None
    name: Name | None = None
    event_types: EventTypes | None = None
    is_active: bool | None = None


def webhook(found: Webhook, project: Project, secret: str | None = None) -> dict[str, Any]:
    """A webhook; its secret only where it was just made."""
    shown: dict[str, Any] = {
        "webhook_id": str(found.id),
        "id": str(found.id),
        "name": found.name,
        "url": found.url,
        "event_types": list(found.event_types),
        "is_active": found.is_active,
        "disabled_reason": found.disabled_reason,
        "failing_since": found.failing_since.isoformat() if found.failing_since else None,
        "project": project.name,
        "project_id": str(project.id),
        "created_at": found.created_at.isoformat(),
        "updated_at": found.updated_at.isoformat(),
    }
    return shown if secret is None else shown | {"secret": secret}


def delivery(found: Delivery) -> dict[str, Any]:
    """A delivery: `message_id` is what the receiver sees as `webhook-id`."""
    pending = found.state == "pending"
    return {
        "id": str(found.id),
        "message_id": f"msg_{found.id}",
        "webhook_id": str(found.webhook_id),
        "event_type": found.event_type,
        "memory_id": str(found.memory_id),
        "status": found.state,
        "attempts": found.attempts,
        "last_response_code": found.last_status,
        "last_error": found.last_error,
        "next_attempt_at": found.due_at.isoformat() if pending and not found.in_work else None,
        "created_at": found.created_at.isoformat(),
        "ended_at": found.ended_at.isoformat() if found.ended_at else None,
    }
