"""Stories, a fair extractor and a store in memory: what it takes to post the same messages in different windows.

The extractor is a pure function of `known` and `messages`. It reads the messages in order, keeps one view of what it
was shown and what it read, and answers the final state of each fact once, citing all messages that led there.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from shared.model.message import Message
from shared.model.record import Candidate, Op, Record

CITIES = ("Rome", "Milan", "Oslo")
AREAS = ("Monti", "Frogner")
FIRMS = ("Acme", "Globex")
THINGS = ("canoe", "piano", "tent")
YEARS = ("2019", "2021")

_HOME = re.compile(r"(?:I live|Lives) in (\w+)(?: near (\w+))?(?: since (\d{4}))?")
_JOB = re.compile(r"(?:I work|Works) at (\w+)(?: near (\w+))?(?: since (\d{4}))?")
_THING = re.compile(r"(?:I own|Owns) a (\w+)")
_FORGET = re.compile(r"Forget where I (live|work)")
_BEFORE = re.compile(r", before that (\w+)$")


@dataclass(frozen=True, slots=True)
class Fact:
    """What a statement says of one attribute."""

    key: str
    value: str
    detail: str | None = None
    year: str | None = None
    before: str | None = None

    def text(self) -> str:
        """As a memory."""
        if self.key not in ("live", "work"):
            return f"Owns a {self.value}"
        verb = "Lives in" if self.key == "live" else "Works at"
        detail = f" near {self.detail}" if self.detail else ""
        since = f" since {self.year}" if self.year else ""
        before = f", before that {self.before}" if self.before else ""
        return f"{verb} {self.value}{detail}{since}{before}"

    def covers(self, said: Fact) -> bool:
        """True where it says all that was said."""
        same = self.value == said.value
        return same and said.detail in (None, self.detail) and said.year in (None, self.year)

    def fits(self, said: Fact) -> bool:
        """True where both can be true at once."""
        same = self.value == said.value
        return (
            same
            and (None in (self.detail, said.detail) or self.detail == said.detail)
            and (None in (self.year, said.year) or self.year == said.year)
        )

    def joined(self, said: Fact) -> Fact:
        """The fuller statement of both."""
        return replace(self, detail=said.detail or self.detail, year=said.year or self.year)


def facts(text: str) -> list[Fact]:
    """What a message or a memory states."""
    before = _BEFORE.search(text)
    found = [
        Fact(key, match[1], match[2], match[3], before[1] if before else None)
        for key, pattern in (("live", _HOME), ("work", _JOB))
        for match in pattern.finditer(text)
    ]
    return found + [Fact(f"own {match[1]}", match[1]) for match in _THING.finditer(text)]


@dataclass(slots=True)
class _View:
    """One attribute as the extractor sees it; `told`: the messages of the window that led here."""

    fact: Fact
    target: int | None = None
    op: Op = "SAME"
    told: list[int] = field(default_factory=list)
    echoes: list[int] = field(default_factory=list)  # said again in other words since
    named: str | None = None  # the year a message of the window gave


@dataclass(frozen=True, slots=True)
class Fair:
    """`tells_before`: a changed text names what it replaces, as the prompt asks; else a text can be restored."""

    tells_before: bool = True

    def __call__(self, known: Sequence[Candidate], messages: Sequence[Message]) -> list[Record]:
        views: dict[str, list[_View]] = defaultdict(list)  # of an attribute, the one that counts last
        for candidate in known:
            for fact in facts(candidate.text):
                views[fact.key].append(_View(fact, candidate.n))
        records: list[Record] = []
        for index, message in enumerate(messages):
            for fact in facts(message.text):
                if views[fact.key]:
                    self._hear(_spoken_of(views[fact.key], fact), fact, index, messages)
                else:
                    views[fact.key].append(_View(fact, None, "ADD", [index], named=fact.year))
            if (forget := _FORGET.match(message.text)) and views[forget[1]]:
                records += _taken_back(views[forget[1]].pop(), index, messages)
        return records + [record for stack in views.values() for view in stack for record in _records(view, messages)]

    def _hear(self, view: _View, said: Fact, index: int, messages: Sequence[Message]) -> None:
        if view.fact.covers(said):
            last = messages[view.told[-1]].text if view.told else None
            (view.told if view.op == "SAME" or messages[index].text == last else view.echoes).append(index)
            return
        view.told = sorted((*view.told, *view.echoes, index))
        view.echoes = []
        if view.fact.fits(said):
            view.op = "REFINE" if view.op == "SAME" else view.op
            view.fact, view.named = view.fact.joined(said), said.year or view.named
        else:
            view.op = "ADD" if view.target is None else "SUPERSEDE"
            view.fact = replace(said, before=view.fact.value if self.tells_before else None)
            view.named = said.year


def _spoken_of(views: list[_View], said: Fact) -> _View:
    """The one that says so already, else the one that counts."""
    return next((view for view in reversed(views) if view.fact.covers(said)), views[-1])


def _taken_back(view: _View, index: int, messages: Sequence[Message]) -> list[Record]:
    """A retraction of what is known; what only the window stated is simply not written."""
    if view.target is None:
        return []
    return [Record((index,), messages[index].text, view.fact.text(), op="RETRACT", target=view.target)]


def _records(view: _View, messages: Sequence[Message]) -> list[Record]:
    """The final state of an attribute, and once more for what only said it again in other words."""
    if not view.told:
        return []
    stated = _record(view, tuple(reversed(view.told)), messages)
    return [stated, *(_record(view, (index,), messages) for index in view.echoes)]


def _record(view: _View, src: tuple[int, ...], messages: Sequence[Message]) -> Record:
    words = " ".join(messages[src[0]].text.split()[:12])
    op: Op = "ADD" if view.target is None else view.op
    return Record(src, words, view.fact.text(), kind="profile", when=view.named, op=op, target=view.target)
