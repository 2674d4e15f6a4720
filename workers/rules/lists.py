"""A heading and the short items below it are one statement: "My favourite films: Alien, Brazil"."""

from __future__ import annotations

import re

from shared.model.sentences import Sentence

_MARK = re.compile(r"\s*\n\s*(?:[-*•–—·]|\d{1,3}[.)])\s+(?=\S)")
_BETWEEN = re.compile(r"\s*\n\s*(?:[-*•–—·]|\d{1,3}[.)])\s+")
_FIRST = re.compile(r":" + _MARK.pattern)
_OWN = re.compile(r"(?:I|my|we|our)\b|I['’]", re.IGNORECASE)
_ITEM_WORDS = 8
_MOST = 40  # items


def with_items(found: list[Sentence], text: str) -> list[Sentence]:
    """The sentences, where a heading takes the items below it along; items that say something themselves stay apart."""
    kept: list[Sentence] = []
    at = 0
    while at < len(found):
        end = at + 1
        while found[at].text.endswith((":", "：")) and end < len(found) and end - at <= _MOST:
            between = text[found[end - 1].end : found[end].start]
            if not (_BETWEEN.fullmatch(between) and _is_item(found[end].text)):
                break
            end += 1
        kept.append(_joined(found[at], found[end - 1], text) if end - at > 2 else found[at])
        at = end if end - at > 2 else at + 1
    return kept


def listed(text: str) -> str:
    """The items of a list on one line."""
    return _MARK.sub(", ", _FIRST.sub(": ", text))


def _is_item(text: str) -> bool:
    return len(text.split()) <= _ITEM_WORDS and not _OWN.match(text)


def _joined(first: Sentence, last: Sentence, text: str) -> Sentence:
    return Sentence(first.start, last.end, text[first.start : last.end])
