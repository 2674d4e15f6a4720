"""Candidate recall: does the recall stage, asked with a new message, show the stored fact that the message changes?

Every pair's old fact stands in one scope among some hundred facts of other people; the stage itself is called, on
Postgres and the vector engine, once with BM25 alone and once with dense vectors beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from shared.db import projects
from shared.db.engine import Database
from shared.db.scopes import Claim
from shared.model.ids import uuid7
from shared.model.memory import Memory
from shared.model.message import Message, Window
from shared.model.scope import ScopeRef
from shared.settings import Settings
from tests.integration.memory_rows import settle_events, stored
from tests.quality.cases import FOLDER
from tests.stack import QDRANT_KEY, Stack, drop_collections
from workers.assembly import make_parts
from workers.parts import Parts
from workers.pipeline.index import index
from workers.pipeline.recall import recall
from workers.work import Work

BOUND = 0.85  # of the pairs, with an embedder
MOST = 30  # candidates
_NOW = datetime(2026, 5, 14, 10, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Pair:
    """A stored fact and a message that changes it. `shares`: they have a content word in common."""

    old: str
    new: str
    shares: bool


@dataclass(frozen=True, slots=True)
class Recall:
    """Shares of the pairs whose old fact was shown, and how many candidates were, at most and on average."""

    pairs: int
    found: float
    sharing: float
    apart: float
    most: int
    mean: float
    missed: tuple[Pair, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "pairs": self.pairs, "recall": self.found, "sharing": self.sharing, "apart": self.apart,
            "most": self.most, "mean": self.mean, "missed": [pair.old for pair in self.missed],
        }  # fmt: skip


def load_pairs() -> list[Pair]:
    """The shipped pairs."""
    lines = (FOLDER / "update-pairs.jsonl").read_bytes().splitlines()
    return [Pair(**orjson.loads(line)) for line in lines]


def load_distractors() -> list[str]:
    """Facts that no pair is about."""
    return (FOLDER / "distractors.txt").read_text(encoding="utf-8").splitlines()


def measure(stack: Stack, llm_url: str | None) -> Recall:
    """Of all pairs; dense vectors come from `llm_url`, None: BM25 alone."""
    pairs = load_pairs()
    with _filled(stack, llm_url, [pair.old for pair in pairs] + load_distractors()) as (parts, scope):
        shown = [_shown(parts, scope, pair.new) for pair in pairs]
    return summary(pairs, shown)


def summary(pairs: Sequence[Pair], shown: Sequence[Sequence[str]]) -> Recall:
    """The figures; `shown[i]`: the candidates of pair i."""
    hits = [pair.old in texts for pair, texts in zip(pairs, shown, strict=True)]
    sizes = [len(texts) for texts in shown]

    def part(*, shares: bool) -> float:
        some = [hit for pair, hit in zip(pairs, hits, strict=True) if pair.shares == shares]
        return sum(some) / len(some)

    missed = tuple(pair for pair, hit in zip(pairs, hits, strict=True) if not hit)
    mean = sum(sizes) / len(sizes)
    return Recall(
        len(pairs), sum(hits) / len(hits), part(shares=True), part(shares=False), max(sizes), mean, missed
    )  # fmt: skip


@contextmanager
def _filled(stack: Stack, llm_url: str | None, facts: Sequence[str]) -> Iterator[tuple[Parts, ScopeRef]]:
    """A worker's parts on a new database whose one scope holds these facts, all of them indexed."""
    drop_collections(stack.engine.url)
    url = stack.new_database()
    db = Database(url, pool_size=4, name="quality")
    background = ThreadPoolExecutor(1)
    dense: dict[str, Any] = (
        {"embeddings": "openai", "embeddings_base_url": llm_url, "embeddings_api_key": "sk-test"} if llm_url else {}
    )
    values: dict[str, Any] = {
        "database_url": url, "redis_url": stack.valkey.url, "qdrant_url": stack.engine.url,
        "qdrant_api_key": QDRANT_KEY, "extractor": "rules", "embeddings": "none", **dense,
    }  # fmt: skip
    settings = Settings(**values)
    parts = make_parts(settings, db, background, "quality")
    try:
        yield parts, _fill(parts, facts)
    finally:
        background.shutdown()
        parts.index.close()
        parts.waker.close()
        db.close()
        stack.drop_database(url)


def _fill(parts: Parts, facts: Sequence[str]) -> ScopeRef:
    project = parts.db.run(lambda session: projects.ensure(session, "candidates"))
    memories: list[Memory] = [stored(parts.db, project.id, fact, kind="knowledge") for fact in facts]
    settle_events(parts.db)
    _queue(parts, memories)
    while index(parts):
        pass
    return ScopeRef(project.id, memories[0].scope_id)


def _queue(parts: Parts, memories: Sequence[Memory]) -> None:
    from shared.db import index_queue
    from shared.db.index_queue import Change

    changes = [Change(memory.project_id, memory.scope_id, memory.id, 1, "upsert") for memory in memories]
    parts.db.run(lambda session: index_queue.put(session, changes))


def _shown(parts: Parts, scope: ScopeRef, text: str) -> list[str]:
    """What the extractor would be shown beside this message."""
    message = Message(uuid7(), uuid7(), 1, 0, "user", text, _NOW)
    claim = Claim(scope, "live", 1, "quality", 1, len(text))
    work = Work(UUID(int=1), claim, Window((message,)), ((message,),), {})
    return [candidate.text for candidate in recall(parts, work).candidates]
