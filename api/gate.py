"""The outermost layer: request id, one path with or without a trailing slash, metrics, the last word on errors."""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import errors
from shared.db import tenancy
from shared.logs import get_logger
from shared.metrics import REQUESTS
from shared.model.ids import uuid7

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_log = get_logger(__name__)


class Gate:
    """ASGI middleware; pure, so that bodies and disconnects pass untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = _request_id(headers)
        inner = {**scope, "path": scope["path"].rstrip("/") or "/", "request_id": request_id}
        outcome = _Outcome(send, request_id)
        with structlog.contextvars.bound_contextvars(request_id=request_id), tenancy.nobody():
            try:
                await self._app(inner, receive, outcome.send)
            except Exception as error:
                _report(error)
                if outcome.status is not None:
                    raise  # half an answer is out; the server must cut the connection
                await errors.unexpected(headers, request_id)(inner, receive, outcome.send)
        _observe(inner, outcome)


class _Outcome:
    """Watches an answer on its way out and adds the request id."""

    def __init__(self, send: Send, request_id: str) -> None:
        self.status: int | None = None
        self.started = time.perf_counter()
        self._send = send
        self._request_id = request_id

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)["X-Request-Id"] = self._request_id
        await self._send(message)


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid7().hex


def _observe(scope: MutableMapping[str, Any], outcome: _Outcome) -> None:
    route = getattr(scope.get("route"), "path", "unmatched")
    REQUESTS.labels(route, str(outcome.status)).observe(time.perf_counter() - outcome.started)


def _report(error: Exception) -> None:
    """Where it happened, never what it said: messages of database errors hold the caller's text."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    _log.error("unexpected_error", kind=type(error).__name__, where=where)
