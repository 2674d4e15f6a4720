"""Reading a chat completion: why it stopped first, then its JSON, then its schema. Never an empty success."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import orjson

from shared.errors import Narrow
from shared.llm.schema import JsonSchema, faults
from shared.model.record import Usage
from shared.provider.client import Reply
from shared.provider.failures import decoded

PROVIDER = "llm"

_FENCE = re.compile(r"\A\s*```(?:json)?\s*\n(.*)\n\s*```\s*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Completion:
    """A valid answer and what it cost."""

    data: dict[str, Any]
    usage: Usage = field(default_factory=Usage)


class InvalidAnswer(Narrow):
    """The model answered, but not in the schema. `faults` may be shown to it once; they hold no content."""

    def __init__(self, found: list[str], usage: Usage) -> None:
        super().__init__("the model's answer is not in the schema", code="llm_invalid_output", provider=PROVIDER)
        self.faults = tuple(found)
        self.usage = usage


def read_completion(reply: Reply, schema: JsonSchema, prompt_chars: int) -> Completion:
    """The validated answer of a 200.

    Raises Narrow (`llm_refused`, `content_filtered`, `output_too_long`), InvalidAnswer, or Snooze for a broken body.
    The exception's `extra["usage"]` (InvalidAnswer: `usage`) says what the answer cost.
    """
    body = decoded(reply, PROVIDER)
    message, finish = _first_choice(body)
    content = _content(message)
    usage = _usage(body.get("usage"), prompt_chars, len(content))
    stopped = _stop(message, finish)
    if stopped:
        stopped.extra["usage"] = usage.as_dict()
        raise stopped
    data, found = _parsed(content)
    found = found or faults(data, schema.schema)
    if found or not isinstance(data, dict):
        raise InvalidAnswer(found or ["the answer: not of type object"], usage)
    return Completion(data, usage)


def _first_choice(body: dict[str, Any]) -> tuple[dict[str, Any], str]:
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    message = choice.get("message")
    return (message if isinstance(message, dict) else {}), str(choice.get("finish_reason") or "")


def _content(message: dict[str, Any]) -> str:
    """The text of the answer: the tool call's arguments, else the content (a string or text parts)."""
    calls = message.get("tool_calls")
    if isinstance(calls, list) and calls and isinstance(calls[0], dict):
        arguments = (calls[0].get("function") or {}).get("arguments")
        return arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
    content = message.get("content")
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _stop(message: dict[str, Any], finish: str) -> Narrow | None:
    """Why the model stopped early, as the outcome it means."""
    if message.get("refusal") or finish == "refusal":
        return Narrow("the model refused to answer", code="llm_refused", provider=PROVIDER)
    if finish == "content_filter":
        return Narrow("the answer was cut by a content filter", code="content_filtered", provider=PROVIDER)
    if finish in ("length", "max_tokens"):
        return Narrow("the answer was longer than allowed", code="output_too_long", provider=PROVIDER)
    return None


def _parsed(content: str) -> tuple[Any, list[str]]:
    if not content.strip():
        return None, ["the answer: empty"]
    fenced = _FENCE.match(content)
    try:
        return orjson.loads(fenced.group(1) if fenced else content), []
    except orjson.JSONDecodeError:
        return None, ["the answer: not JSON"]


def _usage(raw: Any, prompt_chars: int, answer_chars: int) -> Usage:
    """What the provider reports; a server that reports nothing is counted by characters / 4."""
    raw = raw if isinstance(raw, dict) else {}
    details = raw.get("prompt_tokens_details")
    return Usage(
        calls=1,
        prompt_tokens=_count(raw.get("prompt_tokens"), -(-prompt_chars // 4)),
        completion_tokens=_count(raw.get("completion_tokens"), -(-answer_chars // 4)),
        cached_tokens=_count(details.get("cached_tokens"), 0) if isinstance(details, dict) else 0,
    )


def _count(value: Any, otherwise: int) -> int:
    return value if isinstance(value, int) and value >= 0 else otherwise
