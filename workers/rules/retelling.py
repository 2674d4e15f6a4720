"""From a clause as said to a memory's text: dates written out, told in the third person, self-contained."""

from __future__ import annotations

import re

from workers.checks.lengths import wrong_length
from workers.checks.script import main_script
from workers.rules.attributes import fact
from workers.rules.statement import Voice
from workers.rules.third_person import third_person

_MAX_WORDS, _MAX_CHARS = 60, 240
_FRONT = re.compile(
    r"^(?P<when>(?:on|in|around|since|at|back in|during|by|from) (?=[^,]{0,40}(?:\d|january|february|march|april|may|"
    r"june|july|august|"
    r"september|october|november|december))(?:(?!\b(?:i|we|my)\b)(?:[^,:]|(?<=\d):(?=\d))){2,60}?),?\s+(?P<rest>(?:i|we)\s.+)$",
    re.IGNORECASE | re.DOTALL,
)
# "In fact", "at least", "for example" lead into a statement and are no part of it.
_NO_PHRASE = (
    r"(?:that|which|this|fact|general|addition|short|other|opinion|my opinion|my view|my experience|theory|case|"
    r"conclusion|summary|contrast|particular|principle|all|least|first|last|once|now|example|instance|sure|some reason|"
    r"me|the (?:end|other hand|contrary|one hand|whole|way)|top of|order|spite|reality|truth|response|light|view|what|"
    r"whom|hindsight)\b"
)
_PHRASE_FRONT = re.compile(
    rf"^(?P<when>(?:(?:on|in|at|during|before|after|around|for|by|near|with) (?!{_NO_PHRASE})|"
    r"(?:every|each|most|once|twice) )(?:(?!\b(?:i|we|my wife|that|when|if|and i)\b)[^,;:]){2,40}?),?\s+"
    r"(?P<rest>(?:i|we)\s.+)$",
    re.IGNORECASE | re.DOTALL,
)
_LATELY = re.compile(
    r"^(?P<when>right now|lately|recently|these days|nowadays|currently|at the moment),?\s+(?P<rest>(?:i|we)\s.+)$",
    re.IGNORECASE | re.DOTALL,
)
_HAN = re.compile(r"[\u4e00-\u9fff]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_MORE_CLAUSES = re.compile(
    r"[,;:]|\b(?:and (?:i|we|it|he|she|they|my|the)|but|because|so|which|when|while|if|that)\b", re.IGNORECASE
)
_YOU = re.compile(
    r"\b(?P<word>yourself|yours|your|you're|you've|you'll|you are|you were|you have|you)\b", re.IGNORECASE
)
_ANY_YOU = re.compile(
    r"\b(?:when|if|as|that|where|makes?|how|what|because) you\b|\byou (?:can|could|know|have to|need|never|should|"
    r"get)\b",
    re.IGNORECASE,
)
_ALSO = re.compile(
    r"(?:,? (?:too|as well|either|though|tho|haha+|lol|actually|of course|you know|by the way|btw|"
    r"thank you\b[^,]{0,60}|thanks\b[^,]{0,60}))+$",
    re.IGNORECASE,
)
_ALSO_FIRST = re.compile(r"^(?:also|just|actually|honestly) (?=[a-z]+)", re.IGNORECASE)
_SHARED = re.compile(r"^(?:shared|sent|posted|shares|sends|posts|attached)\b")
_SIGNS = "".join(map(chr, (*range(0x1F000, 0x1FB00), *range(0x2600, 0x27C0), 0xFE0F, 0x200D)))
_EDGES = " \t\n.!…,;:–—-。！，、；：~～*" + _SIGNS
_OPENING_MARKS = ")]"


def retold(clause: str, voice: Voice) -> str:
    """An English clause, dates already written out, as a statement about its speaker."""
    text = third_person(front_last(clause), voice.name)
    if voice.speaker == "named":
        text = _told_to(text, voice.other)
    shorter = _also_first(text, voice.name)
    another = fact(shorter, (voice.name,)) if voice.name else fact(shorter)  # "also" says that the first one stays
    return finished(text if another else shorter, voice)


def finished(text: str, voice: Voice) -> str:
    """Trimmed, with a capital and the speaker's name somewhere; "" where it cannot be given a legal length."""
    bare = text = _trim(text)
    if voice.name and _SHARED.match(text):
        text = f"{voice.name} {text}"
    if voice.name and voice.name.casefold() not in text.casefold():
        text = f"{voice.name}: {text}"
    text = shortened(text)
    if wrong_length(text):
        text = _lengthened(text)
    if voice.name and main_script(text) != main_script(bare):  # too little is said to stand beside the name
        return ""
    return text[:1].upper() + text[1:]


def _lengthened(text: str) -> str:
    """A single word as something that was said; "" in scripts that have no word for it here."""
    said = "说：" if _HAN.search(text) else "Said: " if _LATIN.search(text) else ""
    longer = f"{said}{text}"
    return "" if wrong_length(longer) else longer


def shortened(text: str) -> str:
    """At most 60 words, or 240 characters where words are not spaced."""
    words = text.split()
    if len(words) > _MAX_WORDS:
        return " ".join(words[:_MAX_WORDS])
    if len(text) > _MAX_CHARS and len(words) * 12 < len(text):
        return text[:_MAX_CHARS]
    return " ".join(words)


def front_last(text: str) -> str:
    """Turns "On Mondays I play chess" into "I play chess on Mondays", where only one clause follows."""
    match = _FRONT.match(text) or _LATELY.match(text) or _PHRASE_FRONT.match(text)
    if match is None or _MORE_CLAUSES.search(match["rest"]):
        return text
    rest = match["rest"].rstrip(_EDGES)
    return f"{rest} {match['when'][:1].lower()}{match['when'][1:]}"


def _also_first(text: str, name: str) -> str:
    """Turns "Also likes tea" into "likes tea", "Maria just moved" into "Maria moved"."""
    lead = f"{name} " if name and text.startswith(f"{name} ") else ""
    rest = text[len(lead) :]
    return lead + _ALSO_FIRST.sub("", rest, count=1)


def _trim(text: str) -> str:
    text = text.strip(_EDGES).lstrip(_OPENING_MARKS)
    text = _ALSO.sub("", text)
    if text[:1] + text[-1:] in ("[]", "()", '""', "“”"):
        text = text[1:-1].strip()
    return text


def _told_to(text: str, other: str) -> str:
    """The other speaker for "you", unless it is anyone's "you"."""
    if not other or _ANY_YOU.search(text):
        return text
    ends = {
        "your": "'s",
        "yours": "'s",
        "you're": " is",
        "you've": " has",
        "you'll": " will",
        "you are": " is",
        "you were": " was",
        "you have": " has",
    }
    return _YOU.sub(lambda match: other + ends.get(match["word"].lower(), ""), text)
