"""How the fake server answers a request: the well-formed replies and every way of going wrong."""

from __future__ import annotations

import asyncio
import socket
import struct
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import orjson
from starlette.requests import Request
from starlette.responses import Response

from tests.fakes.llm_answers import complete, default_records, payload_of
from tests.fakes.llm_concepts import concept_vector
from tests.fakes.llm_script import Json, Rule, Script, rung_of
from tests.fakes.llm_vectors import encoded, vector

# name -> (status, error type, error code, headers)
ERRORS: dict[str, tuple[int, str, str | None, dict[str, str]]] = {
    "rate_limited": (429, "requests", "rate_limit_exceeded", {}),
    "insufficient_quota": (429, "insufficient_quota", "insufficient_quota", {}),
    "unauthorized": (401, "invalid_request_error", "invalid_api_key", {}),
    "forbidden": (403, "invalid_request_error", None, {}),
    "model_not_found": (404, "invalid_request_error", "model_not_found", {}),
    "context_length_exceeded": (400, "invalid_request_error", "context_length_exceeded", {}),
    "server_error": (500, "server_error", None, {}),
    "bad_gateway": (502, "server_error", None, {}),
    "unavailable": (503, "server_error", None, {}),
    "conflict": (409, "server_error", None, {}),
    "bad_request": (400, "invalid_request_error", None, {}),
    "content_filter_400": (400, "invalid_request_error", "content_filter", {}),
}


def error(
    status: int,
    message: str,
    *,
    type_: str = "invalid_request_error",
    code: str | None = None,
    param: str | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """An error in OpenAI's envelope."""
    body = {"error": {"message": message, "type": type_, "param": param, "code": code}}
    return Response(orjson.dumps(body), status, headers, "application/json")


def chat_reply(
    body: Json,
    content: str | None,
    *,
    refusal: str | None = None,
    finish: str = "stop",
    tokens: tuple[int, int] | None = None,
) -> Response:
    """A chat completion; the content goes into the tool call when one was asked for."""
    message: Json = {"role": "assistant", "content": content, "refusal": refusal}
    if rung_of(body) == "tools" and content is not None:
        call = {"name": body["tools"][0]["function"]["name"], "arguments": content}
        message |= {"content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": call}]}
        finish = "tool_calls" if finish == "stop" else finish
    prompt, answer = tokens or (prompt_tokens(body), -(-len(content or "") // 4))
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": answer,
        "total_tokens": prompt + answer,
        "prompt_tokens_details": {"cached_tokens": 0},
    }
    return Response(
        orjson.dumps(
            {
                "id": f"chatcmpl-{uuid.uuid4().hex[:12]}",
                "object": "chat.completion",
                "created": 0,
                "model": body.get("model", ""),
                "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
                "usage": usage,
            }
        ),
        media_type="application/json",
    )


def prompt_tokens(body: Json) -> int:
    """Characters / 4 of all messages and of the schema that goes along."""
    chars = sum(len(message.get("content") or "") for message in body.get("messages", []))
    structure = body.get("response_format") or body.get("tools")
    return -(-(chars + (len(orjson.dumps(structure)) if structure else 0)) // 4)


def embeddings_reply(body: Json, vectors: list[Any]) -> Response:
    form = body.get("encoding_format", "float")
    data = [{"object": "embedding", "index": n, "embedding": encoded(v, form)} for n, v in enumerate(vectors)]
    tokens = -(-sum(len(text) for text in inputs_of(body)) // 4)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    reply = {"object": "list", "data": data, "model": body.get("model", ""), "usage": usage}
    return Response(orjson.dumps(reply), media_type="application/json")


def inputs_of(body: Json) -> list[str]:
    given = body.get("input", [])
    return [given] if isinstance(given, str) else list(given)


async def answer_chat(request: Request, script: Script, body: Json, text: str, rule: Rule | None) -> Response:
    """The reply a rule (or none) asks for."""
    action, fields = (rule.action, rule.fields) if rule else ("default", {})
    if fields.get("delay"):
        await asyncio.sleep(fields["delay"])
    if action == "hang":
        await _hang(request, script)
        action = fields.get("then", "default")
    if action in ERRORS or action == "status":
        return _scripted_error(action, fields)
    if action in _BREAKS:
        return await _BREAKS[action](request, body, _default(script, text))
    if not _structured(script, body):
        return chat_reply(body, "Sure! I will remember that.")
    return _answer(script, body, text, rule, action, fields)


def _structured(script: Script, body: Json) -> bool:
    return rung_of(body) not in script.options.ignores


def _answer(script: Script, body: Json, text: str, rule: Rule | None, action: str, fields: Json) -> Response:
    if action == "records":
        payload = payload_of(text)
        records = [complete(draft, payload) for draft in fields["records"]]
        if fields.get("rest") and rule:
            records += default_records(payload, script.options.facts, skip=rule.match)
        return chat_reply(body, _dump({"records": records}))
    if action in _ANSWERS:
        return _ANSWERS[action](body, _default(script, text), fields)
    return error(500, f"the script has no action {action!r}")


_ANSWERS: dict[str, Callable[[Json, str, Json], Response]] = {
    "default": lambda body, default, _: chat_reply(body, default),
    "json": lambda body, _, fields: chat_reply(body, _dump(fields["json"])),
    "text": lambda body, _, fields: chat_reply(body, fields["text"]),
    "not_json": lambda body, *_: chat_reply(body, "I found nothing worth keeping, sorry."),
    "fenced": lambda body, default, _: chat_reply(body, f"```json\n{default}\n```"),
    "truncated_json": lambda body, default, _: chat_reply(body, default[: len(default) // 2]),
    "wrong_schema": lambda body, *_: chat_reply(body, _dump({"facts": ["likes tea"]})),
    "refusal": lambda body, *_: chat_reply(body, None, refusal="I can't help with that."),
    "empty": lambda body, *_: chat_reply(body, ""),
    "length": lambda body, default, _: chat_reply(body, default[: len(default) // 2], finish="length"),
    "content_filter": lambda body, *_: chat_reply(body, None, finish="content_filter"),
    "no_choices": lambda *_: Response(_dump({"object": "chat.completion", "choices": []})),
}


def _default(script: Script, text: str) -> str:
    return _dump({"records": default_records(payload_of(text), script.options.facts)})


def _dump(value: Any) -> str:
    return orjson.dumps(value).decode()


def _scripted_error(action: str, fields: Json) -> Response:
    status, type_, code, headers = ERRORS.get(action, (500, "server_error", None, {}))
    return error(
        fields.get("status", status),
        fields.get("message", f"scripted {action}"),
        type_=fields.get("type", type_),
        code=fields.get("code", code),
        param=fields.get("param"),
        headers={**headers, **fields.get("headers", {})},
    )


async def _hang(request: Request, script: Script) -> None:
    """Until released; a caller that goes away is no longer counted as hanging."""
    waiting = asyncio.create_task(script.hang())
    gone = asyncio.create_task(_disconnected(request))
    await asyncio.wait({waiting, gone}, return_when=asyncio.FIRST_COMPLETED)
    for task in (waiting, gone):
        task.cancel()
    await asyncio.gather(waiting, gone, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def answer_embeddings(request: Request, script: Script, body: Json, rule: Rule | None) -> Response:
    """Vectors, or what a rule asks for instead."""
    action, fields = (rule.action, rule.fields) if rule else ("default", {})
    if fields.get("delay"):
        await asyncio.sleep(fields["delay"])
    if action == "hang":
        await _hang(request, script)
        action = fields.get("then", "default")
    if action in ERRORS or action == "status":
        return _scripted_error(action, fields)
    dimensions = body.get("dimensions") or script.options.dimensions
    embed = concept_vector if script.options.concepts else vector
    vectors: list[Any] = [embed(text, dimensions) for text in inputs_of(body)]
    if action in _BREAKS:
        return await _BREAKS[action](request, body, _dump({"data": []}))
    match action:
        case "one_short":
            vectors.pop()
        case "nan":
            vectors[0] = np.full(dimensions, np.nan, dtype=np.float32)
        case "wrong_dimension":
            vectors = [values[: dimensions // 2] for values in vectors]
        case "not_base64":
            return embeddings_reply(body | {"encoding_format": "float"}, vectors)
    return embeddings_reply(body, vectors)


class _Raw(Response):
    """Bytes written past the HTTP server, then the connection is gone."""

    def __init__(self, chunks: list[bytes], pause: float = 0.0, *, reset: bool = False) -> None:
        super().__init__()
        self.chunks, self.pause, self.reset = chunks, pause, reset

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        transport = scope["fake.transport"]
        for chunk in self.chunks:
            if transport.is_closing():
                break
            transport.write(chunk)
            await asyncio.sleep(self.pause)
        if self.reset:
            linger = struct.pack("ii", 1, 0)  # close sends RST
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            transport.abort()
        transport.close()
        while (await receive())["type"] != "http.disconnect":  # else the HTTP server would add a 500 of its own
            pass


_HEAD = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"


async def _reset(_request: Request, _body: Json, _default: str) -> Response:
    return _Raw([], reset=True)


async def _broken_body(_request: Request, body: Json, default: str) -> Response:
    whole = bytes(chat_reply(body, default).body)
    return _Raw([_HEAD % (len(whole) + 500), whole[: len(whole) // 2]])


async def _drip(_request: Request, body: Json, default: str) -> Response:
    whole = bytes(chat_reply(body, default).body)
    return _Raw([_HEAD % len(whole), *(whole[n : n + 1] for n in range(len(whole)))], pause=0.05)


async def _drip_head(_request: Request, body: Json, default: str) -> Response:
    whole = _HEAD % 2 + b"{}"
    return _Raw([whole[n : n + 1] for n in range(len(whole))], pause=0.05)


async def _html(_request: Request, _body: Json, _default: str) -> Response:
    return Response("<html>Please log in</html>", media_type="text/html")


_BREAKS: dict[str, Callable[[Request, Json, str], Awaitable[Response]]] = {
    "reset": _reset,
    "broken_body": _broken_body,
    "drip": _drip,
    "drip_head": _drip_head,
    "html": _html,
}
