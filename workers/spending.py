"""What a window costs: reserved under the project's ceiling before each round of calls, written down whatever happens.

An answer that is thrown away was paid for all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from shared.db import spend
from shared.db.spend import Ceilings
from shared.errors import ServiceError, Snooze, WorkError
from shared.logs import get_logger
from shared.model.ids import uuid7
from shared.model.message import Window
from shared.model.record import Usage
from shared.settings import Settings
from workers.parts import Parts
from workers.work import Work

PROMPT_ROOM = 16_000  # bytes of the static prompt and the answer's schema, with room to grow
_KNOWN_ROOM = 40_000  # bytes of what stands beside the window: known memories, earlier messages, faults
_MESSAGE_ROOM = 200  # bytes around a message's text
_ASKS = 2  # chat calls of one round
_LONGEST_PAUSE = 60.0  # seconds a window rests; the project's own pause keeps it from being claimed

_log = get_logger(__name__)


@dataclass(slots=True)
class Bill:
    """One attempt at a window. `unpaid`: what was spent and not written down yet."""

    parts: Parts
    project_id: UUID
    id: UUID = field(default_factory=uuid7)
    unpaid: Usage = field(default_factory=Usage)
    held: bool = False

    def reserve(self, window: Window) -> None:
        """Before a round of calls. Raises `Snooze(spend_ceiling)` when the project may not spend so much now."""
        if self.parts.provider is None and self.parts.embedder is None:
            return
        settings = self.parts.settings
        room = most_tokens(window, settings) + _tokens(self.unpaid)
        self.held = True
        wait = self.parts.db.run(
            lambda session: spend.reserve(
                session, self.project_id, self.id, room, ceilings(settings), lapse=lapse(settings)
            )
        )
        if wait > 0:
            raise Snooze(
                "the project's ceiling on tokens is reached", code="spend_ceiling", provider="spend",
                retry_after=min(wait, _LONGEST_PAUSE),
            )  # fmt: skip

    def note(self, usage: Usage) -> None:
        """This was spent."""
        self.unpaid += usage

    def paid(self) -> None:
        """The commit wrote it down."""
        self.unpaid = Usage()

    def settle(self) -> None:
        """Write down what is unpaid, give the reservation back. A database that is away leaves it to its end."""
        if not self.held and self.unpaid == Usage():
            return
        try:
            self.parts.db.run(lambda session: spend.settle(session, self.project_id, self.id, self.unpaid))
        except ServiceError as error:
            _log.warning("spend_not_settled", code=error.code)


@contextmanager
def billed(parts: Parts, work: Work) -> Iterator[Bill]:
    """Around one attempt at a window."""
    bill = Bill(parts, work.claim.scope.project_id)
    try:
        yield bill
    except WorkError as error:
        told = error.extra.get("usage")
        bill.note(Usage(**told) if isinstance(told, dict) else Usage())
        raise
    finally:
        bill.settle()


def ceilings(settings: Settings) -> Ceilings:
    """What counts for projects without a ceiling of their own."""
    return Ceilings(settings.tokens_per_day, settings.tokens_per_month)


def lapse(settings: Settings) -> float:
    """Seconds after which nobody works on a window any more."""
    return settings.attempt_deadline + settings.lease


def most_tokens(window: Window, settings: Settings) -> int:
    """No round of calls for this window costs more: a token is at least one byte, and answers are limited."""
    said = sum(len(message.text.encode()) + _MESSAGE_ROOM for message in window.messages)
    rules = window.rules
    asked = sum(len(text.encode()) for text in (rules.instructions, rules.includes, rules.excludes, *rules.categories))
    chat = PROMPT_ROOM + _KNOWN_ROOM + said + asked + settings.llm_max_output_tokens
    return _ASKS * chat + said + settings.llm_max_output_tokens


def _tokens(usage: Usage) -> int:
    return usage.prompt_tokens + usage.completion_tokens + usage.embedding_tokens
