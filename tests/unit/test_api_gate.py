"""The outermost layer: what nobody foresaw is a plain 500 that tells nothing, to the caller or the log."""

from __future__ import annotations

import asyncio
import logging

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import PlainTextResponse, Response

from api.gate import Gate


def ask(path: str, **headers: str) -> httpx.Response:
    app = FastAPI(redirect_slashes=False)
    app.add_middleware(Gate)

    @app.get("/broken", response_model=None)
    async def broken() -> Response:
        raise RuntimeError("INSERT INTO messages VALUES ('canary')")

    @app.get("/path", response_model=None)
    async def path_seen(request: Request) -> Response:
        return PlainTextResponse(request.url.path)

    async def main() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(main())


def test_an_unforeseen_error_tells_nothing(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """500 with the request id; the log says where, not what."""
    with caplog.at_level(logging.DEBUG):
        answer = ask("/broken", **{"X-Request-Id": "r-7"})
    told = caplog.text + "".join(capsys.readouterr())

    assert (answer.status_code, answer.json()["code"], answer.json()["request_id"]) == (500, "internal", "r-7")
    assert "canary" not in answer.text
    assert "canary" not in told
    assert "RuntimeError" in told
    assert "test_api_gate.py" in told


@pytest.mark.parametrize("path", ["/path", "/path/", "/path///"])
def test_trailing_slashes_are_cut(path: str) -> None:
    """One route serves both forms."""
    assert ask(path).status_code == 200
