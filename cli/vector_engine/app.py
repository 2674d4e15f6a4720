"""The REST routes, in Qdrant's envelope: `{"result": …, "status": "ok", "time": …}` or `{"status": {"error": …}}`."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from cli.vector_engine import operations as do
from cli.vector_engine.errors import EngineError, unsupported
from cli.vector_engine.store import Store

log = logging.getLogger("flumes.vector_engine")

REST_VERSION = "1.20.0"  # of the REST interface whose routes are served, for the clients' compatibility check
MAX_BODY = 32 * 2**20
READERS = 4
_OPEN_PATHS = frozenset({"/", "/healthz", "/livez", "/readyz"})

Operation = Callable[[Store, do.Call], Any]
Endpoint = Callable[[Request], Awaitable[Response]]

_READS: tuple[tuple[str, str, Operation], ...] = (
    ("GET", "/collections", do.list_collections),
    ("GET", "/collections/{name}", do.get_collection),
    ("GET", "/collections/{name}/exists", do.collection_exists),
    ("GET", "/collections/{name}/aliases", do.list_aliases_of),
    ("GET", "/aliases", do.list_aliases),
    ("POST", "/collections/{name}/points", do.retrieve_points),
    ("POST", "/collections/{name}/points/query", do.query_points),
    ("POST", "/collections/{name}/points/query/batch", do.query_batch),
    ("POST", "/collections/{name}/points/scroll", do.scroll_points),
    ("POST", "/collections/{name}/points/count", do.count_points),
    ("POST", "/collections/{name}/facet", do.facet_points),
)
_WRITES: tuple[tuple[str, str, Operation], ...] = (
    ("POST", "/collections/aliases", do.change_aliases),
    ("PUT", "/collections/{name}", do.create_collection),
    ("DELETE", "/collections/{name}", do.drop_collection),
    ("PUT", "/collections/{name}/index", do.create_index),
    ("DELETE", "/collections/{name}/index/{field}", do.drop_index),
    ("PUT", "/collections/{name}/points", do.upsert_points),
    ("POST", "/collections/{name}/points/delete", do.delete_points),
)


def create_app(store: Store, api_key: str | None = None) -> Starlette:
    """The application over an open store; reads share a few threads, writes have one of their own."""
    readers, writer = ThreadPoolExecutor(READERS, "read"), ThreadPoolExecutor(1, "write")
    routes = [
        Route("/", _version),
        *(Route(path, _healthy) for path in ("/healthz", "/livez", "/readyz")),
        *(Route(path, _endpoint(store, run, writer), methods=[method]) for method, path, run in _WRITES),
        *(Route(path, _endpoint(store, run, readers), methods=[method]) for method, path, run in _READS),
        Route("/{path:path}", _unknown, methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]),
    ]
    app = Starlette(routes=routes, exception_handlers={EngineError: _failed, 405: _unknown})
    if api_key is not None:
        app.add_middleware(_KeyGuard, api_key=api_key)
    return app


def _endpoint(store: Store, run: Operation, threads: ThreadPoolExecutor) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        started = time.perf_counter()
        call = do.Call(request.path_params, request.query_params, await _body(request))
        return await asyncio.get_running_loop().run_in_executor(threads, _answer, store, run, call, started)

    return endpoint


def _answer(store: Store, run: Operation, call: do.Call, started: float) -> Response:
    """Runs in a thread, serialisation included: the event loop only moves bytes."""
    try:
        result = run(store, call)
    except EngineError as error:
        return _error(error.status, error.message, started)
    except Exception:
        log.exception("a request failed")
        return _error(500, "Service internal error: see the engine's log", started)
    return _json(200, {"result": result, "status": "ok", "time": time.perf_counter() - started})


async def _body(request: Request) -> bytes:
    """The whole body, refused before it is read when it says it is too large."""
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MAX_BODY:
        raise EngineError(413, f"Payload reached size limit of {MAX_BODY} bytes")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise EngineError(413, f"Payload reached size limit of {MAX_BODY} bytes")
    return bytes(body)


def _json(status: int, content: object) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")


def _error(status: int, message: str, started: float) -> Response:
    return _json(status, {"status": {"error": message}, "time": time.perf_counter() - started})


async def _version(_request: Request) -> Response:
    return _json(200, {"title": "flumes vector engine over qdrant-edge", "version": REST_VERSION})


async def _healthy(request: Request) -> Response:
    return PlainTextResponse("all shards are ready" if request.url.path == "/readyz" else "healthz check passed")


async def _failed(_request: Request, error: Exception) -> Response:
    status, message = (error.status, error.message) if isinstance(error, EngineError) else (500, str(error))
    return _error(status, message, time.perf_counter())


async def _unknown(request: Request, _error_405: Exception | None = None) -> Response:
    refusal = unsupported(f"{request.method} {request.url.path}")
    return _error(refusal.status, refusal.message, time.perf_counter())


class _KeyGuard:
    """Asks for the key as a server does: header `api-key`, or a bearer token."""

    def __init__(self, app: Any, api_key: str) -> None:
        self._app = app
        self._key = api_key.encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] not in _OPEN_PATHS and not self._knows(dict(scope["headers"])):
            refusal = PlainTextResponse("Must provide an API key or an Authorization bearer token", 401)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _knows(self, headers: dict[bytes, bytes]) -> bool:
        given = headers.get(b"api-key") or headers.get(b"authorization", b"").removeprefix(b"Bearer ")
        return hmac.compare_digest(given, self._key)
