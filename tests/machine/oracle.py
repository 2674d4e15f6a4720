"""What must stand in one scope, computed without the service: facts, what was said for them, what was forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from tests.machine.guest import Said

State = Literal["current", "retracted", "replaced", "deleted"]


@dataclass(slots=True)
class Fact:
    """A memory. `said`: the messages behind it since its text was last written by hand; None: not looked at."""

    text: str
    observed_at: datetime
    said: set[UUID] | None
    state: State = "current"
    id: UUID | None = None  # given by the service
    texts: set[str] = field(default_factory=set)  # every text it ever had

    def __post_init__(self) -> None:
        self.texts.add(self.text)


@dataclass(frozen=True, slots=True)
class Heard:
    """Messages in a row that say the same, and what is to be made of them."""

    messages: tuple[Any, ...]
    decision: Said


class Surprise(AssertionError):
    """The service did what it must not."""


class Memory:
    """The facts of one scope."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.forgotten: dict[str, int] = {}  # text: newest seq at which a fact that ever had it was deleted

    def known(self, memory_id: UUID) -> Fact | None:
        return next((fact for fact in self.facts if fact.id == memory_id), None)

    def current(self) -> list[Fact]:
        return [fact for fact in self.facts if fact.state == "current"]

    # --- what a window does

    def apply(self, heard: Sequence[Heard], versions: Mapping[UUID, int], *, last_run: bool) -> None:
        """`versions`: of the memories when the commit began. `last_run`: it need not be run once more."""
        for one in heard:
            self._hear(one, versions, last_run=last_run)

    def _hear(self, heard: Heard, versions: Mapping[UUID, int], *, last_run: bool) -> None:
        said, messages = heard.decision, heard.messages
        if said.op != "RETRACT" and self.forgotten.get(said.text, -1) > max(message.seq for message in messages):
            return
        if said.op == "ADD" or said.target is None:
            self._add(heard)
            return
        fact = self.known(said.target)
        if fact is None or fact.state == "deleted":
            return
        changed = versions[said.target] != said.version
        if changed and not last_run:
            raise Surprise(f"committed against {fact.text!r} as it was before it changed")
        if changed or fact.state != "current":
            if said.op != "RETRACT":
                self._add(heard)
            return
        self._change(heard, fact)

    def _change(self, heard: Heard, fact: Fact) -> None:
        late = heard.messages[0].said_at < fact.observed_at
        twin = self._twin(heard.decision.text)
        match heard.decision.op:
            case "RETRACT":
                fact.state = fact.state if late else "retracted"
            case "SAME":
                self._same(heard, fact)
            case "SUPERSEDE" if late:
                self._add(heard, closed=True)
            case "SUPERSEDE" if twin is None:
                fact.text = heard.decision.text
                fact.texts.add(fact.text)
                self._same(heard, fact)
            case "SUPERSEDE":
                assert twin is not None
                self._same(heard, twin)
                fact.state = fact.state if twin is fact else "replaced"

    def _add(self, heard: Heard, *, closed: bool = False) -> None:
        text = heard.decision.text
        twin = self._twin(text)
        if twin is not None:
            self._same(heard, twin)
            return
        observed = max(message.said_at for message in heard.messages)
        said = {message.id for message in heard.messages}
        self.facts.append(Fact(text, observed, said, "replaced" if closed else "current"))

    def _same(self, heard: Heard, fact: Fact) -> None:
        fact.observed_at = max(fact.observed_at, *(message.said_at for message in heard.messages))
        if fact.said is not None:
            fact.said |= {message.id for message in heard.messages}

    def _twin(self, text: str) -> Fact | None:
        return next((fact for fact in self.current() if fact.text == text and fact.said is not None), None)

    # --- what a user does

    def patch(self, memory_id: UUID, text: str, now: datetime) -> Literal["done", "missing", "conflict"]:
        """What comes of it."""
        fact = self.known(memory_id)
        if fact is None or fact.state == "deleted":
            return "missing"
        twin = self._twin(text)
        if fact.state != "current" or (twin is not None and twin is not fact):
            return "conflict"
        if text != fact.text:
            fact.text, fact.observed_at, fact.said = text, now, set()
            fact.texts.add(text)
        return "done"

    def delete(self, memory_id: UUID, seq: int) -> bool:
        """Whether there was something to delete."""
        fact = self.known(memory_id)
        if fact is None or fact.state == "deleted":
            return False
        fact.state = "deleted"
        self.forgotten |= dict.fromkeys(fact.texts, seq)
        return True

    def keep_raw(self, memory_id: UUID, text: str, observed_at: datetime) -> None:
        """A message stored as it is."""
        if self.known(memory_id) is None:
            self.facts.append(Fact(text, observed_at, None, id=memory_id))

    # --- comparing

    def compare(self, rows: Sequence[Any]) -> None:
        """The memories of this scope as stored; new ones are given their ids. Raises `Surprise`."""
        stored = {row.id: row for row in rows}
        self._name_new(stored)
        expected = {fact.id: fact.state for fact in self.facts}
        found = {row.id: row.state for row in rows}
        if expected != found:
            raise Surprise(f"facts {_told(self.facts)} but stored {[(row.text, row.state) for row in rows]}")
        for fact in self.facts:
            assert fact.id is not None
            self._compare_one(fact, stored[fact.id])

    def _compare_one(self, fact: Fact, row: Any) -> None:
        if fact.state != "current":
            return
        if (fact.text, fact.observed_at) != (row.text, row.observed_at):
            raise Surprise(f"{fact.text!r} of {fact.observed_at} is stored as {row.text!r} of {row.observed_at}")
        if fact.said is not None and len(fact.said) != row.evidence_count:
            raise Surprise(f"{fact.text!r} was said {len(fact.said)} times, counted {row.evidence_count} times")

    def _name_new(self, stored: Mapping[UUID, Any]) -> None:
        named = {fact.id for fact in self.facts}
        for fact in self.facts:
            if fact.id is None:
                fact.id = next(
                    (
                        row.id
                        for row in stored.values()
                        if row.id not in named and (row.text, row.state) == (fact.text, fact.state)
                    ),
                    None,
                )
                named.add(fact.id)


def _told(facts: Sequence[Fact]) -> list[tuple[str, str]]:
    return [(fact.text, fact.state) for fact in facts]
