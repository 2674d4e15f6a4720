"""The floor under an add: the requests the service sent for it, sent again by nothing but the `openai` client."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import openai
import orjson

from tests.bench.names import names_in
from tests.bench.pace import Missed, Sample, closed

Json = dict[str, Any]
Sequence_ = list[tuple[str, Json]]  # (chat | embeddings, request body) in the order they were sent

_TIMEOUT = 60.0


def sequences(log: Iterable[Json]) -> tuple[list[Sequence_], int]:
    """What each add cost, from the chat server's log; and how many requests belong to no single add."""
    by_add: dict[str, Sequence_] = defaultdict(list)
    strays = 0
    for line in log:
        found = names_in(_said(line))
        if len(found) == 1:
            by_add[found.pop()].append((line["kind"], line["body"]))
        else:
            strays += 1
    return list(by_add.values()), strays


def _said(line: Json) -> list[str]:
    """The texts a request is about: the window's messages, not what was known or said before."""
    if line["kind"] == "embeddings":
        return list(line["body"]["input"])
    asked = orjson.loads(line["text"])
    return [message["text"] for message in asked["messages"]]


def replay(base_url: str, file: str, callers: int, seconds: float, way: str = "threads") -> dict[str, Any]:
    """Send the sequences in `file` (JSON) again, one caller a sequence at a time."""
    adds: list[Sequence_] = orjson.loads(Path(file).read_bytes())
    sample = _in_threads(base_url, adds, callers, seconds) if way == "threads" else _on_a_loop(
        base_url, adds, callers, seconds
    )  # fmt: skip
    return sample.as_dict()


def _in_threads(base_url: str, adds: Sequence[Sequence_], callers: int, seconds: float) -> Sample:
    clients = [
        openai.OpenAI(
            api_key="bench", base_url=base_url, max_retries=0, timeout=_TIMEOUT,
            http_client=httpx2.Client(trust_env=False),
        )
        for _ in range(callers)
    ]  # fmt: skip
    turns, lock = count(), threading.Lock()

    def send(caller: int, _step: int) -> None:
        with lock:
            mine = next(turns)
        client = clients[caller]
        try:
            for kind, body in adds[mine % len(adds)]:
                (client.chat.completions if kind == "chat" else client.embeddings).create(**body)
        except openai.OpenAIError as error:
            raise Missed(type(error).__name__) from error

    try:
        return closed(callers, seconds, send)
    finally:
        for client in clients:
            client.close()


def _on_a_loop(base_url: str, adds: Sequence[Sequence_], callers: int, seconds: float) -> Sample:
    import uvloop

    return uvloop.run(_gathered(base_url, adds, callers, seconds))


async def _gathered(base_url: str, adds: Sequence[Sequence_], callers: int, seconds: float) -> Sample:
    sample, turns = Sample(), count()
    loop = asyncio.get_running_loop()
    client = openai.AsyncOpenAI(
        api_key="bench", base_url=base_url, max_retries=0, timeout=_TIMEOUT,
        http_client=httpx2.AsyncClient(trust_env=False, limits=httpx2.Limits(max_connections=None)),
    )  # fmt: skip

    async def call() -> None:
        began = last = loop.time()
        done = 0
        while last - began < seconds:
            for kind, body in adds[next(turns) % len(adds)]:
                await (client.chat.completions if kind == "chat" else client.embeddings).create(**body)
            done += 1
            sample.milliseconds.append((loop.time() - last) * 1000)
            last = loop.time()
        sample.per_second += done / (last - began)

    began = loop.time()
    async with client:
        await asyncio.gather(*(call() for _ in range(callers)))
    sample.seconds, sample.count = loop.time() - began, len(sample.milliseconds)
    return sample
