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

from shared.db import breakers, capabilities, spend
from shared.db.engine import ApiDatabase, Session
from shared.db.spend import Ceilings
from shared.errors import NoModel, Snooze, WorkError
from shared.llm.answers import PROVIDER, Completion, InvalidAnswer
from shared.llm.capability import Capability
from shared.llm.chat import ChatModel, make_chat, provider_name
from shared.llm.request import Message
from shared.llm.schema import JsonSchema
from shared.logs import get_logger
from shared.model.ids import uuid7
from shared.model.record import Usage
from shared.settings import Settings

_AT_ONCE = 4  # calls of this process; a slow model must not take the threads of searches
_SECONDS = 25.0  # below the 30 seconds after which some clients give up
_LAPSE = 60.0  # seconds after which nobody works on a call any more
_OUR_LIMIT = "provider_timeout"

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that may be made. `failed`: the provider's breaker counts failures."""

    id: UUID
    failed: bool
    capability: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class _Limits:
    """What a call may cost: the answer's tokens, and the ceilings of projects without their own."""

    answer: int
    ceilings: Ceilings


class Composer:
    """One per process. Without a model every call raises `NoModel`."""

    def __init__(self, db: ApiDatabase, chat: ChatModel | None, settings: Settings) -> None:
        self._db = db
        self._chat = chat
        self._provider = provider_name(settings)
        self._limits = _Limits(
            settings.llm_max_output_tokens, Ceilings(settings.tokens_per_day, settings.tokens_per_month)
        )
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
        call = await self._db.run(partial(self._begin, project_id=project_id, chat=chat, messages=messages))
        _adopt(chat, call.capability)
        try:
            work = partial(chat.complete, messages, schema, timeout=_SECONDS)
            answer: Completion = await anyio.to_thread.run_sync(work, limiter=self._limiter, abandon_on_cancel=True)
        except WorkError as error:
            _log.warning("composing_failed", code=error.code)
            await self._db.run(partial(self._failed, project_id=project_id, call=call, error=error))
            raise
        await self._db.run(partial(self._done, project_id=project_id, call=call, spent=answer.usage))
        return {name: without_nul(value) for name, value in answer.data.items()}

    def _begin(self, session: Session, project_id: UUID, chat: ChatModel, messages: Sequence[Message]) -> _Call:
        """Whether the provider and the project's ceiling let a call through. Raises `Snooze`."""
        listed = breakers.listing(session, only_open=False)
        breaker = next((one for one in listed if one.provider == self._provider), None)
        if breaker is not None and breaker.wait > 0:
            raise Snooze("the provider is left alone", code="provider_unavailable", provider=PROVIDER,
                         retry_after=breaker.wait)  # fmt: skip
        call = _Call(uuid7(), breaker is not None, capabilities.get(session, chat.capability.endpoint))
        most = sum(len(message["content"].encode()) for message in messages) + self._limits.answer
        wait = spend.reserve(session, project_id, call.id, most, self._limits.ceilings, lapse=_LAPSE)
        if wait > 0:
            raise Snooze("the project's ceiling on tokens is reached", code=spend.CODE, provider="spend",
                         retry_after=wait)  # fmt: skip
        return call

    def _failed(self, session: Session, project_id: UUID, call: _Call, error: WorkError) -> None:
        """What was spent counts; so does a provider that is away against its breaker, but not our own limit."""
        if isinstance(error, Snooze) and error.code != _OUR_LIMIT:
            breakers.trip(session, self._provider, error)
        spend.settle(session, project_id, call.id, _spent(error))

    def _done(self, session: Session, project_id: UUID, call: _Call, spent: Usage) -> None:
        if call.failed:
            breakers.reset(session, self._provider)
        spend.settle(session, project_id, call.id, spent)


def _spent(error: WorkError) -> Usage:
    """What a call that was of no use cost."""
    if isinstance(error, InvalidAnswer):
        return error.usage
    told = error.extra.get("usage")
    return Usage(**told) if isinstance(told, dict) else Usage()


def without_nul(value: Any) -> Any:
    """Postgres cannot keep NUL characters, and no reader wants them."""
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [without_nul(item) for item in value]
    return {name: without_nul(item) for name, item in value.items()} if isinstance(value, dict) else value


def make_composer(db: ApiDatabase, settings: Settings) -> Composer:
    """With the chat model of the settings, or without one where the rules extract."""
    return Composer(db, make_chat(settings) if settings.extractor_name == "openai" else None, settings)


def _adopt(chat: ChatModel, kept: dict[str, Any] | None) -> None:
    """Start where a worker's probe ended."""
    capability = Capability.from_dict(kept) if kept else None
    if capability is not None and capability.proven and not chat.capability.proven:
        chat.adopt(capability)
