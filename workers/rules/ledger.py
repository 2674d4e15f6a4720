"""Sets statements against what is known and against each other: one entry a memory, one record an entry.

Posted in one window or one by one, the same statements end in the same texts: drafts of this window are treated as
candidates are. Nothing said earlier than an entry's newest source changes that entry.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.model.record import RAW_KIND, Candidate, Op, Record
from workers.rules.attributes import Fact, fact, subject_of
from workers.rules.likeness import Shape, opposite, overlap, richer, same, same_taste, shape
from workers.rules.statement import Statement
from workers.rules.succession import by_fact, successor

_TAKEN_BACK = 0.6


@dataclass(frozen=True, slots=True)
class _Reading:
    """A text understood: whom it is about, what it says of them, the attribute it gives."""

    subject: str
    shape: Shape
    fact: Fact | None


@dataclass
class _Entry:
    """A memory as this window leaves it. n: the candidate's number, None for a draft; op: None while untouched."""

    text: str
    kind: str
    at: datetime | None
    reading: _Reading
    n: int | None = None
    immutable: bool = False
    op: Op | None = None
    statement: Statement | None = None
    srcs: list[int] = field(default_factory=list)
    gone: bool = False
    closed: bool = False


class Ledger:
    """The state of one window; `take` statements in order, then read `records`."""

    def __init__(self, candidates: Iterable[Candidate], names: tuple[str, ...]) -> None:
        self._names = names
        self._entries = [
            _Entry(
                candidate.text,
                candidate.kind,
                candidate.observed_at,
                self._read(candidate.text),
                n=candidate.n,
                immutable=candidate.immutable,
            )
            for candidate in candidates
        ]
        self._touched: list[_Entry] = []

    def take(self, statement: Statement, at: datetime) -> None:
        """Set one statement, said at `at`, against everything before it."""
        if statement.act == "forget":
            self._retract(statement)
        elif statement.act != "ended" or not self._retract(statement):
            self._say(statement, at)

    def records(self) -> tuple[Record, ...]:
        """One record for each memory that was touched, in the order in which they were."""
        live = (entry for entry in self._touched if not entry.gone or entry.n is not None)
        return tuple(_record(entry) for entry in live)

    def _read(self, text: str) -> _Reading:
        subject, at = subject_of(text, self._names)
        return _Reading(subject, shape(text[at:]), fact(text, self._names))

    def _say(self, statement: Statement, at: datetime) -> None:
        new = self._read(statement.text)
        related = [(op, entry) for entry in reversed(self._entries) if (op := self._relation(statement, new, entry))]
        op, entry = min(related, key=lambda pair: pair[0] != "SAME", default=(None, None))
        if op is None or entry is None:
            self._draft(statement, new, at)
        elif op != "SAME" and entry.at is not None and at < entry.at:
            ended = entry if op == "SUPERSEDE" else None
            until = entry.at.date().isoformat() if ended else None
            self._draft(replace(statement, until=until or statement.until), new, at, behind=ended)
        else:
            self._apply(entry, op, replace(statement, text=_resulting(op, statement.text, new, entry)), at)

    def _relation(self, statement: Statement, new: _Reading, entry: _Entry) -> Op | None:
        """What a statement does to an entry; None: nothing."""
        old = entry.reading
        if entry.closed or entry.kind == RAW_KIND or new.subject != old.subject:
            return None
        alike = new.fact and old.fact and (new.fact.subject, new.fact.key) == (old.fact.subject, old.fact.key)
        if entry.gone:
            ended_here = entry.n is not None and entry.srcs[:1] == [statement.src]
            return "SUPERSEDE" if alike and ended_here else None  # "I don't live in Rome any more, I moved to Milan"
        if same(new.shape, old.shape):
            return "SAME"
        if alike and new.fact and old.fact:
            op = by_fact(statement.text, new.fact, entry.text, old.fact)
        else:
            op = None if "event" in (statement.kind, entry.kind) else _compared(new.shape, old.shape)
        return None if entry.immutable and op != "SAME" else op

    def _apply(self, entry: _Entry, op: Op, statement: Statement, at: datetime) -> None:
        entry.gone = False
        if op == "SAME" and entry.op is not None:
            entry.srcs += [] if statement.src in entry.srcs else [statement.src]
        else:
            entry.srcs = [statement.src, *(src for src in entry.srcs if src != statement.src)]
            entry.statement, entry.text = statement, statement.text
            entry.reading = self._read(statement.text)
            entry.kind = statement.kind if op != "SAME" else entry.kind
            entry.op = "ADD" if entry.n is None else "SUPERSEDE" if "SUPERSEDE" in (op, entry.op) else op
        entry.at = max(entry.at, at) if entry.at else at
        self._touch(entry)

    def _draft(self, statement: Statement, read: _Reading, at: datetime, *, behind: _Entry | None = None) -> None:
        """A new entry. `behind`: what had taken its place before it was told; commit closes it in favour of that."""
        late = behind is not None and behind.n is not None
        entry = _Entry(
            statement.text, statement.kind, at, read, n=behind.n if behind else None, op="SUPERSEDE" if late else "ADD",
            statement=statement, closed=behind is not None,
        )  # fmt: skip
        entry.srcs.append(statement.src)
        self._entries.append(entry)
        self._touch(entry)

    def _retract(self, statement: Statement) -> bool:
        """End the memory a statement takes back; False where none fits."""
        unwanted = self._read(statement.text)
        fits = [(_fit(unwanted, entry), entry) for entry in reversed(self._entries)]
        best, entry = max(fits, key=lambda pair: pair[0], default=(0.0, None))
        if entry is None or best < _TAKEN_BACK:
            return False
        entry.gone, entry.op = True, "RETRACT"
        entry.srcs = [statement.src, *(src for src in entry.srcs if src != statement.src)]
        entry.statement = replace(statement, text=entry.text)
        self._touch(entry)
        return True

    def _touch(self, entry: _Entry) -> None:
        if not any(entry is other for other in self._touched):
            self._touched.append(entry)


def _compared(new: Shape, old: Shape) -> Op | None:
    """What decides where no attribute does."""
    if same_taste(new, old):
        return "SAME"
    if opposite(new, old):
        return "SUPERSEDE"
    if richer(new, old):
        return "REFINE"
    return "SAME" if richer(old, new) else None


def _resulting(op: Op, text: str, new: _Reading, entry: _Entry) -> str:
    if op == "SAME":
        return entry.text
    old = entry.reading.fact
    return successor(text, new.fact, old) if op == "SUPERSEDE" and new.fact and old else text


def _fit(unwanted: _Reading, entry: _Entry) -> float:
    if entry.gone or entry.closed or entry.immutable or unwanted.subject != entry.reading.subject:
        return 0.0
    return overlap(unwanted.shape, entry.reading.shape)


def _record(entry: _Entry) -> Record:
    statement = entry.statement
    if statement is None or entry.op is None:
        raise AssertionError("only touched entries have records")
    return Record(
        src=tuple(entry.srcs),
        quote=statement.quote,
        text=entry.text,
        about=statement.about,
        kind=statement.kind,
        when=statement.when,
        until=statement.until,
        op=entry.op,
        target=entry.n,
        weight=statement.weight,
    )
