"""The extraction call: static prompt and answer schema, the request built from a window, the answer as records.

The contract with measuring tools: the last user message is one JSON object {scope, rules, known, earlier, messages},
plus `faults` when the model is asked again, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import Any, TypeVar

import orjson

from shared.llm.schema import JsonSchema
from shared.model.memory import Memory
from shared.model.message import CHARS_PER_TOKEN, Message, Window, tokens
from shared.model.record import Candidate, Record

PROMPT_VERSION = "extract-2"

_FILES = resources.files("workers.pipeline.prompts")
PROMPT = _FILES.joinpath("extract.md").read_text(encoding="utf-8").strip()
_RAW_SCHEMA = orjson.loads(_FILES.joinpath("extract.schema.json").read_bytes())


def _without_descriptions(part: Any) -> Any:
    """The prompt explains every field at length; saying it again in each request costs a hundred tokens."""
    if isinstance(part, dict):
        kept = {name: value for name, value in part.items() if name != "description"}
        return {name: _without_descriptions(value) for name, value in kept.items()}
    return [_without_descriptions(item) for item in part] if isinstance(part, list) else part


SCHEMA = JsonSchema(_RAW_SCHEMA["name"], _without_descriptions(_RAW_SCHEMA["schema"]))

MOST_CATEGORIES = 3

Text = TypeVar("Text", Message, Candidate, Memory)


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of what stands beside the window, in tokens (characters / 4) and characters of one text.

    `silent_chars`: of a system or tool message, from which nothing is ever kept.
    """

    known_tokens: int = 1_500
    earlier_tokens: int = 400
    known_chars: int = 400
    earlier_chars: int = 400
    silent_chars: int = 400


DEFAULT_BUDGET = Budget()


def build(
    window: Window,
    candidates: Sequence[Candidate],
    faults: Sequence[str] = (),
    budget: Budget = DEFAULT_BUDGET,
) -> list[dict[str, str]]:
    """The chat messages of one call. `faults`: what was wrong with the answer to the same request before.

    All candidates are shown: recall leaves out those that do not fit.
    """
    payload: dict[str, Any] = {
        "scope": {"subject": window.subject, "assistant": window.assistant},
        "rules": _rules(window),
        "known": [_known(candidate, budget) for candidate in candidates],
        "earlier": [_said(message, budget.earlier_chars, budget) for message in _earlier(window.earlier, budget)],
        "messages": [{"i": index, **_said(message, None, budget)} for index, message in enumerate(window.messages)],
    }
    if faults:
        payload["faults"] = list(faults)
    user = orjson.dumps(payload).decode()
    return [{"role": "system", "content": PROMPT}, {"role": "user", "content": user}]


def fitting(memories: Sequence[Text], budget: Budget = DEFAULT_BUDGET) -> list[Text]:
    """The memories that fit beside a window: the first ones given, so the nearest should come first."""
    return list(_within(memories, budget.known_tokens, budget.known_chars))


def has_room(memories: Sequence[Text], budget: Budget = DEFAULT_BUDGET) -> bool:
    """True where any one memory more would fit, so that none was left out for its length."""
    used = sum(tokens(memory.text[: budget.known_chars]) for memory in memories)
    return used + budget.known_chars / CHARS_PER_TOKEN <= budget.known_tokens


def parse(data: dict[str, Any], categories: Sequence[str] = ()) -> tuple[Record, ...]:
    """Records from an answer that is valid against `SCHEMA`; what they claim is checked elsewhere.

    Categories that the operator did not name are left out.
    """
    return tuple(_record(raw, categories) for raw in data["records"])


def minutes(moment: datetime) -> str:
    """`2026-05-14T10:00Z`, `2026-05-14T12:00+02:00`."""
    return moment.isoformat(timespec="minutes").replace("+00:00", "Z")


def _rules(window: Window) -> dict[str, Any]:
    rules = window.rules
    return {
        "instructions": rules.instructions,
        "includes": rules.includes,
        "excludes": rules.excludes,
        "categories": list(rules.categories),
    }


def _known(candidate: Candidate, budget: Budget) -> dict[str, Any]:
    return {"n": candidate.n, "text": _capped(candidate.text, budget.known_chars), "since": candidate.since}


def _said(message: Message, chars: int | None, budget: Budget) -> dict[str, Any]:
    chars = budget.silent_chars if message.role in ("system", "tool") else chars
    speaker = {"speaker": message.speaker} if message.speaker else {}
    text = message.text if chars is None else _capped(message.text, chars)
    return {"role": message.role, **speaker, "at": minutes(message.said_at), "text": text}


def _earlier(messages: Sequence[Message], budget: Budget) -> list[Message]:
    """The newest that fit, oldest first."""
    return list(_within(reversed(messages), budget.earlier_tokens, budget.earlier_chars))[::-1]


def _within(items: Iterable[Text], limit: int, chars: int) -> Iterator[Text]:
    """Items until their capped texts reach the limit in tokens."""
    used = 0
    for item in items:
        used += tokens(item.text[:chars])
        if used > limit:
            return
        yield item


def _capped(text: str, chars: int) -> str:
    return text if len(text) <= chars else text[: chars - 1].rstrip() + "…"


def _record(raw: dict[str, Any], categories: Sequence[str]) -> Record:
    named = [name for name in raw["categories"] if name in categories]
    return Record(
        src=tuple(raw["src"]),
        quote=_clean(raw["quote"]),
        text=_clean(raw["text"]),
        about=raw["about"],
        kind=raw["kind"],
        when=raw["when"] or None,
        until=raw["until"] or None,
        op=raw["op"],
        target=None if raw["op"] == "ADD" else raw["target"],
        weight=raw["weight"],
        categories=tuple(dict.fromkeys(named))[:MOST_CATEGORIES],
    )


def _clean(text: str) -> str:
    """One line without NUL, which no text column can hold."""
    return " ".join(text.replace("\0", " ").split())
