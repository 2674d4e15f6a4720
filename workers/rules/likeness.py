"""How two statements about one person relate where no attribute decides: equal, opposite, one the richer."""

from __future__ import annotations

import re
from collections.abc import Iterable

from shared.model.text import normalise
from shared.model.word_list import word_list
from workers.rules.worth import content_words

_WORD = re.compile(r"\d+(?:[.,:]\d+)*|[^\W_]+(?:'[^\W_]+)?")
_NEGATION = re.compile(
    r"\b(?:do|does|did|is|are|was|were|has|have|had|can|could|will|would|should|must)(?: not\b|n't\b)|\b(?:cannot|"
    r"never|no longer|not|no|without)\b",
    re.IGNORECASE,
)
_LIKES = re.compile(
    r"^(?:(?:really |absolutely |also |still )*(?:likes?|loves?|enjoys?|adores?)|is (?:an? (?:big |huge )?fan of|"
    r"into|fond of)) ",
    re.IGNORECASE,
)
_DISLIKES = re.compile(
    r"^(?:(?:really |absolutely |also |still )*(?:hates?|dislikes?|detests?|can't stand|cannot stand|(?:doesn't|"
    r"does not|don't|do not)(?: really)? (?:like|love|enjoy))|"
    r"(?:isn't|is not) (?:an? (?:big |huge )?fan of|into|fond of)) ",
    re.IGNORECASE,
)
_ARTICLES = word_list("a an the")
_AUXILIARIES = word_list("do does did")
_CHANGES_MEANING = word_list(
    """not no never without except but if unless used former formerly ex stopped quit instead almost nearly might
    may maybe than until was were had wants hopes plans"""
)


def same(left: str, right: str) -> bool:
    """True for texts that differ only in case, white space, punctuation between words or a final mark."""
    return normalise(left) == normalise(right) or _bare(left) == _bare(right)


def opposite(left: str, right: str) -> bool:
    """True for the same statement with and without a negation, or a like against a dislike of the same thing."""
    (taste, thing), (other_taste, other_thing) = _taste(left), _taste(right)
    if taste and other_taste:
        return taste != other_taste and thing == other_thing
    negated, other_negated = bool(_NEGATION.search(left)), bool(_NEGATION.search(right))
    return negated != other_negated and len(_stems(left)) > 1 and _stems(left) == _stems(right)


def same_taste(left: str, right: str) -> bool:
    """True for liking, or disliking, the same thing in other words ("Likes sushi", "Loves sushi")."""
    taste, thing = _taste(left)
    return bool(taste) and (taste, thing) == _taste(right)


def richer(new: str, old: str) -> bool:
    """True where `new` says all that `old` says, in the same order, and adds detail that takes nothing back."""
    words, known = _tokens(new), _tokens(old)
    if len(known) < 2 or len(words) <= len(known) or words[0] != known[0]:
        return False
    extra: list[str] = []
    matched = 0
    for word in words:
        if matched < len(known) and word == known[matched]:
            matched += 1
        else:
            extra.append(word)
    if matched < len(known) or not content_words(" ".join(extra)):
        return False
    return (
        not (set(extra) & _CHANGES_MEANING)
        and not any("n't" in word for word in extra)
        and not _splits_a_name(new, old)
    )


def overlap(statement: str, known: str) -> float:
    """How much of what is taken back a known text holds, 0 to 1; 0 where they share nothing of substance."""
    wanted, there = set(_keys(statement)), set(_keys(known))
    shared = wanted & there
    if not shared or not wanted:
        return 0.0
    return len(shared) / len(wanted) + len(shared) / len(there) / 100


def _keys(text: str) -> list[str]:
    return [
        _stem(word)
        for word in content_words(_NEGATION.sub(" ", text))
        if word not in ("more", "anymore", "longer", "any")
    ]


def _splits_a_name(new: str, old: str) -> bool:
    """True where the richer text goes on with another name right behind one: Tom -> Tom Hanks."""
    last = _WORD.findall(old)[-1]
    return last[:1].isupper() and re.search(rf"\b{re.escape(last)} [A-Z0-9]", new) is not None


def _taste(text: str) -> tuple[str, str]:
    for sign, pattern in (("+", _LIKES), ("-", _DISLIKES)):
        if match := pattern.match(text):
            return sign, _bare(text[match.end() :])
    return "", ""


def _bare(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold().replace("’", "'")))


def _tokens(text: str) -> list[str]:
    return [word for word in _WORD.findall(text.casefold().replace("’", "'")) if word not in _ARTICLES]


def _stems(text: str) -> list[str]:
    positive = _NEGATION.sub(" ", text)
    return [_stem(word) for word in _drop(_tokens(positive), _AUXILIARIES)]


def _stem(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    for end in ("ing", "es", "ed", "s", "e"):
        if word.endswith(end) and len(word) - len(end) >= 3:
            return word[: -len(end)]
    return word


def _drop(words: Iterable[str], unwanted: frozenset[str]) -> list[str]:
    return [word for word in words if word not in unwanted]
