"""How two statements about one person relate where no attribute decides: equal, opposite, one the richer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.model.text import normalise
from shared.model.word_list import word_list
from workers.rules.worth import content_words

_WORD = re.compile(r"\d+(?:[.,:]\d+)*|[^\W_]+(?:'[^\W_]+)?")
_NEGATION = re.compile(
    r"\b(?:do|does|did)(?: not|n't)\b|\b(?P<kept>is|are|was|were|has|have|had|can|could|would|should|must)"
    r"(?: not|n't)\b|"
    r"\b(?P<can>cannot|can't)\b|\b(?P<will>won't|will not)\b|\b(?:never|no longer|not|no|without)\b",
    re.IGNORECASE,
)
_LIKES = re.compile(
    r"^(?:(?:really |absolutely |also |still )*(?:likes?|loves?|enjoys?|adores?)|"
    r"is (?:an? (?:big |huge )?fan of|into|fond of)) ",
    re.IGNORECASE,
)
_DISLIKES = re.compile(
    r"^(?:(?:really |absolutely |also |still )*(?:hates?|dislikes?|detests?|can't stand|cannot stand|"
    r"(?:doesn't|does not|don't|do not)(?: really)? (?:like|love|enjoy))|"
    r"(?:isn't|is not) (?:an? (?:big |huge )?fan of|into|fond of)) ",
    re.IGNORECASE,
)
_ARTICLES = word_list("a an the")
_PREPOSITIONS = word_list("on in at with for from to during every each before after by near since until twice once")
_AUXILIARIES = word_list("do does did")
_SAME_THING = {
    "has": "have",
    "goes": "go",
    "job": "work",
    "colour": "color",
    "favourite": "favorite",
    "children": "kids",
}
_ENDINGS = word_list("more anymore longer any")
_CHANGES_MEANING = word_list(
    """not no never without except but if unless used former formerly ex stopped quit instead almost nearly might may
    maybe than until was were had wants hopes plans"""
)


@dataclass(frozen=True, slots=True)
class Shape:
    """A text without its subject, prepared for comparing."""

    text: str
    normal: str
    words: tuple[str, ...]
    stems: tuple[str, ...]
    negated: bool
    taste: tuple[str, str]  # "+" or "-" and the thing; "" where no taste is told
    keys: frozenset[str]
    parts: tuple[str, frozenset[str]]  # up to the first preposition, and the phrases behind it in any order


def shape(text: str) -> Shape:
    """Read a text once for all comparisons; `text` starts at its predicate ("Likes tea", not "Maria likes tea")."""
    return Shape(
        text=text,
        normal=normalise(text),
        words=tuple(_words(text)),
        stems=tuple(_stem(word) for word in _words(_positive(text)) if word not in _AUXILIARIES),
        negated=_NEGATION.search(text) is not None,
        taste=_taste(text),
        keys=frozenset(_stem(word) for word in content_words(_positive(text)) if word not in _ENDINGS),
        parts=_parts(text),
    )


def same(left: Shape, right: Shape) -> bool:
    """True for texts that differ only in case, articles, white space, punctuation or the order of their phrases."""
    if left.normal == right.normal or (bool(left.words) and left.words == right.words):
        return True
    return bool(left.parts[1]) and left.parts == right.parts and len(left.words) == len(right.words)


def opposite(left: Shape, right: Shape) -> bool:
    """True for the same statement with and without a negation, or a like against a dislike of the same thing."""
    if left.taste[0] and right.taste[0]:
        return left.taste[0] != right.taste[0] and left.taste[1] == right.taste[1]
    return left.negated != right.negated and len(left.stems) > 1 and left.stems == right.stems


def same_taste(left: Shape, right: Shape) -> bool:
    """True for liking, or disliking, the same thing in other words ("Likes sushi", "Loves sushi")."""
    return bool(left.taste[0]) and left.taste == right.taste


def richer(new: Shape, old: Shape) -> bool:
    """True where `new` says all that `old` says, in the same order, and adds detail that takes nothing back."""
    if len(old.words) < 2 or len(new.words) <= len(old.words) or new.words[0] != old.words[0]:
        return False
    extra = _added(new.words, old.words)
    if extra is None or not content_words(" ".join(extra)):
        return False
    harmless = not (set(extra) & _CHANGES_MEANING) and not any("n't" in word for word in extra)
    return harmless and not _splits_a_name(new.text, old.text)


def overlap(statement: Shape, known: Shape) -> float:
    """How much of what is taken back a known text holds, 0 to about 1; 0 where they share nothing of substance."""
    shared = statement.keys & known.keys
    if not shared:
        return 0.0
    return len(shared) / len(statement.keys) + len(shared) / len(known.keys) / 100


def _added(words: tuple[str, ...], known: tuple[str, ...]) -> list[str] | None:
    """The words beside `known`, which must all occur in order; else None."""
    extra: list[str] = []
    matched = 0
    for word in words:
        if matched < len(known) and word == known[matched]:
            matched += 1
        else:
            extra.append(word)
    return extra if matched == len(known) else None


def _splits_a_name(new: str, old: str) -> bool:
    """True where the richer text goes on with another name right behind one: Tom -> Tom Hanks."""
    last = _WORD.findall(old)[-1]
    return last[:1].isupper() and re.search(rf"\b{re.escape(last)} [A-Z0-9]", new) is not None


def _parts(text: str) -> tuple[str, frozenset[str]]:
    """`Plays chess on Mondays with Tom` -> `plays chess`, {`on mondays`, `with tom`}."""
    phrases: list[list[str]] = [[]]
    for word in _words(text):
        if word in _PREPOSITIONS and not (phrases[-1] and phrases[-1][-1] in _PREPOSITIONS):
            phrases.append([])
        phrases[-1].append(word)
    return " ".join(phrases[0]), frozenset(" ".join(phrase) for phrase in phrases[1:])


def _positive(text: str) -> str:
    """The text without its negations: "can't swim" -> "can swim", "doesn't swim" -> "swim"."""
    return _NEGATION.sub(
        lambda match: match["kept"] or (match["can"] and "can") or (match["will"] and "will") or "", text
    )


def _taste(text: str) -> tuple[str, str]:
    for sign, pattern in (("+", _LIKES), ("-", _DISLIKES)):
        if match := pattern.match(text):
            return sign, " ".join(_words(text[match.end() :]))
    return "", ""


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text.casefold().replace("’", "'")) if word not in _ARTICLES]


def _stem(word: str) -> str:
    word = _SAME_THING.get(word, word)
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    for end in ("ing", "es", "ed", "s", "e"):
        if word.endswith(end) and len(word) - len(end) >= 3:
            return word[: -len(end)]
    return word
