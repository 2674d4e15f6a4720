"""Receipts of erasures: what was removed, in numbers, and whether the index has forgotten it too."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import queries
from api.auth import Caller
from api.deps import Reads, parts_of
from api.replies import Json
from api.routes import pages
from shared.db import erasures, events
from shared.db.engine import Session
from shared.db.erasures import Receipt
from shared.errors import BadRequest, NotFound
from shared.model.scope import ID_FIELDS

router = APIRouter(prefix="/v1/erasures", tags=["erasures"], redirect_slashes=False)


@router.get("", response_model=None, **pages.ERASURES)
async def listing(request: Request, caller: Reads) -> Response:
    """Was it erased? Every erasure that named exactly these ids, newest first."""
    given = queries.parameters(request, ID_FIELDS).ids()
    ids = caller.narrow(given)
    if not ids:
        raise BadRequest(f"at least one of {', '.join(ID_FIELDS)} is needed", code="missing_scope", field=ID_FIELDS[0])
    subject = caller.seal.subject(caller.project_id, ids.given())

    def work(session: Session) -> list[Receipt]:
        erasures.complete(session, caller.project_id)
        return erasures.of_subject(session, caller.project_id, subject)

    found = await parts_of(request).db.run(work)
    return Json({"results": [_record(receipt) for receipt in found]})


@router.get("/{erasure_id}", response_model=None, **pages.ERASURE)
async def get(request: Request, caller: Reads, erasure_id: str) -> Response:
    """One receipt; its id is the event id that the deletion answered with."""
    missing = NotFound("no erasure has this id", code="erasure_not_found", field="id")
    found_id = queries.id_in_path(erasure_id, missing)
    found = await parts_of(request).db.run(lambda session: _read(session, caller, found_id))
    if found is None:
        raise missing
    return Json(_record(found))


def _read(session: Session, caller: Caller, erasure_id: UUID) -> Receipt | None:
    """A key that is bound sees what was erased of its own user or agent."""
    erasures.complete(session, caller.project_id)
    event = events.get(session, caller.project_id, erasure_id)
    bound = caller.user_id is not None or caller.agent_id is not None
    if bound and (event is None or not caller.owns(event.ids)):
        return None
    return erasures.get(session, caller.project_id, erasure_id)


def _record(receipt: Receipt) -> dict[str, Any]:
    return {
        "id": str(receipt.id),
        "what": receipt.what,
        "named": list(receipt.names),
        "counts": dict(receipt.counts),
        "state": receipt.state,
        "waiting_points": receipt.waiting,
        "erased_at": receipt.at.isoformat(),
        "completed_at": receipt.completed_at.isoformat() if receipt.completed_at else None,
    }
