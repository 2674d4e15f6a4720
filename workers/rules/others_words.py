"""Words in a message that are not its writer's own: quoted and forwarded mail, pasted chats, text to work on, a role.

What they state is true of somebody else, or of nobody; statements are made of the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_LONGEST = 20_000  # characters that are looked at
_QUOTED_LINE = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
_FORWARDED = re.compile(
    r"^[ \t>*_-]{0,10}(?:(?:begin )?(?:forwarded|original|weitergeleitete|ursprüngliche) (?:message|nachricht)|"
    r"mensaje reenviado|message transféré|(?:fwd?|wg|tr|rv):\s)"
    r"|^[ \t*]*(?:from|von|de|发件人)[ \t]*[:：][^\n]{1,120}\n(?:[^\n]{1,120}\n){0,3}?"
    r"[ \t*]*(?:to|sent|date|subject|an|gesendet|datum|betreff|para|enviado|fecha|asunto|à|envoyé|objet|收件人|主题)"
    r"[ \t]*[:：]"
    r"|^(?:on|am|el|le) [^\n]{4,80}(?:wrote|schrieb|escribió|a écrit)[^\n]{0,60}:[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_CHAT_LINE = re.compile(
    r"^[ \t]*(?:(?P<stamp>\[?\d{1,4}[./:-]\d{1,2}(?:[./:-]\d{1,4})?[^\]\n:a-zA-Z]{0,12}(?:\d{1,2}:\d\d(?::\d\d)?)?"
    r"(?: ?[ap]m)?\]?)[ \t,–-]*)?(?P<who>[A-ZÀ-ÞА-Я][\w.'-]{0,20}(?: [A-ZÀ-ÞА-Я][\w.'-]{0,20})?)[ \t]?:[ \t]+\S.*$",
    re.MULTILINE,
)
_TASK = re.compile(
    r"(?:^|[.!?\n]\s*|\b(?:please|pls|can you|could you|would you|help me|you to|bitte|por favor|s'il te plaît)\s+)"
    r"(?:translate|proof-?read|correct|rewrite|rephrase|paraphrase|summari[sz]e|edit|shorten|polish|improve|"
    r"analy[sz]e|classify|übersetze?|korrigiere?|fasse|traduce|traduzca|corrige|resume|traduis|traduisez|corrigez|"
    r"résume[zr]?)\b[^:\n.!?]{0,60}:|(?:翻译|改写|总结|润色|校对)[^：:\n]{0,20}[：:]",
    re.IGNORECASE,
)
_ROLE = re.compile(
    r"\b(?:pretend (?:that )?(?:you|i|we|to be)|role-?play|let's play (?:a game|pretend)|"
    r"(?:you are|you're) now (?:an?|the) |act as (?:an?|if|the)|in (?:the|our|this) (?:role-?play|game) (?:you|i))\b",
    re.IGNORECASE,
)


def own_words(text: str) -> str:
    """The text with everything else blanked line by line, so that what is left keeps its place."""
    pieces, at = [], 0
    for start, end in _merged(sorted(_foreign(text[:_LONGEST], len(text)))):
        pieces += [text[at:start], "\n" * (end - start)]
        at = end
    return "".join((*pieces, text[at:]))


def _foreign(text: str, end: int) -> Iterator[tuple[int, int]]:
    yield from (match.span() for match in _QUOTED_LINE.finditer(text))
    yield from ((match.start(), end) for match in [_FORWARDED.search(text)] if match)
    yield from ((match.end(), end) for match in [_TASK.search(text)] if match)
    yield from ((match.start(), end) for match in [_ROLE.search(text)] if match)
    lines = list(_CHAT_LINE.finditer(text))
    if len(lines) > 1 and len({match["who"] for match in lines}) > 1 and _is_chat(lines):
        yield from (match.span() for match in lines)


def _is_chat(lines: list[re.Match[str]]) -> bool:
    """True where lines bear times, or speakers take turns; a list of headings does neither."""
    names = [match["who"] for match in lines]
    return any(match["stamp"] for match in lines) or len(set(names)) < len(names)


def _merged(spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    reached = 0
    for start, end in spans:
        if end > reached:
            yield max(start, reached), end
            reached = end
