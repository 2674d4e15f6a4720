"""Sentences of a message, in any language, with their place in it; and the sentences worth asking the index about.

Used by the rules extractor (spans, quotes) and by recall (queries). Linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shared.model.message import Message
from shared.model.text import normalise
from shared.model.word_list import word_list

_END = re.compile(
    r"(?<![.!?…؟۔।])(?P<stop>[.!?…؟۔।]+)[\"'”’)\]»]*(?=\s|$)"  # scripts that put a space behind the full stop
    r"|[。！？；｡]+[”’」』）]*"  # scripts that do not
    r"|[\U0001F300-\U0001FAFF☀-➿]️?(?=\s+[A-Z])"  # an emoji often stands for the full stop
    r"|\n+"
)
_ABBREVIATIONS = word_list(
    "mr mrs ms dr prof st vs etc e.g i.e a.m p.m approx no jr sr inc ltd u.s dept fig bzw usw z.b sra mme mlle"
)
_INITIAL = re.compile(r"(?:^|\s)[A-Z]$")
_LIST_MARK = re.compile(r"(?:[-*•–—·>#]+|\d{1,3}[.)])(?=\s)")
_SPACES = re.compile(r"\s*")
_WORD = re.compile(r"\w+(?:['’]\w+)*")
_FILLER = word_list(
    """hi hey hello hiya yo yeah yep yup yes no nope nah ok okay k kk sure thanks thank thx ty you u so much a lot
    for the cool nice great awesome amazing wow woah whoa lol haha hahaha hmm hm oh ah aww good morning night
    evening afternoon bye goodbye see later please sorry welcome right fine perfect exactly absolutely definitely
    totally agreed cheers too got it and well alright maybe perhaps friend friends dear buddy guys problem worries
    doubt is that this it's that's very really of course hallo danke ja nein gut guten morgen tag abend tschüss
    bitte super auf wiedersehen vielen dank schönen hola gracias sí si buenos días buenas tardes noches adiós vale bien
    bonjour salut merci oui non bonsoir au revoir d'accord привет спасибо да нет пока ладно"""
)
_FILLER_CJK = word_list(
    """朋友 好啊 是啊 对 对的 没问题 当然 谢谢你的建议 你好 您好 谢谢 谢谢你
    好的 好 嗯 哈哈 再见 是的 不是 早上好 晚安 ありがとう こんにちは はい"""
)
_QUERY_CHARS = 300


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as it stands in its message: `text == message[start:end]`, without bullets and outer spaces."""

    start: int
    end: int
    text: str


def sentences(text: str) -> list[Sentence]:
    """The sentences of `text` in order; line breaks end a sentence, abbreviations and decimals do not."""
    found: list[Sentence] = []
    start = 0
    for end in _ends(text):
        found.extend(_trimmed(text, start, end))
        start = end
    found.extend(_trimmed(text, start, len(text)))
    return found


def phatic(text: str) -> bool:
    """True when nothing but greeting, thanks, assent or punctuation is said (a few languages)."""
    words = _WORD.findall(text.casefold().replace("’", "'"))
    if len(words) == 1 and words[0] in _FILLER_CJK:
        return True
    return all(word in _FILLER for word in words)


def queries(messages: Iterable[Message], limit: int = 64) -> list[str]:
    """What recall asks the index: each thing said by a person, once, in order; at most `limit`, the newest win."""
    wanted: dict[str, str] = {}
    for message in messages:
        if message.role in ("system", "tool"):
            continue
        for sentence in sentences(message.text):
            if not phatic(sentence.text):
                wanted.setdefault(normalise(sentence.text), sentence.text[:_QUERY_CHARS])
    return list(wanted.values())[-limit:]


def _ends(text: str) -> Iterator[int]:
    """Offsets behind each end of a sentence."""
    begin = 0
    for match in _END.finditer(text):
        if match["stop"] and _goes_on(text, begin, match):
            continue
        yield match.end()
        begin = match.end()


def _goes_on(text: str, begin: int, match: re.Match[str]) -> bool:
    """True for a full stop that ends no sentence: an abbreviation, an initial, a list number, a pause."""
    if match["stop"] in ("...", "…"):
        return text[match.end() : match.end() + 2].strip()[:1].islower()
    if match["stop"] != ".":
        return False
    before = text[max(begin, match.start() - 24) : match.start()]
    last = before.split()[-1].strip("(\"'“") if before.split() else ""
    if last.casefold() in _ABBREVIATIONS or _INITIAL.search(before):
        return True
    return last.isdigit() and len(last) <= 2 and text[begin : match.start()].strip() == last


def _trimmed(text: str, start: int, end: int) -> Iterator[Sentence]:
    """The sentence inside [start, end) without list marks and outer spaces, if anything is left."""
    start = _skip(text, start)
    while (mark := _LIST_MARK.match(text, start, end)) is not None:
        start = _skip(text, mark.end())
    piece = text[start:end].rstrip() if start < end else ""
    if _WORD.search(piece):
        yield Sentence(start, start + len(piece), piece)


def _skip(text: str, start: int) -> int:
    match = _SPACES.match(text, start)
    return match.end() if match else start
