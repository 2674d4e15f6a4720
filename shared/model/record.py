"""What an extractor answers: records against numbered candidates. See docs for the wire schema of the LLM."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

Op = Literal["ADD", "REFINE", "SUPERSEDE", "RETRACT", "SAME"]
OPS: tuple[Op, ...] = ("ADD", "REFINE", "SUPERSEDE", "RETRACT", "SAME")
About = Literal["user", "assistant", "other"]
Kind = Literal["profile", "preference", "event", "plan", "state", "need", "instruction", "knowledge"]
KINDS: tuple[Kind, ...] = ("profile", "preference", "event", "plan", "state", "need", "instruction", "knowledge")
RAW_KIND = "raw"  # a message stored as it is (infer=false); never produced by an extractor
MESSAGE_KIND = "message"  # a message kept beside the statements made of it


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored memory shown to the extractor as `known[n]`; the extractor names it by n only."""

    n: int
    memory_id: UUID
    version: int
    text: str
    kind: str
    since: str | None = None  # ISO date from which it is true, as precise as known
    observed_at: datetime | None = None
    immutable: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """One statement an extractor found, not yet checked.

    src: indexes into `Window.messages`, first = the message that states the final state.
    quote: 3-12 consecutive words of the first src message (the whole sentence when shorter).
    when/until: ISO 8601, as precise as known (`2026`, `2026-05`, `2026-05-06`, `2026-05-06T15:00Z`).
    target: a candidate's n for every op but ADD.
    """

    src: tuple[int, ...]
    quote: str
    text: str
    about: About = "user"
    kind: Kind = "knowledge"
    when: str | None = None
    until: str | None = None
    op: Op = "ADD"
    target: int | None = None
    weight: int = 2
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """What a window cost: provider calls and the tokens the provider reported."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    embedding_calls: int = 0
    embedding_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    def as_dict(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Extractor:
    """Who wrote a memory; kept on each."""

    name: Literal["openai", "rules"]
    model: str | None = None
    prompt_version: str | None = None

    def as_dict(self) -> dict[str, str | None]:
        return {"name": self.name, "model": self.model, "prompt_version": self.prompt_version}


@dataclass(frozen=True, slots=True)
class Extraction:
    """An extractor's answer for one window: unchecked records, their cost and their author."""

    records: tuple[Record, ...]
    extractor: Extractor
    usage: Usage = field(default_factory=Usage)
