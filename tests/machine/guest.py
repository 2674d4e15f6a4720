"""The extractor of the machine: what it answers for a message depends on that message and on what is known.

It may also be away, refuse a message, have a bug, or kill the process that asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from shared.errors import Narrow, Snooze
from shared.model.message import Message, Window
from shared.model.record import RAW_KIND, Candidate, Extraction, Extractor, Op, Record, Usage
from workers.parts import FaultsOf

Weather = Literal["fine", "away", "limited", "bug"]
WEATHERS: tuple[Weather, ...] = ("fine", "away", "limited", "bug")

HOMES = ("I live in Rome", "I live in Milan", "I live in Oslo")
THINGS = ("I own a canoe", "I own a piano", "I own a tent")
FORGET = "Forget where I live"
TALK = "Good morning to you"
POISON = "I own a poisoned cup"
KILLER = "I own a loaded trap"
TEXTS = (*HOMES, *HOMES, *THINGS, FORGET, TALK, POISON, KILLER)
LIMITED = 20.0  # seconds for which a provider over its limits asks to be left alone


@dataclass(frozen=True, slots=True)
class Said:
    """One decision: an op, a text, and the memory it is about, as it was shown."""

    op: Op
    text: str
    target: UUID | None = None
    version: int | None = None


Answer = Mapping[UUID, Said | None]  # by message; None: nothing to remember


class Guest:
    """`die` ends the process that asks; `heard` is told each answer before it is given."""

    def __init__(self, die: Callable[[], None], heard: Callable[[Answer], None]) -> None:
        self.weather: Weather = "fine"
        self.cured = False  # refuses nothing and kills nobody any more
        self.bugs = 0
        self._die = die
        self._heard = heard

    def __call__(self, window: Window, candidates: Sequence[Candidate], faults_of: FaultsOf) -> Extraction:
        self._suffer([message.text for message in window.messages])
        said = [(index, message, decide(message, candidates)) for index, message in enumerate(window.messages)]
        self._heard({message.id: decision for _, message, decision in said})
        numbers = {candidate.memory_id: candidate.n for candidate in candidates}
        records = tuple(
            Record((index,), message.text, one.text, op=one.op, target=numbers.get(one.target) if one.target else None)
            for index, message, one in said
            if one is not None
        )
        return Extraction(records, Extractor("openai", "machine", "1"), Usage(calls=1))

    def _suffer(self, texts: Sequence[str]) -> None:
        if not self.cured and KILLER in texts:
            self._die()
        if self.weather == "away":
            raise Snooze("no answer", provider="llm")
        if self.weather == "limited":
            raise Snooze("too many requests", code="rate_limited", provider="llm", retry_after=LIMITED)
        if self.weather == "bug":
            self.bugs += 1
            raise RuntimeError("a bug")
        if not self.cured and POISON in texts:
            raise Narrow("refused", code="content_filtered", provider="llm")


def decide(message: Message, candidates: Sequence[Candidate]) -> Said | None:
    """Only what is shown counts: other messages of the window are not looked at."""
    if message.text == TALK:
        return None
    homes = [known for known in candidates if known.kind != RAW_KIND and known.text.startswith("I live")]
    if message.text == FORGET:
        return Said("RETRACT", homes[-1].text, homes[-1].memory_id, homes[-1].version) if homes else None
    if not message.text.startswith("I live") or not homes:
        return Said("ADD", message.text)
    same = homes[-1].text == message.text
    return Said("SAME" if same else "SUPERSEDE", message.text, homes[-1].memory_id, homes[-1].version)
