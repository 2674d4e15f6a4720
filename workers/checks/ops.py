"""What a record may do to the memories it was shown.

An op that is not legal becomes ADD, or is refused where ADD makes no sense.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from shared.model.record import RAW_KIND, Candidate, Op, Record
from workers.checks.reasons import Reason
from workers.checks.relation import content, related
from workers.checks.sameness import differs, loses
from workers.checks.taking_back import asks_to_take_back


@dataclass(frozen=True, slots=True)
class Ruling:
    """The op that is left and its target (None for ADD)."""

    op: Op
    target: Candidate | None = None


_ADD = Ruling("ADD")
FAMILY: dict[Op, str] = {"ADD": "add", "REFINE": "update", "SUPERSEDE": "update", "RETRACT": "retract", "SAME": "same"}


def rule(
    record: Record, candidates: Sequence[Candidate], said: Sequence[str], shared_names: AbstractSet[str] = frozenset()
) -> Ruling | Reason:
    """The legal form of a record's op; a reason where nothing legal is left.

    said: the texts of the cited messages, which also tell what a change is about. shared_names: plain names that relate
    nothing, since every statement of the scope may hold them.
    """
    if record.op == "ADD":
        return _ADD
    target = next((candidate for candidate in candidates if candidate.n == record.target), None)
    if target is None:
        return Reason.NO_TARGET if record.op == "RETRACT" else _ADD
    if record.op == "RETRACT":
        return _retract(record, target, said, shared_names)
    return Ruling(record.op, target) if _may_change(record, target, said, shared_names) else _ADD


def _retract(record: Record, target: Candidate, said: Sequence[str], shared_names: AbstractSet[str]) -> Ruling | Reason:
    if target.immutable:
        return Reason.IMMUTABLE
    if not speaks_of(record, target, said, shared_names):
        return Reason.UNRELATED
    return Ruling("RETRACT", target) if asks_to_take_back(said) else Reason.UNASKED


def _may_change(record: Record, target: Candidate, said: Sequence[str], shared_names: AbstractSet[str]) -> bool:
    if target.kind == RAW_KIND:
        return False
    if record.op == "SAME":
        return not differs(record.text, target.text)
    if target.immutable or not speaks_of(record, target, said, shared_names):
        return False
    return record.op == "SUPERSEDE" or not loses(record.text, target.text)


def speaks_of(record: Record, target: Candidate, said: Sequence[str], shared_names: AbstractSet[str]) -> bool:
    """True where the record, or what was said for it, is about the same thing as a memory."""
    statement = content("\n".join((record.text, *said)), shared_names)
    return related(statement, content(target.text, shared_names))
