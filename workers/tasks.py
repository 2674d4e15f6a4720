"""The only task: a bell was rung, so look for due work. Everything it needs to know stands in Postgres."""

from __future__ import annotations

from uuid import UUID

from celery import Celery

from shared.model.scope import ScopeRef
from shared.queue import BELL
from workers import lifecycle


def register(app: Celery) -> None:
    """Attach the task to a Celery app."""
    app.task(name=BELL, ignore_result=True)(bell)


def bell(project_id: str | None = None, scope_id: str | None = None) -> None:
    """Drain due scopes, beginning with the named one if policy allows; a bell too many finds nothing to do."""
    worker = lifecycle.running()
    if worker is not None:
        worker.dispatcher.drain(_hint(project_id, scope_id))


def _hint(project_id: str | None, scope_id: str | None) -> ScopeRef | None:
    """A bell comes from outside the transaction: whatever it says is only a hint."""
    try:
        return ScopeRef(UUID(project_id), UUID(scope_id)) if project_id and scope_id else None
    except (ValueError, TypeError, AttributeError):
        return None
