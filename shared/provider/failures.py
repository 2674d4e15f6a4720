"""What an error answer of a provider means for the work: wait, narrow the window, or step down a rung.

The provider's own words are read here to classify and go no further: they may quote the prompt or the key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from shared.errors import Narrow, Snooze, WorkError
from shared.provider.client import Reply
from shared.provider.pause import retry_after

_QUOTA = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "insufficient_balance"}
_AUTH = {"invalid_api_key", "invalid_authentication", "account_deactivated", "api_key_invalid"}
_MODEL = {"model_not_found", "model_not_available", "deploymentnotfound"}
_CONTEXT = {"context_length_exceeded", "string_above_max_length", "exceed_context_size_error", "max_tokens_per_request"}
_FILTER = {"content_filter", "content_policy_violation", "responsibleaipolicyviolation", "data_inspection_failed"}
_REFUSED = {"invalid_prompt"}
_CONTEXT_WORDS = (
    "context length",
    "context window",
    "context size",
    "maximum context",
    "prompt is too long",
    "input is too long",
    "too many tokens",
    "maximum input length",
)


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """An error envelope, lower-cased for classification; never to be shown or logged."""

    status: int
    code: str
    param: str
    message: str


def read_error(reply: Reply) -> ErrorAnswer:
    """The error in a reply, whatever the dialect: OpenAI's envelope, a plain string, FastAPI's `detail`."""
    try:
        body = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return ErrorAnswer(reply.status, "", "", "")
    inner = body.get("error", body) if isinstance(body, dict) else {}
    if not isinstance(inner, dict):
        return ErrorAnswer(reply.status, "", "", str(inner).lower()[:2000])
    code = inner.get("code")
    status = code if isinstance(code, int) and 400 <= code < 600 and reply.status == 200 else reply.status
    codes = [str(inner.get(name) or "").lower() for name in ("code", "type")]
    known = _QUOTA | _AUTH | _MODEL | _CONTEXT | _FILTER | _REFUSED
    named = next((name for name in codes if name in known), codes[0])
    message = str(inner.get("message") or inner.get("detail") or "").lower()[:2000]
    return ErrorAnswer(status, named, str(inner.get("param") or "").lower(), message)


def failure_of(reply: Reply, provider: str) -> WorkError:
    """The typed outcome of an error answer: Snooze (wait) or Narrow (this content is at fault)."""
    error = read_error(reply)
    narrow = _content_code(error)
    if narrow:
        return Narrow(f"the {provider} provider refused the content ({error.status})", code=narrow, provider=provider)
    code = _wait_code(error, provider)
    return Snooze(
        f"the {provider} provider answered {error.status}",
        code=code,
        provider=provider,
        retry_after=retry_after(reply.headers),
    )


def _content_code(error: ErrorAnswer) -> str | None:
    """The code of an error that only other content can cure; None: waiting may."""
    if error.status >= 500 or error.status in (401, 402, 404, 408, 409, 425, 429):
        return None
    if is_too_long(error):
        return "context_too_long"
    if error.code in _FILTER or (error.status == 403 and ("moderation" in error.message or "flagged" in error.message)):
        return "content_filtered"
    if error.code in _REFUSED:
        return "llm_refused"
    if error.code in _AUTH | _MODEL | _QUOTA or "api key" in error.message:
        return None
    return "provider_rejected" if error.status in (400, 422) else None


def is_too_long(error: ErrorAnswer) -> bool:
    """Whether the request was over the model's context."""
    if error.status == 413 or error.code in _CONTEXT:
        return True
    return error.status in (400, 422) and any(words in error.message for words in _CONTEXT_WORDS)


def _wait_code(error: ErrorAnswer, provider: str) -> str:
    if error.code in _QUOTA or error.status == 402:
        return "quota_exhausted"
    if error.status == 429:
        return "rate_limited"
    if error.code in _AUTH or error.status in (401, 403) or "api key" in error.message:
        return "provider_auth"
    if error.code in _MODEL or error.status == 404:
        return "model_not_found"
    if provider == "embeddings":
        return "embeddings_unavailable"
    return "provider_timeout" if error.status in (408, 504) else "provider_unavailable"


def broken(provider: str, what: str) -> Snooze:
    """A 200 that is no answer of this API: a proxy's page, half a body."""
    code = "embeddings_invalid" if provider == "embeddings" else "provider_unavailable"
    return Snooze(f"the {provider} provider sent {what}", code=code, provider=provider)


def decoded(reply: Reply, provider: str) -> dict[str, Any]:
    """The JSON object of a 200; an error envelope inside it raises like an error status, anything else is `broken`."""
    try:
        body = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise broken(provider, "an answer that is not JSON")
    if body.get("error"):
        inside = read_error(reply).status
        raise failure_of(Reply(502 if inside == 200 else inside, reply.headers, reply.body), provider)
    return body
