"""Windows, works and records for the tests of the checks, in one line each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from shared.db.scopes import Claim
from shared.model.decision import EventTraits
from shared.model.message import Message, Role, Window
from shared.model.record import Candidate, Extraction, Extractor, Op, Record
from shared.model.scope import ScopeIds, ScopeRef
from workers.checks.grounds import Ground
from workers.checks.verdict import judge
from workers.pipeline.check import check
from workers.work import Checked, Work

SAID_AT = datetime(2026, 5, 14, 10, 0, tzinfo=UTC)  # a Thursday
_SPACE = UUID(int=7)


def said(
    text: str, role: Role = "user", speaker: str | None = None, at: datetime = SAID_AT, event: int = 1, index: int = 0
) -> Message:
    """One message of the unnamed user; its id follows from what it is."""
    message_id = uuid5(_SPACE, f"{event}/{index}/{role}/{speaker}/{text!r}")
    return Message(message_id, event_id(event), event, index, role, text, at, speaker)


def event_id(seq: int) -> UUID:
    return UUID(int=seq)


def window(*messages: Message | str, **fields: Any) -> Window:
    """A window of messages; a string is a message of the unnamed user, each of an event of its own."""
    whole = [
        replace(said(message, event=number), index=0) if isinstance(message, str) else message
        for number, message in enumerate(messages, start=1)
    ]
    return Window(tuple(whole), **fields)


def known(*texts: str, **fields: Any) -> tuple[Candidate, ...]:
    """Candidates numbered from 0."""
    return tuple(
        Candidate(n, UUID(int=100 + n), 1, text, **{"kind": "profile", **fields}) for n, text in enumerate(texts)
    )


def work_of(shown: Window, *, stamped: bool = False, groups: Sequence[tuple[Message, ...]] | None = None) -> Work:
    """The window as claimed work; each shown message stands for itself unless `groups` says more."""
    whole = tuple(groups) if groups else tuple((message,) for message in shown.messages)
    events = {
        message.event_id: EventTraits(message.event_id, message.seq, ScopeIds(user_id="u"))
        for group in whole
        for message in group
    }
    ids = frozenset(message.id for group in whole for message in group)
    return Work(
        UUID(int=9),
        Claim(ScopeRef(UUID(int=1), UUID(int=2)), "live", 1, "worker", 1, 1),
        shown,
        whole,
        events,
        ids if stamped else frozenset(),
    )


def checked(
    shown: Window, *records: Record, candidates: Sequence[Candidate] = (), cap: int = 50, **work: Any
) -> Checked:
    """The stage run on these records."""
    return check(work_of(shown, **work), candidates, Extraction(records, Extractor("rules")), records_cap=cap)


def reasons(result: Checked) -> dict[str, int]:
    """All rejections, whatever their event."""
    counts: dict[str, int] = {}
    for by_reason in result.rejections.values():
        for reason, number in by_reason.items():
            counts[reason] = counts.get(reason, 0) + number
    return counts


def problems(message: Message | str, text: str, candidates: Sequence[Candidate] = (), **fields: Any) -> list[str]:
    """The reasons against one record that states `text` and quotes its message from the start."""
    shown = window(message, **{key: fields.pop(key) for key in ("earlier", "subject", "assistant") if key in fields})
    record = Record((0,), fields.pop("quote", shown.messages[0].text), text, **fields)
    return against(record, shown, candidates)


def against(record: Record, shown: Window, candidates: Sequence[Candidate] = ()) -> list[str]:
    """The reasons against a record by itself."""
    return [problem.reason.value for problem in judge(record, Ground(shown, candidates)).problems]


def change(op: Op, text: str, target: int | None = 0, **fields: Any) -> Record:
    """A record with an op, quoting message 0 as a whole."""
    return Record((0,), fields.pop("quote", ""), text, op=op, target=target, **fields)
