"""An OpenAI-shaped HTTP server that answers by script; the only double of the test suites.

As a process: `python -m tests.fakes.openai_server --port 0 --port-file P`. In a test: `openai_control.FakeOpenAI`.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tests.fakes.llm_actions import answer_chat, answer_embeddings, error, inputs_of, prompt_tokens
from tests.fakes.llm_script import Json, Kind, Options, Script, rung_of


class TransportProtocol(HttpToolsProtocol):
    """Hands the socket's transport to the application, which must be able to break connections."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["fake.transport"] = self.transport  # type: ignore[typeddict-unknown-key]


def create_app(script: Script) -> Starlette:
    """The server as an ASGI application around one script."""

    async def chat(request: Request) -> Response:
        body = orjson.loads(await request.body())
        text = last_user_text(body)
        refused = _refused(script, body)
        return refused or await _served(request, script, "chat", body, text, prompt_tokens(body))

    async def embeddings(request: Request) -> Response:
        body = orjson.loads(await request.body())
        text = "\n".join(inputs_of(body))
        refused = _refused(script, body)
        return refused or await _served(request, script, "embeddings", body, text, -(-len(text) // 4))

    async def models(_request: Request) -> Response:
        return _json({"object": "list", "data": [{"id": "fake-chat", "object": "model", "owned_by": "tests"}]})

    return Starlette(
        routes=[
            Route("/v1/chat/completions", chat, methods=["POST"]),
            Route("/v1/embeddings", embeddings, methods=["POST"]),
            Route("/v1/models", models),
            *_control_routes(script),
        ],
        exception_handlers={ClientDisconnect: _nobody_listens},
    )


async def _nobody_listens(_request: Request, _error: Exception) -> Response:
    """A caller that went away while it sent its request is no fault of the server."""
    return Response(status_code=400)


def last_user_text(body: Json) -> str:
    """The text of the last user message of a chat request."""
    texts = [message.get("content") for message in body.get("messages", []) if message.get("role") == "user"]
    return texts[-1] if texts and isinstance(texts[-1], str) else ""


def _refused(script: Script, body: Json) -> Response | None:
    """400 for parameters and structures that this server does not know."""
    for name in script.options.refuses:
        if name in body:
            return error(400, f"Unsupported parameter: '{name}' is not supported with this model.", param=name)
    rung = rung_of(body)
    if rung != "none" and rung not in script.options.supports:
        param = "tools" if rung == "tools" else "response_format"
        message = f"Invalid parameter: '{param}' of type '{rung}' is not supported with this model."
        return error(400, message, param=param)
    return None


async def _served(request: Request, script: Script, kind: Kind, body: Json, text: str, tokens: int) -> Response:
    """One request, logged, after the latency every request of its kind has."""
    line = script.entry(kind, body, text, tokens)
    started = time.monotonic()
    rule = script.take(kind, text)
    line["action"] = rule.action if rule else "default"
    try:
        latency = script.options.chat_seconds if kind == "chat" else script.options.embeddings_seconds
        if kind == "chat" and script.options.chat_jitter:
            latency += random.uniform(0, script.options.chat_jitter)
        if latency:
            await asyncio.sleep(latency)
        if kind == "chat":
            response = await answer_chat(request, script, body, text, rule)
        else:
            response = await answer_embeddings(request, script, body, rule)
        line["status"] = response.status_code
        return response
    finally:
        line["seconds"] = round(time.monotonic() - started, 4)
        script.in_flight -= 1


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")


def _control_routes(script: Script) -> list[Route]:
    async def push(request: Request) -> Response:
        raw = orjson.loads(await request.body())
        rules, replace = (raw, False) if isinstance(raw, list) else (raw["rules"], raw.get("replace", False))
        script.add(rules, replace=replace)
        return _json({"rules": len(script.rules)})

    async def settings(request: Request) -> Response:
        if request.method == "POST":
            try:
                script.set(orjson.loads(await request.body()))
            except KeyError as unknown:
                return error(400, f"no setting {unknown}")
        return _json({name: getattr(script.options, name) for name in Options.__slots__})

    async def log(request: Request) -> Response:
        start = int(request.query_params.get("from", 0))
        return _json([line for line in script.log if line["n"] >= start])

    async def state(_request: Request) -> Response:
        return _json({"count": len(script.hanging), "in_flight": script.in_flight, "peak": script.peak})

    async def release(_request: Request) -> Response:
        return _json({"released": script.release()})

    async def reset(_request: Request) -> Response:
        script.reset()
        return _json({})

    return [
        Route("/_control/script", push, methods=["POST"]),
        Route("/_control/settings", settings, methods=["GET", "POST"]),
        Route("/_control/log", log),
        Route("/_control/hanging", state),
        Route("/_control/release", release, methods=["POST"]),
        Route("/_control/reset", reset, methods=["POST"]),
    ]


def make_server(script: Script) -> uvicorn.Server:
    """A server that binds nothing itself: `serve(sockets=[...])`."""
    config = uvicorn.Config(
        create_app(script),
        http=TransportProtocol,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,
        backlog=2048,
    )
    return uvicorn.Server(config)


def main() -> None:
    """Serve until terminated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file", type=Path)
    parser.add_argument("--chat-seconds", type=float, default=0.0)
    parser.add_argument("--embeddings-seconds", type=float, default=0.0)
    parser.add_argument("--dimensions", type=int, default=256)
    args = parser.parse_args()
    script = Script()
    script.start_with(
        Options(args.chat_seconds, embeddings_seconds=args.embeddings_seconds, dimensions=args.dimensions)
    )
    sock = uvicorn.Config(app="", host="127.0.0.1", port=args.port, log_level="warning").bind_socket()
    sock.listen(2048)  # whoever reads the port may connect at once
    if args.port_file:
        ready = args.port_file.with_suffix(".tmp")
        ready.write_text(str(sock.getsockname()[1]), encoding="utf-8")
        ready.replace(args.port_file)
    with suppress(KeyboardInterrupt):
        make_server(script).run(sockets=[sock])


if __name__ == "__main__":
    main()
