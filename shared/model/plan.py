"""How checked decisions change the memories of one scope: pure rules over rows read under the scope lock.

Called by commit only. A plan never fails on an equal text, never touches what it must not, and leaves the same current
memories however the messages were cut into windows; docs/updates.md tells each op's effects and why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.model.decision import Decision, EventTraits
from shared.model.ids import uuid7
from shared.model.images import before_image
from shared.model.memory import Memory, Result, Source, VersionRow
from shared.model.record import RAW_KIND
from shared.model.repeats import Words, only_repeats
from shared.model.text import text_hash


class TargetChanged(Exception):
    """A memory shown to the extractor is no longer what it saw; the window must be run again."""


class TellApart(Exception):
    """Messages that may not be weighed as one: the window must end before `message_id`; the next one starts there."""

    def __init__(self, message_id: UUID) -> None:
        super().__init__(message_id)
        self.message_id = message_id


@dataclass(slots=True)
class Known:
    """The scope's rows that matter here, all read under the lock.

    by_id: every target, whatever its state. by_hash: current memories whose hash equals a new text's.
    forgotten: for a hash, the newest seq at which a memory that ever had this text was deleted.
    last_words: of the last message behind a target; needed where a decision cites several statements.
    """

    by_id: dict[UUID, Memory]
    by_hash: dict[bytes, Memory]
    forgotten: Mapping[bytes, int] = field(default_factory=dict)
    last_words: Mapping[UUID, Words] = field(default_factory=dict)


@dataclass(slots=True)
class Plan:
    """The rows to write, in order, and what each event reports."""

    inserted: dict[UUID, Memory] = field(default_factory=dict)
    changed: dict[UUID, Memory] = field(default_factory=dict)
    versions: list[VersionRow] = field(default_factory=list)
    sources: list[tuple[UUID, int, Source]] = field(default_factory=list)
    carried: list[tuple[UUID, int, int]] = field(default_factory=list)  # memory, from version, to version
    results: list[Result] = field(default_factory=list)
    dropped: dict[UUID, dict[str, int]] = field(default_factory=dict)  # event -> reason -> count
    embeddings: dict[UUID, tuple[int, Any]] = field(default_factory=dict)  # memory -> version, vector
    reindex: set[UUID] = field(default_factory=set)

    def to_index(self) -> list[Memory]:
        """Every memory whose new state the index must follow."""
        fresh = [memory for memory in self.inserted.values() if memory.state == "current"]
        return fresh + [memory for memory in self.changed.values() if memory.id in self.reindex]


class Planner:
    """Applies decisions one by one, so that a later one sees what an earlier one did."""

    def __init__(
        self,
        known: Known,
        events: Mapping[UUID, EventTraits],
        *,
        project_id: UUID,
        scope_id: UUID,
        now: datetime,
        extractor: dict[str, Any],
        insist: bool = False,
    ) -> None:
        self.known = known
        self.events = events
        self.project_id = project_id
        self.scope_id = scope_id
        self.now = now
        self.extractor = extractor
        self.insist = insist  # no further run: a changed target turns into an ADD
        self._read = {memory.id: memory.version for memory in known.by_id.values()}  # before this plan's own changes
        self._cited: dict[UUID, dict[UUID, Source]] = {}  # memory -> message -> what this plan cited for it
        self.plan = Plan()

    def apply(self, decisions: Sequence[Decision]) -> Plan:
        """In accept order, so that history never runs backwards.

        Raises `TargetChanged` unless this is the last run, and `TellApart`.
        """
        for decision in sorted(decisions, key=lambda item: self.events[item.owner].seq):
            self._one(decision)
        return self.plan

    def _one(self, decision: Decision) -> None:
        if decision.barred and decision.op in ("ADD", "REFINE", "SUPERSEDE"):
            _tell_apart(decision, alone=True)
        digest = text_hash(decision.text)
        if decision.op != "RETRACT" and self._was_forgotten(decision, digest):
            return self._drop(decision, "deleted")
        if decision.op == "ADD" or decision.target is None:
            return self._add(decision, digest) if decision.op != "RETRACT" else self._drop(decision, "no_target")
        target = self.known.by_id.get(decision.target.memory_id)
        if target is None or target.state == "deleted":
            return self._drop(decision, "target_deleted")
        changed = self._read[target.id] != decision.target.version
        if changed and not self.insist:
            raise TargetChanged
        if changed or target.state != "current":
            return self._add(decision, digest) if decision.op != "RETRACT" else self._drop(decision, "target_changed")
        return self._on_target(decision, digest, target)

    def _on_target(self, decision: Decision, digest: bytes, target: Memory) -> None:
        late = decision.said_at < target.observed_at
        if decision.op == "RETRACT":
            self._take_back(decision, target, late=late)
        elif decision.op == "SAME" and target.kind != RAW_KIND:
            self._same(decision, target)
        elif target.kind == RAW_KIND or target.immutable:
            self._add(decision, digest)
        elif late:
            _tell_apart(decision, alone=True)
            self._add(decision, digest, closed_by=target if decision.op == "SUPERSEDE" else None)
        else:
            self._change(decision, digest, target)

    def _take_back(self, decision: Decision, target: Memory, *, late: bool) -> None:
        if target.immutable or late:
            _tell_apart(decision, alone=True)
            self._drop(decision, "immutable" if target.immutable else "late")
        else:
            self._retract(decision, target)

    def _change(self, decision: Decision, digest: bytes, target: Memory) -> None:
        twin = self.known.by_hash.get(digest)
        restored = decision.op == "SUPERSEDE" and decision.apart is not None
        if twin is not None and twin.id != target.id:
            self._replace_by(decision, target, twin)
        elif twin is None or restored:
            self._update(decision, digest, target)
        else:
            self._same(decision, target)

    def _was_forgotten(self, decision: Decision, digest: bytes) -> bool:
        deleted = self.known.forgotten.get(digest)
        return deleted is not None and max(self.events[event].seq for event in decision.cited) < deleted

    def _drop(self, decision: Decision, reason: str) -> None:
        counts = self.plan.dropped.setdefault(decision.owner, {})
        counts[reason] = counts.get(reason, 0) + 1

    def _add(self, decision: Decision, digest: bytes, closed_by: Memory | None = None) -> None:
        twin = self.known.by_hash.get(digest)
        if twin is not None:
            if twin.id not in self.plan.inserted:
                _tell_apart(decision)
            self._same(decision, twin)
            return
        memory = Memory(
            project_id=self.project_id, id=uuid7(), scope_id=self.scope_id, ids=self._first(decision).ids,
            text=decision.text, index_text=decision.index_text, hash=digest, kind=decision.kind, about=decision.about,
            role=decision.role, speaker=decision.speaker, weight=decision.weight,
            metadata=self._metadata(decision, None), categories=decision.categories,
            happens_at=decision.happens_at, happens_until=decision.happens_until, precision=decision.precision,
            valid_from=_since(decision), observed_at=_observed(decision),
            expires_on=self._last(decision).expires_on, immutable=self._last(decision).immutable,
            extractor=self.extractor, evidence_count=0,
            created_at=decision.stamped_at or self.now, updated_at=self.now,
        )  # fmt: skip
        if closed_by is not None:
            ended = max(_since(decision), closed_by.valid_from or closed_by.observed_at)
            memory = replace(memory, state="replaced", replaced_by=closed_by.id, valid_to=ended)
        memory = self._cite(decision, memory)
        self.plan.inserted[memory.id] = self.known.by_id[memory.id] = memory
        if closed_by is None:
            self.known.by_hash[digest] = memory
        self._log(decision, memory, "ADD", None, memory.text)
        self._result(decision, memory, "ADD")

    def _same(self, decision: Decision, target: Memory) -> None:
        memory = replace(target, observed_at=max(target.observed_at, _observed(decision)))
        self._store(self._cite(decision, memory), reindex=False)

    def _update(self, decision: Decision, digest: bytes, target: Memory) -> None:
        last = self._last(decision)
        memory = replace(
            target, text=decision.text, index_text=decision.index_text, hash=digest, kind=decision.kind,
            about=decision.about, role=decision.role or target.role, speaker=decision.speaker, weight=decision.weight,
            metadata=self._metadata(decision, target.metadata), categories=decision.categories or target.categories,
            observed_at=max(target.observed_at, _observed(decision)), expires_on=last.expires_on,
            immutable=last.immutable, version=target.version + 1, extractor=self.extractor, updated_at=self.now,
            **_dates(decision, target),
        )  # fmt: skip
        memory = self._cite(decision, memory, grown_from=target)
        self.known.by_hash.pop(target.hash, None)
        self.known.by_hash[digest] = memory
        self._store(memory)
        self._log(decision, memory, decision.op, target, memory.text)
        self._result(decision, memory, "UPDATE", target.text)

    def _replace_by(self, decision: Decision, target: Memory, twin: Memory) -> None:
        _tell_apart(decision)
        self._same(decision, twin)
        closed = replace(
            target, state="replaced", replaced_by=twin.id, valid_to=_since(decision),
            version=target.version + 1, updated_at=self.now,
        )  # fmt: skip
        self._close(decision, target, closed)

    def _retract(self, decision: Decision, target: Memory) -> None:
        closed = replace(
            target, state="retracted", valid_to=_since(decision),
            version=target.version + 1, updated_at=self.now,
        )  # fmt: skip
        self._close(decision, target, closed)

    def _close(self, decision: Decision, target: Memory, closed: Memory) -> None:
        self.known.by_hash.pop(target.hash, None)
        self._store(closed)
        self.plan.sources += [(closed.id, closed.version, source) for source in decision.sources]
        self._log(decision, closed, decision.op, target, None)
        self._result(decision, closed, "DELETE")

    def _cite(self, decision: Decision, memory: Memory, grown_from: Memory | None = None) -> Memory:
        """The decision's messages stand behind this version, each once; a new version keeps those of the one before."""
        known = self._cited.setdefault(memory.id, {})
        fresh = {source.message_id: source for source in decision.sources if source.message_id not in known}
        known |= fresh
        written = fresh if grown_from is None else known
        self.plan.sources += [(memory.id, memory.version, source) for source in written.values()]
        if grown_from is not None and memory.id in self._read:
            self.plan.carried.append((memory.id, self._read[memory.id], memory.version))
        return replace(memory, evidence_count=memory.evidence_count + len(fresh))

    def _store(self, memory: Memory, *, reindex: bool = True) -> None:
        self.known.by_id[memory.id] = memory
        if self.known.by_hash.get(memory.hash, memory).id == memory.id and memory.state == "current":
            self.known.by_hash[memory.hash] = memory
        if memory.id in self.plan.inserted:
            self.plan.inserted[memory.id] = memory
        else:
            self.plan.changed[memory.id] = memory
        if reindex:
            self.plan.reindex.add(memory.id)

    def _log(self, decision: Decision, memory: Memory, op: str, old: Memory | None, new_text: str | None) -> None:
        self.plan.versions.append(
            VersionRow(
                memory.id, memory.version, op, old.text if old else None, new_text, memory.hash, decision.owner,
                self.events[decision.owner].seq, memory.valid_to if new_text is None else memory.valid_from,
                before_image(old), memory.valid_to if new_text is not None else None,
            )
        )  # fmt: skip
        if new_text is not None and decision.embedding is not None:
            self.plan.embeddings[memory.id] = (memory.version, decision.embedding)

    def _result(self, decision: Decision, memory: Memory, event: Any, previous: str | None = None) -> None:
        self.plan.results.append(Result(decision.owner, memory.id, memory.text, event, previous))

    def _metadata(self, decision: Decision, old: Mapping[str, Any] | None) -> dict[str, Any] | None:
        merged: dict[str, Any] = dict(old or {})
        for event in self._stating(decision):
            merged |= self.events[event].metadata or {}
        return merged or None

    def _stating(self, decision: Decision) -> tuple[UUID, ...]:
        """The events whose messages state something; the first may only repeat what the target was last told."""
        last = self.known.last_words.get(decision.target.memory_id) if decision.target else None
        if decision.opening is not None and only_repeats(decision.opening, last):
            return decision.following
        return decision.stating or decision.cited

    def _first(self, decision: Decision) -> EventTraits:
        return self.events[self._stating(decision)[0]]

    def _last(self, decision: Decision) -> EventTraits:
        return self.events[self._stating(decision)[-1]]


def _tell_apart(decision: Decision, *, alone: bool = False) -> None:
    """What leaves its target as it is cannot be weighed together with other statements.

    Of several it is not known which one vouches for a memory. `alone`: what was said next relies on the change that is
    not made.
    """
    split = decision.apart or (decision.beside if alone else None)
    if split is not None:
        raise TellApart(split)


def _observed(decision: Decision) -> datetime:
    return decision.observed_at or decision.said_at


def _since(decision: Decision) -> datetime:
    """Since when the statement holds as far as is known: the date it gives, else when it was said."""
    return decision.valid_from or decision.stated_at or decision.said_at


def _dates(decision: Decision, target: Memory) -> dict[str, Any]:
    """A statement brings its own dates; a refinement that names none keeps those that were named before."""
    named = decision.happens_at is not None or decision.happens_until is not None
    if decision.op == "SUPERSEDE" or named:
        return {
            "happens_at": decision.happens_at, "happens_until": decision.happens_until,
            "precision": decision.precision, "valid_from": _since(decision),
        }  # fmt: skip
    since_named = target.happens_at is not None and target.valid_from == target.happens_at
    return {"valid_from": target.valid_from if since_named else _since(decision)}
