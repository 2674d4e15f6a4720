"""The key-free extractor: rules instead of a model. Pure and deterministic; English is retold in the third person.

Each message is read into statements; the ledger sets them against the candidates and against each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shared.model.message import Message, Window
from shared.model.record import Candidate, Extraction, Extractor
from workers.rules.ledger import Ledger
from workers.rules.reading import statements
from workers.rules.statement import Statement

AUTHOR = Extractor(name="rules", model=None, prompt_version="rules-1")


def extract(window: Window, candidates: Sequence[Candidate]) -> Extraction:
    """The records of a window against its numbered candidates. Never raises, whatever the text."""
    ledger = Ledger(candidates, _names(window))
    last: dict[tuple[str, str | None], Statement] = {}
    for index, message in enumerate(window.messages):
        for statement in statements(index, message, window):
            if statement.act == "forget_last":
                previous = last.get((message.role, message.speaker)) or _said_before(window, message)
                if previous is not None:
                    ledger.take(replace(statement, act="forget", text=previous.text), message.said_at)
                continue
            ledger.take(statement, message.said_at)
            last[message.role, message.speaker] = statement
    return Extraction(ledger.records(), AUTHOR)


def _said_before(window: Window, speaking: Message) -> Statement | None:
    """The last statement of a speaker before the window, for "that's not true any more"."""
    for message in reversed(window.earlier):
        if (message.role, message.speaker) == (speaking.role, speaking.speaker):
            said = statements(0, message, window)
            if said:
                return said[-1]
    return None


def _names(window: Window) -> tuple[str, ...]:
    people = [message.speaker for message in window.messages if message.speaker]
    return tuple(dict.fromkeys((*people, *filter(None, (window.subject, window.assistant)))))
