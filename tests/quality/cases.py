"""Our own cases: what was posted, what the scripted model answers, which memories must stand at the end.

One JSON object a line in tests/data/quality; `README.md` there explains the keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

FOLDER = Path(__file__).resolve().parents[1] / "data" / "quality"
KINDS = ("decision", "contradiction", "repeat", "date", "role", "injection", "secret", "language")
_KEYS = {"id", "kind", "note", "posts", "expect", "extractor"}
_POST = {"messages", "answer", "answers", "timestamp", "key", "body", "again"}
_EXPECT = {
    *("memories", "has", "hasnt", "count", "least", "rejections"),
    *("results", "status", "code", "happens", "evidence"),
}
_DEFAULTS: Mapping[str, Any] = {
    "src": [0], "about": "user", "kind": "knowledge", "when": None, "until": None, "op": "ADD", "target": None,
    "weight": 2, "categories": [],
}  # fmt: skip
_QUOTED = 12  # words
_QUOTED_CHARS = 20  # of scripts without spaces
_RAW = "raw:"


@dataclass(frozen=True, slots=True)
class Post:
    """One request and the model's answers to its calls in turn, the last one for ever; None: nobody is scripted."""

    messages: tuple[dict[str, Any], ...]
    answers: tuple[str, ...] | None
    body: dict[str, Any] = field(default_factory=dict)
    key: str | None = None
    again: int | None = None  # repeats an earlier post of the case, word for word


@dataclass(frozen=True, slots=True)
class Case:
    """Posts in order to one user, and what must hold when all of them ended."""

    id: str
    kind: str
    extractor: str  # scripted | rules
    posts: tuple[Post, ...]
    expect: dict[str, Any]


def load(folder: Path = FOLDER) -> list[Case]:
    """All cases, in the order of the files. Raises ValueError naming file and line."""
    return [case for path in sorted(folder.glob("*.jsonl")) for case in _file(path)]


def _file(path: Path) -> Iterator[Case]:
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        raw = orjson.loads(line)
        if "posts" not in raw:
            return  # another kind of sample
        try:
            yield parse(raw)
        except (KeyError, ValueError, TypeError) as error:
            raise ValueError(f"{path.name}:{number}: {error}") from error


def parse(raw: dict[str, Any]) -> Case:
    """A case from its JSON. Raises ValueError."""
    _known(raw, _KEYS)
    _known(raw["expect"], _EXPECT)
    if raw["kind"] not in KINDS:
        raise ValueError(f"kind {raw['kind']} is none of {', '.join(KINDS)}")
    extractor = raw.get("extractor", "scripted")
    posts = tuple(_post(post, scripted=extractor == "scripted") for post in raw["posts"])
    return Case(raw["id"], raw["kind"], extractor, posts, raw["expect"])


def _known(raw: dict[str, Any], keys: set[str]) -> None:
    if raw.keys() - keys:
        raise ValueError(f"unknown keys: {', '.join(sorted(raw.keys() - keys))}")


def _post(raw: dict[str, Any], *, scripted: bool) -> Post:
    _known(raw, _POST)
    body = {**raw.get("body", {}), **({"timestamp": raw["timestamp"]} if "timestamp" in raw else {})}
    messages = tuple(raw["messages"])
    answers = None
    if scripted:
        given = raw["answers"] if "answers" in raw else [raw["answer"]]
        answers = tuple(_answer(one, messages) for one in given)
    return Post(messages, answers, body, raw.get("key"), raw.get("again"))


def _answer(given: str | list[dict[str, Any]], messages: tuple[dict[str, Any], ...]) -> str:
    """What the chat model says, as text; `raw:` keeps a text as it is."""
    if isinstance(given, str):
        return given.removeprefix(_RAW)
    return orjson.dumps({"records": [complete(draft, messages) for draft in given]}).decode()


def complete(draft: dict[str, Any], messages: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    """A whole record: what a draft leaves out is the commonest value, the quote the first words of its message."""
    record = {**_DEFAULTS, **draft}
    if "quote" not in record:
        said = messages[record["src"][0]]["content"]
        words = said.split()
        record["quote"] = " ".join(words[:_QUOTED]) if len(words) > 1 else said[:_QUOTED_CHARS]
    return record
