"""A scope in memory: windows are cut, checked and planned by the product's own code; only the rows are plain dicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from shared.db.scopes import Claim
from shared.model.decision import EventTraits
from shared.model.ids import uuid7
from shared.model.memory import Memory
from shared.model.message import Message, Window
from shared.model.plan import Known, Plan, Planner, TellApart
from shared.model.record import Candidate, Extraction, Extractor, Record
from shared.model.repeats import Words, in_a_row
from shared.model.scope import ScopeRef
from shared.model.text import text_hash
from shared.model.windows import Limits, Waiting, cut
from tests.unit.model.plan_samples import EXTRACTOR, IDS, NOON, PROJECT, SCOPE
from workers.pipeline.check import check
from workers.work import Checked, Work

Extract = Callable[[Sequence[Candidate], Sequence[Message]], list[Record]]


@dataclass(frozen=True, slots=True)
class Post:
    """One event: what it says, when it was said (minutes after noon), what it hands to memories."""

    texts: tuple[str, ...]
    minutes: int = 0
    metadata: dict[str, Any] | None = None
    expires_on: date | None = None
    immutable: bool = False

    def said_at(self) -> datetime:
        return NOON + timedelta(minutes=self.minutes)


@dataclass(slots=True)
class Store:
    """One scope. `post` accepts, `drain` works until nothing is pending."""

    extract: Extract
    memories: dict[UUID, Memory] = field(default_factory=dict)
    sources: dict[tuple[UUID, int], set[UUID]] = field(default_factory=dict)
    said: dict[UUID, Message] = field(default_factory=dict)
    pending: list[Waiting] = field(default_factory=list)
    events: dict[UUID, EventTraits] = field(default_factory=dict)
    calls: int = 0

    def post(self, post: Post, seq: int) -> None:
        """Accept an event; ids of its messages follow from its place, so that stores can be compared."""
        event = EventTraits(UUID(int=seq), seq, IDS, post.metadata, post.expires_on, post.immutable)
        self.events[event.event_id] = event
        for index, text in enumerate(post.texts):
            message = Message(UUID(int=1000 * seq + index), event.event_id, seq, index, "user", text, post.said_at())
            self.said[message.id] = message
            self.pending.append(Waiting(message, b"", immutable=post.immutable))

    def drain(self, messages: int = 40) -> None:
        """Windows of at most so many messages until nothing is pending."""
        while self.pending:
            observed = [memory.observed_at for memory in self.current()]
            chosen = cut(self.pending, Limits(messages, 10_000), observed)
            done = self._window([item.message for item in chosen])
            self.pending = self.pending[done:]

    def current(self) -> list[Memory]:
        return [memory for memory in self.memories.values() if memory.state == "current"]

    def shown(self) -> list[tuple[object, ...]]:
        """Everything of the current memories that may not depend on the cuts."""
        return sorted(
            (
                one.text, str(sorted((one.metadata or {}).items())), one.happens_at, one.precision, one.valid_from,
                one.valid_to, one.observed_at, one.expires_on, one.immutable, one.evidence_count, one.created_at,
                sorted(message.int for message in self.sources[one.id, one.version]),
            )
            for one in self.current()
        )  # fmt: skip

    def _window(self, taken: list[Message]) -> int:
        """One window, shortened as long as its messages must be told apart; how many messages it worked on."""
        groups = in_a_row(taken)
        claim = Claim(ScopeRef(PROJECT, SCOPE), "live", 1, "worker", 1, 1)
        window = Window(tuple(group[0] for group in groups))
        work = Work(uuid7(), claim, window, groups, self.events, frozenset(self.said))
        while True:
            candidates = self._candidates()
            self.calls += 1
            records = self.extract(candidates, work.window.messages)
            answer = Extraction(tuple(records), Extractor("rules"))
            checked = check(work, candidates, answer, records_cap=50)
            assert checked.rejections == {} or set().union(*checked.rejections.values()) <= {"immutable"}, (
                checked.rejections, records,
            )  # fmt: skip
            try:
                self._apply(self._plan(checked))
            except TellApart as apart:
                work = work.upto(work.place_of(apart.message_id))
                continue
            return len(work.messages)

    def _candidates(self) -> list[Candidate]:
        ordered = sorted(self.current(), key=lambda memory: (memory.created_at, memory.id))
        return [
            Candidate(
                number, one.id, one.version, one.text, one.kind, (one.valid_from or one.observed_at).date().isoformat(),
                one.observed_at, one.immutable,
            )
            for number, one in enumerate(ordered)
        ]  # fmt: skip

    def _plan(self, checked: Checked) -> Plan:
        hashes = {text_hash(decision.text) for decision in checked.decisions}
        known = Known(
            {d.target.memory_id: self.memories[d.target.memory_id] for d in checked.decisions if d.target},
            {memory.hash: memory for memory in self.current() if memory.hash in hashes},
            last_words={memory.id: self._last_words(memory) for memory in self.current()},
        )
        planner = Planner(
            known, self.events, project_id=PROJECT, scope_id=SCOPE, now=NOON + timedelta(days=300),
            extractor=EXTRACTOR,
        )  # fmt: skip
        return planner.apply(checked.decisions)

    def _last_words(self, memory: Memory) -> Words:
        behind = [self.said[message_id] for message_id in self.sources[memory.id, memory.version]]
        last = max(behind, key=lambda message: (message.seq, message.index))
        return (last.role, last.speaker, last.text)

    def _apply(self, plan: Plan) -> None:
        self.memories |= plan.inserted | plan.changed
        for memory_id, before, after in plan.carried:
            self.sources.setdefault((memory_id, after), set()).update(self.sources[memory_id, before])
        for memory_id, version, source in plan.sources:
            self.sources.setdefault((memory_id, version), set()).add(source.message_id)
        hashes = [memory.hash for memory in self.current()]
        assert len(hashes) == len(set(hashes)), "two current memories have one text"
        for memory in self.current():
            assert memory.evidence_count == len(self.sources[memory.id, memory.version]), memory
