"""Records to decisions: what may become a memory, and in what way; everything else is counted by reason on its event.

Pure: reads the window and the candidates, asks nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import UTC
from uuid import UUID

from shared.model.asked import index_text
from shared.model.decision import Decision
from shared.model.memory import Source
from shared.model.message import Message, Window
from shared.model.record import Candidate, Extraction, Record
from shared.model.repeats import cite, place
from shared.model.text import normalise
from workers.checks import dates, names, ops, quotes
from workers.checks.folding import fold
from workers.checks.grounds import Ground
from workers.checks.keepable import asked_before
from workers.checks.ops import FAMILY, Ruling
from workers.checks.quotes import Quote
from workers.checks.reasons import Reason
from workers.checks.secrets import holds_secret
from workers.checks.verdict import judge
from workers.checks.visible import storable
from workers.work import Checked, Work

_STARTED_BY_WHEN = frozenset(("profile", "preference", "state", "instruction", "knowledge"))
_MOST_CATEGORIES = 3
_MOST_FAULTS = 20


def faults(window: Window, candidates: Sequence[Candidate], records: Sequence[Record]) -> list[str]:
    """What to tell the extractor when no record stands; [] when one does, or when all were refused by policy."""
    ground = Ground(window, candidates)
    found: list[str] = []
    for index, record in enumerate(records):
        problems = judge(_stored(record), ground).problems
        if not problems:
            return []
        found += [f"record {index}: {problem.detail}" for problem in problems if problem.mendable]
    return found[:_MOST_FAULTS]


def check(work: Work, candidates: Sequence[Candidate], extraction: Extraction, *, records_cap: int) -> Checked:
    """The records that stand as decisions, in the order of their messages; at most `records_cap` of them new memories.

    Several messages may change one memory or say the same: each counts, as if they had come one by one.
    """
    claimed = frozenset(index for record in extraction.records for index in record.src)
    sieve = _Sieve(work, candidates, records_cap, claimed)
    for record in sorted(extraction.records, key=lambda item: place(work.window.messages, item.src)):
        sieve.take(_stored(record))
    rejections = {event: {reason.value: n for reason, n in counts.items()} for event, counts in sieve.rejected.items()}
    return Checked(tuple(sieve.decisions), rejections, extraction.extractor, extraction.usage)


@dataclass(slots=True)
class _Sieve:
    """Takes the records of one answer in order; later ones give way to earlier ones."""

    work: Work
    candidates: Sequence[Candidate]
    records_cap: int
    claimed: frozenset[int] = frozenset()  # what any record of the answer cites
    decisions: list[Decision] = field(default_factory=list)
    rejected: dict[UUID, Counter[Reason]] = field(default_factory=dict)
    _ground: Ground = field(init=False)
    _shared_names: frozenset[str] = field(init=False)
    _texts: dict[tuple[str, str], set[int]] = field(default_factory=dict)  # with the messages that say so
    _targets: set[tuple[int, int]] = field(default_factory=set)  # (candidate, message)
    _added: int = 0

    def __post_init__(self) -> None:
        window = self.work.window
        self._ground = Ground(window, self.candidates)
        people = (window.subject, window.assistant, *(message.speaker or "" for message in window.messages))
        self._shared_names = frozenset().union(*(names.words(name) for name in people))

    def take(self, record: Record) -> None:
        """One record becomes a decision or a count."""
        verdict = judge(record, self._ground)
        if verdict.problems or verdict.quote is None:
            return self._reject(record, verdict.problems[0].reason if verdict.problems else Reason.QUOTE)
        ruling = ops.rule(record, self.candidates, self._said(record), self._shared_names)
        if isinstance(ruling, Reason):
            return self._reject(record, ruling)
        if (reason := self._crowded_out(record, ruling)) is not None:
            return self._reject(record, reason)
        barred = any(one.immutable and self._speaks_of(record, one) for one in self.candidates)
        self.decisions.append(decision(self.work, record, ruling, verdict.quote, self.claimed, barred=barred))
        return None

    def _crowded_out(self, record: Record, ruling: Ruling) -> Reason | None:
        """What earlier records of the answer leave no room for; otherwise the record's place is taken."""
        key = (FAMILY[ruling.op], normalise(record.text))
        claimed = None if ruling.target is None else (ruling.target.n, record.src[0])
        if self._texts.get(key, set()).issuperset(record.src):
            return Reason.DUPLICATE
        if claimed in self._targets:
            return Reason.TARGET_TAKEN
        if ruling.op == "ADD" and key not in self._texts:
            if self._added >= self.records_cap:
                return Reason.CAP
            self._added += 1
        self._texts.setdefault(key, set()).update(record.src)
        if claimed is not None:
            self._targets.add(claimed)
        return None

    def _speaks_of(self, record: Record, memory: Candidate) -> bool:
        return ops.speaks_of(record, memory, self._said(record), self._shared_names)

    def _said(self, record: Record) -> list[str]:
        return [self.work.window.messages[index].text for index in dict.fromkeys(record.src)]

    def _reject(self, record: Record, reason: Reason) -> None:
        messages = self.work.window.messages
        first = next((index for index in record.src if 0 <= index < len(messages)), 0)
        self.rejected.setdefault(messages[first].event_id, Counter())[reason] += 1


def decision(
    work: Work,
    record: Record,
    ruling: Ruling,
    quote: Quote,
    claimed: AbstractSet[int] = frozenset(),
    *,
    barred: bool = False,
) -> Decision:
    """A record that stands, with its sources, dates and owner resolved.

    `claimed`: what any record of the answer cites. `barred`: an immutable memory speaks of the same.
    """
    shown = work.window.messages[record.src[0]]
    behind = cite(work.window.messages, work.groups, record.src, claimed)
    said_at = max(message.said_at for message in behind.stating)
    first, last = behind.stating[0], behind.stating[-1]
    times = dates.read(record, shown.said_at.tzinfo or said_at.tzinfo or UTC)
    starts = (
        times.when.at
        if times.when and record.kind in _STARTED_BY_WHEN and times.when.at <= behind.final.said_at
        else None
    )
    return Decision(
        op=ruling.op,
        text=record.text,
        index_text=_index_text(work.window, record, shown),
        kind=record.kind,
        about=record.about,
        weight=min(3, max(1, record.weight)),
        categories=_categories(record, work.window),
        sources=_sources(record, behind.messages, shown, quote),
        owner=behind.final.event_id,
        said_at=said_at,
        cited=_events(behind.messages),
        stating=_events(behind.stating),
        observed_at=max(message.said_at for message in behind.messages),
        stated_at=behind.final.said_at,
        opening=first if last is not first else None,
        following=_events(behind.stating[1:]),
        apart=last.id if last is not first else None,
        beside=_beside(work, record),
        barred=barred,
        target=ruling.target,
        speaker=shown.speaker,
        role=shown.role,
        happens_at=times.when.at if times.when else None,
        happens_until=times.until.at if times.until else None,
        precision=times.precision,
        valid_from=starts,
        stamped_at=first.said_at if first.id in work.stamped else None,
    )


def _beside(work: Work, record: Record) -> UUID | None:
    """Where to end the window so that a message ends up alone: before it, else behind it; None when it is alone."""
    shown, place = work.window.messages, record.src[0]
    return shown[place or 1].id if len(shown) > 1 else None


def _events(messages: Sequence[Message]) -> tuple[UUID, ...]:
    """Their events in accept order, each once."""
    return tuple(dict.fromkeys(message.event_id for message in sorted(messages, key=lambda one: one.seq)))


def _stored(record: Record) -> Record:
    return replace(record, text=storable(record.text), quote=storable(record.quote))


def _sources(record: Record, cited: Sequence[Message], shown: Message, quote: Quote) -> tuple[Source, ...]:
    """One source per accepted message; the span where the quote stands in it, no words where it does not."""
    hide = record.op == "RETRACT" and holds_secret(quote.text)
    return tuple(
        Source(message.id, found.start, found.end, "" if hide else found.text)
        if found
        else Source(message.id, None, None, "")
        for message in {message.id: message for message in cited}.values()
        for found in (
            quote if message.text == shown.text else quotes.find(quote.text, message.text, fold(message.text)),
        )
    )


def _index_text(window: Window, record: Record, shown: Message) -> str:
    """Speaker, question answered, statement: what search looks through."""
    speaker = shown.speaker
    if speaker and names.plain(speaker) in names.plain(record.text):
        speaker = None
    return index_text(record.text, speaker, asked_before(window, record.src[0]))


def _categories(record: Record, window: Window) -> tuple[str, ...]:
    """The operator's names only, as the operator spells them."""
    spelled = {name.casefold(): name for name in window.rules.categories}
    wanted = (spelled.get(name.casefold()) for name in record.categories)
    return tuple(dict.fromkeys(name for name in wanted if name))[:_MOST_CATEGORIES]
