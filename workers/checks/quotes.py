"""The evidence of a record: words of the message, enough to prove something, stored as they stand there."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.model.sentences import sentences
from workers.checks.folding import Folded, fold
from workers.checks.script import is_spaced

MIN_WORDS, MAX_WORDS = 3, 12
MIN_CHARS, MAX_CHARS = 6, 40  # scripts without spaces
_MAX_STORED = 500  # a word may be a long address
_MAX_READ = 4_000
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Quote:
    """text == message[start:end], exactly."""

    start: int
    end: int
    text: str


def find(quote: str, message: str, folded: Folded) -> Quote | None:
    """The quote in the message, cut to its first twelve words; None where it does not stand there."""
    span = folded.find(fold(quote[:_MAX_READ]))
    if span is None:
        return None
    start, end = span
    end = start + _kept(message[start:end])
    return Quote(start, end, message[start:end])


def proves(quote: Quote, message: str) -> bool:
    """True for three words, for six characters of a script without spaces, or for a whole sentence that is shorter."""
    if is_spaced(quote.text):
        enough = len(quote.text.split()) >= MIN_WORDS or len(quote.text) >= MAX_CHARS
    else:
        enough = len(fold(quote.text).text.replace(" ", "")) >= MIN_CHARS
    return enough or _is_sentence(quote, message)


def _is_sentence(quote: Quote, message: str) -> bool:
    said = fold(quote.text).text
    return said == fold(message[: 10 * _MAX_STORED]).text or any(
        said == fold(sentence.text).text
        for sentence in sentences(message)
        if sentence.start <= quote.start and quote.end <= sentence.end
    )


def _kept(said: str) -> int:
    """How many characters of a quote are stored."""
    if not is_spaced(said):
        return min(len(said), MAX_CHARS)
    words = [match.end() for match in _WORD.finditer(said)]
    return min(words[min(len(words), MAX_WORDS) - 1], _MAX_STORED)
