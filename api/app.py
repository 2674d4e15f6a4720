"""The HTTP process: `uvicorn --factory api.app:create_app`. The only place that wires its parts together."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType
from typing import Any

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match, Route

from api import admission, errors, openapi, wait
from api.admission import Admission
from api.auth import Keyring
from api.bell import Ringer
from api.composing.composer import make_composer
from api.deps import Parts
from api.gate import Gate
from api.routes import (
    erasures,
    events,
    health,
    imports,
    mem0_entities,
    mem0_items,
    mem0_manage,
    mem0_memories,
    mem0_project,
    memories,
    oss,
    webhooks,
)
from api.search import Searcher
from api.strangers import Strangers
from api.ticker import every
from api.wait import Waiters
from shared import crashpoints, logs
from shared.db.engine import ApiDatabase
from shared.embeddings.factory import make_embedder
from shared.errors import ServiceError
from shared.model.ids import uuid7
from shared.settings import Settings, get_settings
from shared.vectors.index import VectorIndex
from shared.wakeups import Listener
from shared.webhooks.addresses import allowed

# Paths with a fixed word before those with an id in its place.
_ROUTERS = (
    mem0_items.router, mem0_memories.router, memories.router, events.router, mem0_entities.router, mem0_manage.router,
    mem0_project.router, oss.router, webhooks.router, erasures.router, imports.router, health.router,
)  # fmt: skip


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application; its parts open with the lifespan. Raises `ValueError` naming a setting that is missing."""
    settings = settings or get_settings()
    _refuse_missing(settings)
    logs.configure(settings, "api")
    crashpoints.arm(settings)
    app = FastAPI(
        title="Flumes", version="1", docs_url=None, redoc_url=None, redirect_slashes=False,
        lifespan=lambda app: _lifespan(app, settings),
    )  # fmt: skip
    app.add_middleware(Gate)
    app.add_exception_handler(ServiceError, errors.on_service_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    for router in _ROUTERS:
        app.include_router(router)
    openapi.install(app)
    return app


def _refuse_missing(settings: Settings) -> None:
    given = {name: getattr(settings, name) for name in ("database_url", "redis_url", "qdrant_url")}
    if not settings.insecure_dev or settings.webhooks:
        given["key_pepper"] = settings.key_pepper.get_secret_value()
    missing = [f"FLUMES_{name.upper()}" for name, value in given.items() if not value]
    if missing:
        raise ValueError(f"the API needs {', '.join(missing)}")
    if settings.webhooks:
        allowed(settings.webhook_allow)


@asynccontextmanager
async def _lifespan(app: FastAPI, settings: Settings) -> AsyncIterator[None]:
    parts = _open(settings)
    app.state.parts = parts
    tasks = [
        asyncio.create_task(every(wait.LOOK, "listen", parts.listener.run)),
        asyncio.create_task(every(wait.LOOK, "wait", parts.waiters.look)),
        asyncio.create_task(every(admission.SAMPLE, "admission", lambda: parts.admission.sample(parts.db))),
    ]
    try:
        with _told_to_stop(parts.waiters.stop):
            yield
    finally:
        parts.waiters.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        parts.ringer.close()
        parts.searcher.close()
        parts.composer.close()
        await parts.db.close()


def _open(settings: Settings) -> Parts:
    """No part connects yet; each does when it is first needed."""
    db = ApiDatabase(settings.database_url, pool_size=settings.api_pool)
    waiters = Waiters(db)
    key = settings.qdrant_api_key
    index = VectorIndex(settings.qdrant_url, key.get_secret_value() if key else None)
    return Parts(
        settings=settings,
        db=db,
        keyring=Keyring(
            db,
            settings.key_pepper.get_secret_value(),
            insecure_dev=settings.insecure_dev,
            strangers=Strangers(settings.bad_keys_per_minute, settings.trusted_proxies),
        ),
        waiters=waiters,
        listener=Listener(settings.redis_url, f"flumes:wake:{uuid7().hex}", waiters.wake),
        ringer=Ringer(settings.redis_url),
        admission=Admission(settings),
        searcher=Searcher(db, index, make_embedder(settings), settings.search_kappa),
        composer=make_composer(db, settings),
    )


@contextmanager
def _told_to_stop(stop: Callable[[], None]) -> Iterator[None]:
    """On SIGTERM and SIGINT answer the waiters first; the server ends only after open requests have."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def on_signal(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop)
        previous: Any = before[signal.Signals(number)]
        if callable(previous):
            previous(number, frame)

    for number in before:
        signal.signal(number, on_signal)
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """The framework's 404 and 405, the latter with every method the path takes."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    return errors.plain_http(request, error.status_code, headers)


def _methods(request: Request) -> set[str]:
    routes = [route for router in _ROUTERS for route in router.routes if isinstance(route, Route)]
    fitting = (route for route in routes if route.matches(request.scope)[0] is not Match.NONE)
    return {method for route in fitting for method in route.methods or ()}
