"""For orchestrators and scrapers: alive, ready (each dependency named), metrics. No key needed, no content told."""

from __future__ import annotations

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import PlainTextResponse, Response

from api.deps import parts_of
from api.readiness import check
from api.replies import Json

router = APIRouter(tags=["health"], redirect_slashes=False)


@router.get("/livez", response_model=None)
async def livez() -> Response:
    """The process answers."""
    return Json({"status": "ok"})


@router.get("/readyz", response_model=None, responses={503: {"description": "Postgres is away or its schema is old"}})
async def readyz(request: Request) -> Response:
    """200 while requests can be served, however many dependencies are away."""
    report = await check(parts_of(request))
    headers = {} if report.serves else {"Retry-After": "1"}
    return Json(report.body(), status_code=200 if report.serves else 503, headers=headers)


@router.get("/metrics", response_model=None, response_class=PlainTextResponse)
async def metrics() -> Response:
    """Prometheus text."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
