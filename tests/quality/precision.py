"""How much of what the rules extractor keeps is worth keeping: its records on sentences that a person labelled.

A label says what the sentence is worth to a memory: good (specific, lasting), weak (true but vague or gone tomorrow),
bad (courtesy, question, general knowledge, code, planted order, secret). It was given before any output was seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from tests.quality.cases import FOLDER
from tests.quality.stage import Running

LABELS = ("good", "weak", "bad")
_SAID_AT = "2026-05-14T10:00:00Z"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A sentence and what it is worth; `source` says where it comes from."""

    text: str
    label: str
    source: str


@dataclass(frozen=True, slots=True)
class Precision:
    """Records by the label of their sentence, sentences by label, and sentences of which something was kept."""

    records: dict[str, int]
    sentences: dict[str, int]
    kept: dict[str, int]
    garbled: int
    found: dict[str, int]  # records by label, of the sentences that were not written for this sample
    texts: tuple[tuple[str, str], ...]  # label, record

    def as_dict(self) -> dict[str, Any]:
        """Shares for people, counts for those who want to check them."""
        total = sum(self.records.values()) or 1
        return {
            "records": self.records,
            "sentences": self.sentences,
            "good": round(self.records["good"] / total, 4),
            "good_or_weak": round((self.records["good"] + self.records["weak"]) / total, 4),
            "good_of_found_sentences": round(self.found["good"] / (sum(self.found.values()) or 1), 4),
            "garbled": round(self.garbled / total, 4),
            "good_sentences_kept": round(self.kept["good"] / (self.sentences["good"] or 1), 4),
            "bad_sentences_kept": round(self.kept["bad"] / (self.sentences["bad"] or 1), 4),
        }


def load() -> list[Labelled]:
    """The shipped sentences."""
    lines = (FOLDER / "labelled-sentences.jsonl").read_bytes().splitlines()
    return [Labelled(**orjson.loads(line)) for line in lines]


def load_garbled() -> frozenset[str]:
    """Records that a person, reading the output once, found to say something else than their sentence."""
    return frozenset((FOLDER / "garbled-records.txt").read_text(encoding="utf-8").splitlines())


def measure(running: Running) -> Precision:
    """Post every sentence to a user of its own and read back what became of it."""
    sentences = load()
    with running.caller("precision") as caller:
        for number, sentence in enumerate(sentences):
            message = {"role": "user", "content": sentence.text, "timestamp": _SAID_AT}
            body = {"messages": [message], "user_id": f"sentence-{number}"}
            caller.post("/v1/memories/", json=body, headers={"Prefer": "respond-async"}).raise_for_status()
        running.settle()
        found = [_texts(caller, f"sentence-{number}") for number in range(len(sentences))]
    return summary(sentences, found, load_garbled())


def summary(sentences: Sequence[Labelled], made: Sequence[Sequence[str]], garbled: frozenset[str]) -> Precision:
    """The figures; `made[i]`: the records of sentence i."""
    pairs = list(zip(sentences, made, strict=True))
    records = Counter(sentence.label for sentence, texts in pairs for _ in texts)
    found = Counter(sentence.label for sentence, texts in pairs for _ in texts if sentence.source != "own")
    kept = Counter(sentence.label for sentence, texts in pairs if texts)
    told = tuple((sentence.label, text) for sentence, texts in pairs for text in texts)
    every = Counter(sentence.label for sentence in sentences)
    return Precision(
        records=_by_label(records), sentences=_by_label(every), kept=_by_label(kept),
        garbled=sum(text in garbled for _, text in told), found=_by_label(found), texts=told,
    )  # fmt: skip


def _by_label(counted: Counter[str]) -> dict[str, int]:
    return {label: counted[label] for label in LABELS}


def _texts(caller: httpx.Client, user: str) -> list[str]:
    answer = caller.get("/v1/memories/", params={"user_id": user}).raise_for_status().json()
    return [memory["memory"] for memory in answer["results"]]
