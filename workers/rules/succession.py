"""A new value of a single-valued attribute against the old one, and the text that tells both."""

from __future__ import annotations

import re

from shared.model.record import Op
from shared.model.word_list import word_list
from workers.rules.attributes import Fact
from workers.rules.worth import content_words

_CARRIERS = word_list(
    """lives live living moved works work working started began joined resides relocated previously now currently
    name is called back here years old drives studies eats employed job"""
)
_MOVED = re.compile(r"\b(?P<moved>[Mm]oved|[Rr]elocated)(?P<way>(?: back| over| out| away)*) to (?=[A-ZÀ-Þ])")
_CARRIES_MORE = re.compile(r"\band (?:is|has|works?|lives?|loves?|likes?|plays?|owns?|studies|they|their)\b")


def by_fact(text: str, new: Fact, known: str, old: Fact) -> Op | None:
    """What a value does to the old one; None where the old text says more than this one attribute."""
    if new.token == old.token or _begins(old.token, new.token) or _begins(new.token, old.token):
        said, there = _substance(text), _substance(known)
        if said <= there and not _begins(new.token, old.token):
            return "SAME"
        return "REFINE" if there <= said else None if new.token == old.token else "SUPERSEDE"
    return None if _CARRIES_MORE.search(known, old.end) else "SUPERSEDE"


def successor(text: str, new: Fact, old: Fact) -> str:
    """The new state with what it replaces: "Moved from Rome to Milan", "Works at Globex, previously at Acme"."""
    if new.token == old.token or re.search(rf"(?<!\w){re.escape(old.value.casefold())}(?!\w)", text.casefold()):
        return text
    if _MOVED.search(text) and old.before == "in":
        return _MOVED.sub(lambda match: f"{match['moved']}{match['way']} from {old.value} to ", text, count=1)
    return f"{text}, previously {old.before} {old.value}".replace("  ", " ")


def _begins(whole: str, start: str) -> bool:
    return whole.startswith(f"{start} ")


def _substance(text: str) -> set[str]:
    return {word for word in content_words(text) if word not in _CARRIERS}
