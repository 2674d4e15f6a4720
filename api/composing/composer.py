"""One call of the chat model for a reader: within a time limit, behind the provider's breaker, accounted.

It shares endpoint, structure ladder and breaker with the workers; it never asks twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import anyio
import anyio.to_thread

from shared.db import breakers, capabilities, usage
from shared.db.engine import ApiDatabase, Session
from shared.errors import ServiceError, Snooze, WorkError
from shared.llm.answers import PROVIDER, Completion, InvalidAnswer
from shared.llm.capability import Capability
from shared.llm.chat import ChatModel, make_chat, provider_name
from shared.llm.request import Message
from shared.llm.schema import JsonSchema
from shared.logs import get_logger
from shared.model.record import Usage
from shared.settings import Settings

_AT_ONCE = 4  # calls of this process; a slow model must not take the threads of searches
_SECONDS = 25.0  # below the 30 seconds after which some clients give up
_OUR_LIMIT = "provider_timeout"

_log = get_logger(__name__)


class NoModel(ServiceError):
    """Nothing here can write: the service works without a chat model."""

    code = "model_needed"
    status = 501


@dataclass(frozen=True, slots=True)
class _Known:
    """What Postgres says about the provider. `wait`: seconds its breaker is still open."""

    wait: float
    failed: bool
    capability: dict[str, Any] | None


class Composer:
    """One per process. Without a model every call raises `NoModel`."""

    def __init__(self, db: ApiDatabase, chat: ChatModel | None, provider: str) -> None:
        self._db = db
        self._chat = chat
        self._provider = provider
        self._limiter = anyio.CapacityLimiter(_AT_ONCE)

    @property
    def model(self) -> str | None:
        """The model's name; None without one."""
        return self._chat.model if self._chat else None

    def close(self) -> None:
        """Give the connections back."""
        if self._chat is not None:
            self._chat.close()

    async def compose(self, project_id: UUID, messages: Sequence[Message], schema: JsonSchema) -> dict[str, Any]:
        """The model's answer in the schema. Raises `NoModel`, `Snooze` (away), `Narrow` (it cannot do this)."""
        chat = self._chat
        if chat is None:
            raise NoModel("this needs a chat model, and the service works without one")
        known = await self._db.run(partial(_known, provider=self._provider, endpoint=chat.capability.endpoint))
        if known.wait > 0:
            raise Snooze("the provider is left alone", code="provider_unavailable", provider=PROVIDER,
                         retry_after=known.wait)  # fmt: skip
        _adopt(chat, known.capability)
        try:
            work = partial(chat.complete, messages, schema, timeout=_SECONDS)
            answer: Completion = await anyio.to_thread.run_sync(work, limiter=self._limiter, abandon_on_cancel=True)
        except WorkError as error:
            await self._db.run(partial(_failed, provider=self._provider, project_id=project_id, error=error))
            _log.warning("composing_failed", code=error.code)
            raise
        await self._db.run(partial(_done, provider=self._provider if known.failed else None,
                                   project_id=project_id, spent=answer.usage))  # fmt: skip
        return {name: without_nul(value) for name, value in answer.data.items()}


def without_nul(value: Any) -> Any:
    """Postgres cannot keep NUL characters, and no reader wants them."""
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [without_nul(item) for item in value]
    return {name: without_nul(item) for name, item in value.items()} if isinstance(value, dict) else value


def make_composer(db: ApiDatabase, settings: Settings) -> Composer:
    """With the chat model of the settings, or without one where the rules extract."""
    chat = make_chat(settings) if settings.extractor_name == "openai" else None
    return Composer(db, chat, provider_name(settings))


def _known(session: Session, provider: str, endpoint: str) -> _Known:
    found = next((one for one in breakers.listing(session, only_open=False) if one.provider == provider), None)
    return _Known(found.wait if found else 0.0, found is not None, capabilities.get(session, endpoint))


def _adopt(chat: ChatModel, kept: dict[str, Any] | None) -> None:
    """Start where a worker's probe ended."""
    capability = Capability.from_dict(kept) if kept else None
    if capability is not None and capability.proven and not chat.capability.proven:
        chat.adopt(capability)


def _failed(session: Session, provider: str, project_id: UUID, error: WorkError) -> None:
    """What was spent counts; a provider that is away counts against its breaker, our own shorter limit does not."""
    if isinstance(error, Snooze) and error.code != _OUR_LIMIT:
        breakers.trip(session, provider, error)
    told = error.extra.get("usage")
    spent = error.usage if isinstance(error, InvalidAnswer) else Usage(**told) if isinstance(told, dict) else Usage()
    usage.add(session, project_id, spent)


def _done(session: Session, provider: str | None, project_id: UUID, spent: Usage) -> None:
    if provider is not None:
        breakers.reset(session, provider)
    usage.add(session, project_id, spent)
