"""The chat model as the extractor sees it: messages and a schema in, a validated object or a typed failure out."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import replace

from shared.errors import Narrow, WorkError
from shared.llm.answers import PROVIDER, Completion, read_completion
from shared.llm.capability import Capability, endpoint_of
from shared.llm.request import Message, adapted, build_body, openai_extras
from shared.llm.schema import JsonSchema
from shared.provider.client import ProviderClient
from shared.provider.deadline import Countdown
from shared.provider.failures import failure_of
from shared.settings import Settings

log = logging.getLogger(__name__)

OK = 200
MOST_CHANGES = 8  # parameters a server may refuse and rungs to step down, in one call


class ChatModel:
    """Thread-safe; connections are opened on first use and per process."""

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        timeout: float = 60.0,
        max_output_tokens: int = 4000,
        capability: Capability | None = None,
    ) -> None:
        self.model = model
        self._client = ProviderClient(PROVIDER, base_url, api_key, timeout)
        self.timeout = timeout
        self._max_tokens = max_output_tokens
        self._capability = Capability(endpoint_of(self._client.base_url, model))
        if capability is not None:
            self.adopt(capability)

    @property
    def capability(self) -> Capability:
        """What is known of the server; changes when it refuses a part of a request."""
        return self._capability

    def adopt(self, capability: Capability) -> bool:
        """Use what an earlier probe found; False when it is of another server or model."""
        if capability.endpoint != self._capability.endpoint:
            return False
        self._capability = capability
        return True

    def complete(
        self,
        messages: Sequence[Message],
        schema: JsonSchema,
        *,
        cache_key: str | None = None,
        safety_identifier: str | None = None,
        timeout: float | None = None,
    ) -> Completion:
        """One answer, within the model's time limit in all, or `timeout` seconds when that is less.

        Raises Snooze (wait and try again), Narrow (this content is too much or refused) or InvalidAnswer (the faults
        may be shown to the model once). `cache_key` and `safety_identifier` go to OpenAI only.
        """
        extra = openai_extras(self._client.base_url, cache_key, safety_identifier)
        answer = self._walk(messages, schema, extra, self._capability, timeout)
        if not self._capability.proven:
            self._capability = replace(self._capability, proven=True, problem=None)
        return answer

    def probe(self, messages: Sequence[Message], schema: JsonSchema, *, timeout: float | None = None) -> Capability:
        """Find the highest rung that gives a valid answer to an ordinary request; never raises.

        A server that is away leaves the capability unproven with the failure's code in `problem`.
        """
        top = Capability(self._capability.endpoint)
        rung: Capability | None = top
        problem: str | None = None
        while rung is not None:
            self._capability = rung
            try:
                self._walk(messages, schema, {}, rung, timeout)
            except Narrow as error:  # answered, but of no use on this rung
                problem, rung = error.code, self._capability.below()
            except WorkError as error:
                problem, rung = error.code, None
            else:
                self._capability = replace(self._capability, proven=True, problem=None)
                return self._capability
        self._capability = replace(top, problem=problem)
        return self._capability

    def close(self) -> None:
        """Close this process's connections."""
        self._client.close()

    def _walk(
        self,
        messages: Sequence[Message],
        schema: JsonSchema,
        extra: dict[str, str],
        capability: Capability,
        timeout: float | None,
    ) -> Completion:
        """Ask; where the server refuses a part by name, ask without it and remember that. One time limit for all."""
        clock = Countdown(min(self.timeout, timeout or self.timeout))
        chars = sum(len(message["content"]) for message in messages)
        for _ in range(MOST_CHANGES):
            body = build_body(self.model, messages, schema, capability, max_tokens=self._max_tokens, extra=extra)
            reply = self._client.post("/chat/completions", body, timeout=clock.left())
            changed = adapted(reply, body, capability) if reply.status != OK else None
            if changed is None:
                break
            capability = self._capability = changed
            log.warning("the chat server refuses a part of the request", extra={"capability": changed.as_dict()})
        if reply.status != OK:
            raise failure_of(reply, PROVIDER)
        return read_completion(reply, schema, chars)


def make_chat(settings: Settings, capability: Capability | None = None) -> ChatModel:
    """The chat model of the settings; `capability` as an earlier probe of the same server left it."""
    return ChatModel(
        settings.llm_model,
        base_url=settings.openai_base_url,
        api_key=settings.openai_api_key.get_secret_value() if settings.openai_api_key else None,
        timeout=settings.llm_timeout,
        max_output_tokens=settings.llm_max_output_tokens,
        capability=capability,
    )


def provider_name(settings: Settings) -> str:
    """What a breaker guards. Another key, server or model is another provider: its breaker starts closed."""
    secret = settings.openai_api_key.get_secret_value() if settings.openai_api_key else ""
    parts = "\0".join((settings.openai_base_url or "", settings.llm_model, secret))
    return f"llm:{hashlib.sha256(parts.encode()).hexdigest()[:12]}"
