"""A statement with another number, name or negation is never the same as a memory, however close the words are."""

from __future__ import annotations

import re

from shared.model.language import language
from workers.checks import names, numbers

_NEGATION = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|nor|cannot|without|\w+n't|no longer|"
    r"nicht|kein\w*|nie|niemals|nichts|niemand|ohne|nunca|jamás|tampoco|ningun\w*|ningún|ninguna|nadie|nada|sin|ne|n'\w+|pas|jamais|aucun\w*|rien|sans|"
    r"не|нет|никогда|без|non|mai|não|sem)\b",
    re.IGNORECASE,
)
_NEGATION_HAN = re.compile(
    r"不(?!错|过|久|仅|但|断|少)|没|(?<!特|区|个|级|性|分|类|辞)别(?!的|人|墅|致)|无(?!论)|未(?!来|必)|ない|ません"
)


def differs(statement: str, memory: str) -> bool:
    """True where the statement has another number or name than the memory, or is its opposite."""
    return (
        negated(statement) != negated(memory)
        or bool(_new_numbers(statement, memory))
        or _other_names(statement, memory)
    )


def loses(statement: str, memory: str) -> bool:
    """True where a fuller statement drops a number of the memory or turns it into its opposite."""
    return negated(statement) != negated(memory) or bool(_new_numbers(memory, statement))


def negated(text: str) -> bool:
    """True for an odd number of negations; French `ne ... pas` counts once."""
    text = re.sub(
        r"\b(?:ne |n')(\S+(?: \S+)?) (?:pas|jamais|rien|plus|aucun\w*)\b",
        r"pas \1",
        text.replace("’", "'"),
        flags=re.IGNORECASE,
    )
    return len(_NEGATION.findall(text) + _NEGATION_HAN.findall(text)) % 2 == 1


def _new_numbers(statement: str, memory: str) -> list[str]:
    known = numbers.readings(memory)
    return [claim.shown for claim in numbers.claims(statement) if claim.readings.isdisjoint(known)]


def _other_names(statement: str, memory: str) -> bool:
    """Both name somebody or something that the other does not."""
    if "de" in (language(statement), language(memory)):
        return False
    return all(
        names.unknown_names(one, names.words(other), (other,))
        for one, other in ((statement, memory), (memory, statement))
    )
