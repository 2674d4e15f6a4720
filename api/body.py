"""Reading a request body: bounded, JSON, an object, without NUL characters (Postgres cannot keep them)."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import Request

from shared.errors import BadRequest, TooLarge


async def read_object(request: Request, limit: int) -> dict[str, Any]:
    """The body as a JSON object. Raises `TooLarge` beyond `limit` bytes, `BadRequest` for anything else."""
    raw = await read_bytes(request, limit)
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"the body is not valid JSON: {error}", code="invalid_json", field="body") from None
    if not isinstance(body, dict):
        raise BadRequest("the body must be a JSON object", field="body")
    if b"\\u0000" in raw:
        refuse_nul(body)
    return body


async def read_bytes(request: Request, limit: int) -> bytes:
    """The body, read no further than `limit` bytes. Raises `TooLarge`."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is larger than {limit} bytes", field="body")


def refuse_nul(value: Any, field: str = "") -> None:
    """Raises `BadRequest` naming the first place that holds a NUL character."""
    if isinstance(value, str):
        if "\0" in value:
            raise BadRequest(f"{field or 'body'} holds a NUL character", code="nul_character", field=field or "body")
    elif isinstance(value, dict):
        for name, inner in value.items():
            refuse_nul(name, f"{field}.(name)" if field else "(name)")
            refuse_nul(inner, f"{field}.{name}" if field else name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            refuse_nul(inner, f"{field}[{index}]")
