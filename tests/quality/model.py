"""The same cases and questions with a real model behind the service: `make quality LLM=1`, on the caller's key.

A model words things its own way, so cases are compared loosely: the names, numbers and content words expected must
stand in one memory each, and no more memories may stand than expected, by one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.quality import cases, decide, evidence, rows
from tests.quality.cases import Case
from tests.quality.locomo import Conversation
from tests.quality.stage import running
from tests.quality.table import Row
from tests.stack import Stack

KEPT = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID")
Add = Callable[[str, Any, Sequence[Row]], None]
_WORD = re.compile(r"[^\W_]{4,}|\d+")
_STEM = 4  # letters two forms of one word share
_SPARE = 1


def measure(
    stack: Stack, add: Add, conversations: Sequence[Conversation], key: Mapping[str, str], name: str | None
) -> None:
    """Run both parts against the caller's model. Raises SystemExit when there is none."""
    if not key:
        raise SystemExit("LLM=1 needs OPENAI_API_KEY or OPENAI_BASE_URL")
    chosen = [case for case in cases.load() if _answerable(case)]
    with running(stack, **key, **({"llm_model": name} if name else {})) as service:
        outcomes = decide.run(service, chosen, marked=False, compare=loosely)
        add("cases, model", decide.counts(outcomes), list(rows.of_cases(outcomes, "cases, model")))
        if conversations:
            evidence.fill(service, conversations)
            figures = evidence.measure(service, conversations)
            add("evidence recall", figures, list(rows.of_evidence(figures, search="model")))


def _answerable(case: Case) -> bool:
    """Cases about broken answers of a model make no sense with one that answers well."""
    return bool(case.expect.get("status", "SUCCEEDED") == "SUCCEEDED")


def loosely(case: Case, events: Sequence[dict[str, Any]], memories: Sequence[dict[str, Any]]) -> str | None:
    """The first thing that is amiss, whatever the words."""
    failed = [event["code"] for event in events if event["status"] != "SUCCEEDED"]
    if failed:
        return f"ended FAILED {failed[0]}"
    texts = [memory["memory"] for memory in memories]
    expected = case.expect.get("memories")
    wanted = expected if expected is not None else case.expect.get("has", ())
    missing = [text for text in wanted if not any(_says(text, other) for other in texts)]
    if missing:
        return f"{missing[0]!r} is missing: {texts}"
    count = len(expected) if expected is not None else case.expect.get("count", len(texts))
    if len(texts) > count + (_SPARE if count else 0):
        return f"{len(texts)} stand: {texts}"
    return next((f"{word!r} stands: {texts}" for word in case.expect.get("hasnt", ()) if _among(word, texts)), None)


def _says(wanted: str, text: str) -> bool:
    """Every word of four letters or more, and every number, stands in the other text, in some form."""
    have = {word[:_STEM] for word in _WORD.findall(text.casefold())}
    return all(word[:_STEM] in have or word in text.casefold() for word in _WORD.findall(wanted.casefold()))


def _among(word: str, texts: Sequence[str]) -> bool:
    return any(word in text for text in texts)
