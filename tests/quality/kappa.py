"""The sweep behind FLUMES_SEARCH_KAPPA: how a BM25 score s, counted as s/(s+kappa), is best weighed beside a cosine.

The hits of the running service are ranked again for each kappa from the parts it gives with them. The dense vectors
come from the scripted thesaurus: the sweep tells the scale of BM25 scores, not the worth of a particular model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx

from shared.model.message import tokens
from shared.settings import Settings
from tests.fakes.openai_control import FakeOpenAIProcess
from tests.quality.evidence import PROJECTS, Asker, Hit, fill, score
from tests.quality.locomo import Conversation, Question
from tests.quality.stage import running
from tests.quality.table import Row
from tests.stack import Stack

KAPPAS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_DEEP = 200


def measure(stack: Stack, conversations: Sequence[Conversation]) -> dict[str, Any]:
    """R@10 and recall in the budget for every kappa, by conversation."""
    given = Settings().search_kappa
    with FakeOpenAIProcess(stack.home.layout.run) as llm:
        llm.settings(concepts=True)
        dense = {"embeddings": "openai", "FLUMES_EMBEDDINGS_BASE_URL": llm.base_url, "FLUMES_EMBEDDINGS_API_KEY": "x"}
        with running(stack, extractor="rules", **dense) as service:
            fill(service, conversations)
            with service.caller(PROJECTS["statements"]) as caller:
                return {
                    conversation.id: _swept(caller, conversation, given) for conversation in conversations
                }  # fmt: skip


def _swept(caller: httpx.Client, conversation: Conversation, given: float) -> dict[str, Any]:
    asker = Asker(caller, conversation, conversation.id)
    parts = [_parts(caller, asker, conversation, question, given) for question in conversation.questions]
    return {
        f"{kappa:g}": score(conversation.questions, [ranked(one, kappa) for one in parts]).as_dict() for kappa in KAPPAS
    }


Part = tuple[Hit, float, float]  # hit, cosine, BM25 score


def _parts(
    caller: httpx.Client, asker: Asker, conversation: Conversation, question: Question, given: float
) -> list[Part]:
    query = {"user_id": conversation.id, "query": question.text, "limit": str(_DEEP)}
    found = caller.get("/v1/memories/", params=query).raise_for_status().json()["results"]
    return [
        (
            Hit(tokens(item["memory"]), asker.sources(item["id"])),
            item["score_breakdown"]["semantic"],
            unweighed(item["score_breakdown"]["bm25"], given),
        )
        for item in found
    ]


def unweighed(part: float, kappa: float) -> float:
    """The score s of a part s/(s+kappa)."""
    return kappa * part / (1 - part) if part < 1 else float("inf")


def ranked(parts: Sequence[Part], kappa: float) -> list[Hit]:
    """The hits as this kappa would order them."""
    return [
        hit for hit, cosine, s in sorted(parts, key=lambda part: part[1] + part[2] / (part[2] + kappa), reverse=True)
    ]


def rows(figures: Mapping[str, Any]) -> Iterator[Row]:
    """A row for each conversation and kappa."""
    for name, swept in figures.items():
        for kappa, figure in swept.items():
            shown = f"R@10 {figure['recall@10']:.3f} MRR {figure['mrr']:.3f} t500 {figure['recall_in_500_tokens']:.3f}"
            yield Row("kappa, dense + BM25", f"{name}, kappa {kappa}", shown)
