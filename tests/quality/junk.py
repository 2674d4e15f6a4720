"""Counters of write hygiene: records a message, refusals by reason, exact and near duplicates among what stands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import orjson

from shared.model.text import normalise
from tests.quality.stage import Running

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "synthetic-persona-chat.jsonl"
NEAR = 0.8  # shared words of all words of two texts of one user
_WORD = re.compile(r"\w+")


def post_sample(caller: httpx.Client) -> int:
    """The shipped conversations, each to a user of its own; how many messages."""
    count = 0
    for conversation in _sample():
        messages = [{"role": "user", **message} for message in conversation["messages"]]
        body = {"messages": messages, "user_id": conversation["id"]}
        caller.post("/v1/memories/", json=body, headers={"Prefer": "respond-async"}).raise_for_status()
        count += len(messages)
    return count


def _sample() -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in SAMPLE.read_bytes().splitlines()]


def measure_sample(running: Running) -> dict[str, Any]:
    """The counters on the shipped conversations."""
    with running.caller("junk") as caller:
        messages = post_sample(caller)
        running.settle()
        return count(caller, [conversation["id"] for conversation in _sample()], messages)


def count(caller: httpx.Client, users: Sequence[str], messages: int) -> dict[str, Any]:
    """The counters over these users' memories and events."""
    listed = [_memories(caller, user) for user in users]
    rejected: Counter[str] = Counter()
    for user in users:
        for event in _events(caller, user):
            rejected.update(event["rejections"])
    records = sum(len(texts) for texts in listed)
    return {
        "messages": messages,
        "memories": records,
        "per_message": round(records / messages, 3),
        "rejected": dict(rejected),
        "exact_duplicates": sum(len(texts) - len({normalise(text) for text in texts}) for texts in listed),
        "near_duplicates": sum(near_duplicates(texts) for texts in listed),
    }


def near_duplicates(texts: Sequence[str]) -> int:
    """How many texts have a near twin before them."""
    bags = [frozenset(_WORD.findall(text.casefold())) for text in texts]
    return sum(any(_alike(bag, other) for other in bags[:index]) for index, bag in enumerate(bags))


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= NEAR * len(one | other)


def _memories(caller: httpx.Client, user: str) -> list[str]:
    return [memory["memory"] for page in _pages(caller, user) for memory in page]


def _pages(caller: httpx.Client, user: str) -> Iterator[list[dict[str, Any]]]:
    cursor: str | None = ""
    while cursor is not None:
        query = {"user_id": user, "limit": "200", "cursor": cursor}
        page = caller.get("/v1/memories/", params=query).raise_for_status().json()
        yield page["results"]
        cursor = page["next_cursor"]


def _events(caller: httpx.Client, user: str) -> list[dict[str, Any]]:
    query = {"user_id": user, "page_size": "200"}
    listed: list[dict[str, Any]] = caller.get("/v1/events/", params=query).raise_for_status().json()["results"]
    return listed
