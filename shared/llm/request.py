"""The body of a chat call on each rung of the structure ladder, and how to change it when a server refuses a part."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import orjson

from shared.llm.capability import Capability
from shared.llm.schema import JsonSchema
from shared.provider.client import Reply, is_openai
from shared.provider.failures import is_too_long, read_error

Message = dict[str, str]

_OPTIONAL = ("max_completion_tokens", "store", "prompt_cache_key", "safety_identifier")
_STRUCTURE = {
    "json_schema": ("response_format", "json_schema", "structured output", "guided"),
    "json_object": ("response_format", "json_object", "json mode"),
    "tools": ("tools", "tool_choice", "tool calling", "tool choice", "function"),
}
_UNKNOWN = re.compile(
    r"unsupported|support|unrecogni[sz]ed|unknown|unexpected|not permitted|not allowed|not available|unavailable"
    r"|extra inputs|extra_forbidden|invalid parameter|additional properties|must be (one of|'?text)"
)


def build_body(
    model: str,
    messages: Sequence[Message],
    schema: JsonSchema,
    capability: Capability,
    *,
    max_tokens: int,
    extra: dict[str, str],
) -> dict[str, Any]:
    """A request on the capability's rung; `extra` parameters the server refused are left out."""
    body: dict[str, Any] = {"model": model, "messages": list(messages)}
    body |= _structure(schema, capability)
    if capability.rung == "json_object":
        body["messages"] = _with_schema(messages, schema)
    body |= {"max_completion_tokens": max_tokens, "store": False, **extra}
    for name in capability.refused:
        body.pop(name, None)
    if "max_completion_tokens" not in body:
        body["max_tokens"] = max_tokens
    return body


def openai_extras(base_url: str, cache_key: str | None, safety_identifier: str | None) -> dict[str, str]:
    """Parameters that only OpenAI itself knows; {} for every other server."""
    given = {"prompt_cache_key": cache_key, "safety_identifier": safety_identifier}
    return {name: value for name, value in given.items() if value} if is_openai(base_url) else {}


def _structure(schema: JsonSchema, capability: Capability) -> dict[str, Any]:
    if capability.rung == "json_schema":
        shape = {"name": schema.name, "strict": True, "schema": schema.schema}
        return {"response_format": {"type": "json_schema", "json_schema": shape}}
    if capability.rung == "json_object":
        return {"response_format": {"type": "json_object"}}
    function = {"name": schema.name, "description": "Hand in the answer.", "parameters": schema.schema}
    return {
        "tools": [{"type": "function", "function": function}],
        "tool_choice": {"type": "function", "function": {"name": schema.name}},
    }


def _with_schema(messages: Sequence[Message], schema: JsonSchema) -> list[Message]:
    """The schema joins the static system prompt: the user message stays what it is."""
    text = orjson.dumps(schema.schema).decode()
    first = dict(messages[0])
    first["content"] += f"\n\n# Schema\nAnswer with one JSON object that satisfies this JSON Schema:\n{text}"
    return [first, *messages[1:]]


def adapted(reply: Reply, sent: dict[str, Any], capability: Capability) -> Capability | None:
    """What to try instead when a server refuses a part of the request by name; None: the error says something else."""
    error = read_error(reply)
    if error.status not in (400, 404, 415, 422, 501) or is_too_long(error):
        return None
    named = f"{error.param} {error.message[:400]}"
    if not _UNKNOWN.search(named):
        return None
    for name in _OPTIONAL:
        if name in sent and name in (error.param or named):
            return capability.without(name)
    if any(word in named for word in _STRUCTURE[capability.rung]):
        return capability.below()
    return None
