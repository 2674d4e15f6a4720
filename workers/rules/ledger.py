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
from workers.rules.likeness import opposite, overlap, richer, same, same_taste
from workers.rules.statement import Statement
from workers.rules.succession import by_fact, successor

_TAKEN_BACK = 0.6


@dataclass
class _Entry:
    """A memory as this window leaves it. n: the candidate's number, None for a draft; op: None while untouched."""

    text: str
    kind: str
    at: datetime | None
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
            _Entry(candidate.text, candidate.kind, candidate.observed_at, candidate.n, candidate.immutable)
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

    def _say(self, statement: Statement, at: datetime) -> None:
        new = fact(statement.text, self._names)
        for entry in reversed(self._entries):
            decided = self._relation(statement, new, entry)
            if decided is None:
                continue
            op, text = decided
            if op != "SAME" and entry.at is not None and at < entry.at:
                until = entry.at.date().isoformat() if op == "SUPERSEDE" else None
                self._draft(replace(statement, until=until or statement.until), at, closed=until is not None)
            else:
                self._apply(entry, op, replace(statement, text=text), at)
            return
        self._draft(statement, at)

    def _relation(self, statement: Statement, new: Fact | None, entry: _Entry) -> tuple[Op, str] | None:
        """What `statement` does to an entry and the text that results; None: nothing."""
        if entry.closed or entry.kind == RAW_KIND:
            return None
        if entry.gone:
            return self._return(statement, new, entry)
        text = statement.text
        if same(text, entry.text):
            return "SAME", entry.text
        if subject_of(text, self._names) != subject_of(entry.text, self._names):
            return None
        op = self._compare(statement, new, entry)
        if op is None or (entry.immutable and op != "SAME"):
            return None
        old = fact(entry.text, self._names)
        return op, successor(text, new, old) if op == "SUPERSEDE" and new and old else text

    def _compare(self, statement: Statement, new: Fact | None, entry: _Entry) -> Op | None:
        text = statement.text
        if new and (old := fact(entry.text, self._names)) and (new.subject, new.key) == (old.subject, old.key):
            return by_fact(text, new, entry.text, old)
        if "event" in (statement.kind, entry.kind):
            return None
        if same_taste(text, entry.text):
            return "SAME"
        if opposite(text, entry.text):
            return "SUPERSEDE"
        if richer(text, entry.text):
            return "REFINE"
        return "SAME" if richer(entry.text, text) else None

    def _return(self, statement: Statement, new: Fact | None, entry: _Entry) -> tuple[Op, str] | None:
        """An end and its replacement in a message are one change: "I don't live in Rome any more, I moved to Milan"."""
        old = fact(entry.text, self._names)
        ended_here = entry.n is not None and entry.srcs[:1] == [statement.src]
        if not (new and old and ended_here and (new.subject, new.key) == (old.subject, old.key)):
            return None
        return "SUPERSEDE", successor(statement.text, new, old)

    def _apply(self, entry: _Entry, op: Op, statement: Statement, at: datetime) -> None:
        entry.gone = False
        if op == "SAME" and entry.op is not None:
            entry.srcs += [] if statement.src in entry.srcs else [statement.src]
        else:
            entry.srcs = [statement.src, *(src for src in entry.srcs if src != statement.src)]
            entry.statement, entry.text = statement, statement.text
            entry.kind = statement.kind if op != "SAME" else entry.kind
            entry.op = "ADD" if entry.n is None else "SUPERSEDE" if "SUPERSEDE" in (op, entry.op) else op
        entry.at = max(entry.at, at) if entry.at else at
        self._touch(entry)

    def _draft(self, statement: Statement, at: datetime, *, closed: bool = False) -> None:
        entry = _Entry(
            statement.text, statement.kind, at, op="ADD", statement=statement, srcs=[statement.src], closed=closed
        )
        self._entries.append(entry)
        self._touch(entry)

    def _retract(self, statement: Statement) -> bool:
        """End the memory a statement takes back; False where none fits."""
        open_entries = [entry for entry in self._entries if not (entry.gone or entry.closed or entry.immutable)]
        best = max(open_entries, key=lambda entry: self._fits(statement, entry), default=None)
        if best is None or self._fits(statement, best) < _TAKEN_BACK:
            return False
        best.gone, best.op = True, "RETRACT"
        best.srcs = [statement.src, *(src for src in best.srcs if src != statement.src)]
        best.statement = replace(statement, text=best.text)
        self._touch(best)
        return True

    def _fits(self, statement: Statement, entry: _Entry) -> float:
        if subject_of(statement.text, self._names) != subject_of(entry.text, self._names):
            return 0.0
        return overlap(statement.text, entry.text)

    def _touch(self, entry: _Entry) -> None:
        if entry not in self._touched:
            self._touched.append(entry)


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
