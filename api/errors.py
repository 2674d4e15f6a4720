"""The only place that makes HTTP of errors: one JSON object, whatever went wrong.

`detail` and `message` are strings with the same text, `errors` names the fields at fault. Nothing unexpected is told.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import Request
from starlette.responses import Response

from shared.errors import ServiceError, WorkError
from shared.metrics import REJECTED

JSON = "application/json"
PROBLEM = "application/problem+json"
INTERNAL = "something went wrong here; the request id names it in the logs"


def problem(status: int, code: str, detail: str, request_id: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    """The body of an error; `extra["errors"]` are its faulty fields, the rest of `extra` stands beside them."""
    rest = dict(extra)
    return {
        "type": f"urn:flumes:error:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "message": detail,
        "error": detail,
        "code": code,
        "request_id": request_id,
        "errors": rest.pop("errors", []),
        **rest,
    }


def respond(
    headers_in: Mapping[str, str], body: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Response:
    """Plain JSON, or problem+json for callers that ask for it."""
    media = PROBLEM if PROBLEM in headers_in.get("accept", "") else JSON
    return Response(orjson.dumps(body), status_code=int(body["status"]), headers=dict(headers or {}), media_type=media)


def request_id_of(request: Request) -> str:
    """The id the gate gave this request."""
    return str(request.scope.get("request_id", ""))


def seconds_header(seconds: float) -> str:
    """`Retry-After` in whole seconds, at least 1: clients ignore dates and fractions."""
    return str(max(1, math.ceil(seconds)))


def answer(request: Request, error: ServiceError) -> Response:
    """A `ServiceError` as HTTP."""
    REJECTED.labels(error.code).inc()
    detail = _detail(error)
    extra: dict[str, Any] = {**error.extra, "retryable": error.retryable}
    if error.field is not None:
        extra.setdefault("errors", [{"field": error.field, "message": detail}])
    headers: dict[str, str] = {}
    if error.retry_after is not None or error.status in (429, 503):
        headers["Retry-After"] = seconds_header(error.retry_after or 1)
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="flumes"'
    if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        headers["Connection"] = "close"  # the rest of the body is not worth reading
    location = extra.pop("location", None)
    if location is not None:
        headers["Location"] = str(location)
    return respond(request.headers, problem(error.status, error.code, detail, request_id_of(request), extra), headers)


def _detail(error: ServiceError) -> str:
    """What providers and stores said stays inside; our own sentences go out."""
    if isinstance(error, WorkError):
        return f"a dependency of the service failed ({error.code})"
    return INTERNAL if error.code == ServiceError.code else error.detail


async def on_service_error(request: Request, error: Exception) -> Response:
    """Exception handler for the error tree."""
    assert isinstance(error, ServiceError)  # noqa: S101 - registered for this class only
    return answer(request, error)


def unexpected(headers_in: Mapping[str, str], request_id: str) -> Response:
    """The answer to an error nobody foresaw."""
    return respond(headers_in, problem(500, ServiceError.code, INTERNAL, request_id, {"retryable": False}))


def plain_http(request: Request, status: int, headers: Mapping[str, str] | None) -> Response:
    """The framework's own refusals: unknown path (404), wrong method (405)."""
    if status == HTTPStatus.NOT_FOUND:
        error = ServiceError("there is nothing at this path", code="route_not_found")
    elif status == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (headers or {}).get("Allow", "another method")
        error = ServiceError(f"{request.method} is not possible here; try {allowed}", code="method_not_allowed")
    else:
        error = ServiceError(HTTPStatus(status).phrase, code="refused")
    body = problem(status, error.code, error.detail, request_id_of(request), {"retryable": False})
    return respond(request.headers, body, headers)
