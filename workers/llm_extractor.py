"""The `openai` extractor: one chat call for a window, and one more when the answer is of no use.

Never an empty success: an answer without records counts only when it is valid.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from shared.errors import Narrow, WorkError
from shared.llm.answers import PROVIDER, Completion, InvalidAnswer
from shared.llm.capability import Capability
from shared.llm.chat import ChatModel
from shared.model.message import Message, Window
from shared.model.record import Candidate, Extraction, Extractor, Record, Usage
from shared.provider.deadline import Countdown, remaining
from workers.pipeline.prompts.extract import DEFAULT_BUDGET, PROMPT_VERSION, SCHEMA, Budget, build, parse

Check = Callable[[tuple[Record, ...]], list[str]]

ASKS = 2

_NOBODY = UUID(int=0)
_PROBE = Window((Message(_NOBODY, _NOBODY, 0, 0, "user", "ok thanks", datetime(2026, 1, 1, tzinfo=UTC)),))


class LLMExtractor:
    """Thread-safe, like the chat model it asks. `seconds`: limit of all calls for one window together."""

    def __init__(self, chat: ChatModel, *, seconds: float = 70.0, budget: Budget = DEFAULT_BUDGET) -> None:
        self._chat = chat
        self._seconds = seconds
        self._budget = budget
        self._probing = threading.Lock()
        self.author = Extractor("openai", chat.model, PROMPT_VERSION)

    def probe(self, timeout: float | None = None) -> Capability:
        """What the server understands, found with an ordinary request; never raises, never stops a boot."""
        return self._chat.probe(build(_PROBE, ()), SCHEMA, timeout=timeout)

    def extract(
        self,
        window: Window,
        candidates: Sequence[Candidate],
        check: Check,
        safety_identifier: str | None = None,
    ) -> Extraction:
        """The records of a window against its numbered candidates.

        check: what is wrong when all records are at fault, [] when at least one stands.
        Raises Snooze or Narrow (`llm_invalid_output`, `llm_ungrounded`, or what the chat model says); the error's
        `extra["usage"]` holds what was spent.
        """
        clock = Countdown(self._seconds)
        usage, code = Usage(), ""
        faults: tuple[str, ...] = ()
        for _ in range(ASKS):
            hurried = _left(clock) < self._chat.timeout
            try:
                answer = self._ask(window, candidates, faults, safety_identifier, clock)
            except InvalidAnswer as invalid:
                usage, faults, code = usage + invalid.usage, invalid.faults, "llm_invalid_output"
                self._settle(clock)
                continue
            except WorkError as error:
                if code and error.code == "provider_timeout" and hurried:
                    break  # the model was given less than its time because its first answer was of no use
                raise _spent(error, usage) from None
            usage += answer.usage
            records = parse(answer.data, window.rules.categories)
            faults, code = tuple(check(records)) if records else (), "llm_ungrounded"
            if not faults:
                return Extraction(records, self.author, usage)
        raise _spent(Narrow("the model's answers were of no use", code=code, provider=PROVIDER), usage)

    def _ask(
        self,
        window: Window,
        candidates: Sequence[Candidate],
        faults: Sequence[str],
        safety_identifier: str | None,
        clock: Countdown,
    ) -> Completion:
        return self._chat.complete(
            build(window, candidates, faults, self._budget),
            SCHEMA,
            cache_key=PROMPT_VERSION,
            safety_identifier=safety_identifier,
            timeout=clock.left(),
        )

    def _settle(self, clock: Countdown) -> None:
        """Before the second try, find the right rung if the boot could not: the server may ignore the schema."""
        if not self._chat.capability.proven and self._probing.acquire(blocking=False):
            try:
                self.probe(clock.left())
            finally:
                self._probing.release()


def _left(clock: Countdown) -> float:
    """Seconds for the next call, as far as this window's own limits go."""
    outer = remaining()
    return clock.left() if outer is None else min(outer, clock.left())


def _spent(error: WorkError, before: Usage) -> WorkError:
    """The error with what it and the call before it cost."""
    own = error.extra.get("usage")
    error.extra["usage"] = (before + Usage(**own) if isinstance(own, dict) else before).as_dict()
    return error
