"""What routes are given: the parts of the process, and the caller with the right a route demands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from api.admission import Admission
from api.auth import Caller, Keyring
from api.bell import Ringer
from api.composing.composer import Composer
from api.search import Searcher
from api.wait import Waiters
from shared.db import tenancy
from shared.db.engine import ApiDatabase
from shared.settings import Settings
from shared.wakeups import Listener


@dataclass(frozen=True, slots=True)
class Parts:
    """Made once by the app's lifespan."""

    settings: Settings
    db: ApiDatabase
    keyring: Keyring
    waiters: Waiters
    listener: Listener
    ringer: Ringer
    admission: Admission
    searcher: Searcher
    composer: Composer


def parts_of(request: Request) -> Parts:
    """The process's parts."""
    parts: Parts = request.app.state.parts
    return parts


def may(right: str) -> Callable[[Request], Awaitable[Caller]]:
    """A dependency: the authenticated caller, who has `right`."""

    async def caller(request: Request) -> Caller:
        client = request.client.host if request.client else None
        found = await parts_of(request).keyring.caller(request.headers, client)
        found.demand(right)
        tenancy.become(found.project_id)
        return found

    return caller


Ingests = Annotated[Caller, Depends(may("ingest"))]
Reads = Annotated[Caller, Depends(may("read"))]
Deletes = Annotated[Caller, Depends(may("delete"))]
Administers = Annotated[Caller, Depends(may("admin"))]
