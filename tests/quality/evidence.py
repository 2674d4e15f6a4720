"""Evidence recall: does a search for a question bring the turns that answer it? Asked over HTTP, as any caller would.

Three stores of the same conversation: its messages as they are, the statements made of them, and both together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import httpx

from shared.model.message import tokens
from tests.quality.locomo import Conversation, Question, Turn
from tests.quality.stage import Running

Store = Literal["raw", "statements", "union"]
STORES: tuple[Store, ...] = ("raw", "statements", "union")
CUTS = (5, 10, 20)
BUDGET = 500  # tokens, characters / 4, of the texts served
_DEEP = 60  # hits asked for: more than any cut or the budget takes


@dataclass(frozen=True, slots=True)
class Hit:
    """What a search served: its size in tokens and the turns it rests on."""

    size: int
    turns: frozenset[str]


@dataclass(frozen=True, slots=True)
class Score:
    """Means over questions. `recall[k]`: share of the evidence among the first k hits; `budget`: within 500 tokens."""

    questions: int
    recall: dict[int, float]
    mrr: float
    budget: float
    size: float  # tokens of the first ten hits

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "questions": self.questions,
            **{f"recall@{k}": round(value, 4) for k, value in self.recall.items()},
            "mrr": round(self.mrr, 4),
            f"recall_in_{BUDGET}_tokens": round(self.budget, 4),
            "tokens_of_10": round(self.size),
        }


def score(questions: Sequence[Question], found: Sequence[Sequence[Hit]]) -> Score:
    """The figures of one store; `found[i]` are the hits for `questions[i]`, best first."""
    pairs = list(zip(questions, found, strict=True))
    return Score(
        len(pairs),
        {k: _mean(_share(question, hits[:k]) for question, hits in pairs) for k in CUTS},
        _mean(_reciprocal(question, hits) for question, hits in pairs),
        _mean(_share(question, within(hits, BUDGET)) for question, hits in pairs),
        _mean(sum(hit.size for hit in hits[:10]) for _, hits in pairs),
    )


def within(hits: Sequence[Hit], budget: int) -> list[Hit]:
    """The first hits whose texts fit; the first that does not ends the list."""
    used, kept = 0, []
    for hit in hits:
        used += hit.size
        if used > budget:
            break
        kept.append(hit)
    return kept


def _share(question: Question, hits: Iterable[Hit]) -> float:
    seen = frozenset[str]().union(*(hit.turns for hit in hits))
    return len(question.evidence & seen) / len(question.evidence)


def _reciprocal(question: Question, hits: Sequence[Hit]) -> float:
    ranks = (rank for rank, hit in enumerate(hits, start=1) if hit.turns & question.evidence)
    return 1 / next(ranks, float("inf"))


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else 0.0


def post(caller: httpx.Client, conversation: Conversation, user: str, **body: Any) -> None:
    """A session a request, oldest first, without waiting."""
    for session in conversation.sessions:
        answer = caller.post(
            "/v1/memories/",
            json={"messages": [_message(turn) for turn in session], "user_id": user, **body},
            headers={"Prefer": "respond-async"},
        )
        answer.raise_for_status()


def _message(turn: Turn) -> dict[str, str]:
    return {"role": "user", "name": turn.speaker, "content": turn.text, "timestamp": turn.at.isoformat()}


class Asker:
    """Searches one user's memories and tells the turns behind every hit."""

    def __init__(self, caller: httpx.Client, conversation: Conversation, user: str, **query: str) -> None:
        self._caller, self._user, self._query = caller, user, query
        self._turns = {turn.at.isoformat(): turn.id for turn in conversation.turns}
        self._known: dict[str, frozenset[str]] = {}

    def ask_all(self, questions: Sequence[Question]) -> list[list[Hit]]:
        """Hits of each question, best first."""
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(self.ask, questions))

    def ask(self, question: Question) -> list[Hit]:
        """Hits, best first."""
        answer = self._caller.get(
            "/v1/memories/",
            params={"user_id": self._user, "query": question.text, "limit": str(_DEEP), **self._query},
        )
        found = answer.raise_for_status().json()["results"]
        return [Hit(tokens(item["memory"]), self.sources(item["id"])) for item in found]

    def sources(self, memory: str) -> frozenset[str]:
        """The turns that a memory rests on."""
        if memory not in self._known:
            answer = self._caller.get(f"/v1/memories/{memory}/", params={"include": "sources"})
            stamps = (source["timestamp"] for source in answer.raise_for_status().json()["sources"])
            self._known[memory] = frozenset(self._turns[stamp] for stamp in stamps)
        return self._known[memory]


PROJECTS: dict[Store, str] = {"raw": "evidence-raw", "statements": "evidence", "union": "evidence"}
_QUERY: dict[Store, dict[str, str]] = {"raw": {}, "statements": {}, "union": {"include_raw": "true"}}


def fill(running: Running, conversations: Sequence[Conversation]) -> None:
    """Post the conversations, once as they are and once to be made statements of, and wait for the end."""
    for project in sorted(set(PROJECTS.values())):
        with running.caller(project) as caller:
            for conversation in conversations:
                post(caller, conversation, conversation.id, infer=project != PROJECTS["raw"])
    running.settle()


def measure(running: Running, conversations: Sequence[Conversation]) -> dict[str, Any]:
    """Figures of each store, by conversation and over all questions."""
    return {store: _measured(running, conversations, store) for store in STORES}


def _measured(running: Running, conversations: Sequence[Conversation], store: Store) -> dict[str, Any]:
    questions: list[Question] = []
    found: list[list[Hit]] = []
    figures: dict[str, Any] = {}
    with running.caller(PROJECTS[store]) as caller:
        for conversation in conversations:
            asker = Asker(caller, conversation, conversation.id, **_QUERY[store])
            hits = asker.ask_all(conversation.questions)
            figures[conversation.id] = score(conversation.questions, hits).as_dict()
            questions += conversation.questions
            found += hits
    return figures | {"all": score(questions, found).as_dict()}
