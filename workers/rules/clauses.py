"""Cuts a sentence into clauses judged one by one: openers fall off, the fact in front of a question is saved."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shared.model.sentences import Sentence
from workers.rules.small_talk import small_talk
from workers.rules.statement import Clause
from workers.rules.thanks import behind_thanks
from workers.rules.third_person import expand

_OPENER = re.compile(
    r"^(?:(?:(?:hi|hey|hello|hiya|dear)(?: there| everyone| all| again)?|yeah|yep|yup|yes|ok|okay|k|"
    r"(?:no|nope|nah|sure|cool|nice|great|awesome|amazing|perfect|right|true)(?=\s*(?:[,.!;:–—…]|$)|"
    r"\s+(?:i|i['’]\w+|my|we|our|it|it['’]s|that|this|you|thanks?|so|and|but)\b)|"
    r"wow|woah|whoa|oh|ooh|ah|aww+|well|so|and|but|also|plus|anyway|by the way|"
    r"btw|fyi|honestly|lol|haha+|hmm+|um+|uh|"
    r"totally|absolutely|definitely|exactly|of course|for sure|sounds good|"
    r"sounds great|i see|you know|"
    r"guess what|to be honest|tbh|in fact|good (?:morning|afternoon|evening|day)|happy to|"
    r"no (?:problem|prob|worries|doubts?)|"
    r"please note that|note that|just so you know|"
    r"(?:please )?(?:remember|don't forget|do not forget|keep in mind|bear in mind)(?: that|:|(?= (?:my|i|i'm|"
    r"our)\b))|for the record|sorry|"
    r"as (?:i|you) (?:said|mentioned|know)|"
    r"(?:did|have) i (?:ever |already )?(?:tell|told|mention|mentioned|say|said)(?: to)?(?: you)?(?: that)?"
    r"(?=\s+(?:i|my|we)\b)|"
    r"(?:please )?(?:don't|don’t|do not|never) tell (?:anyone|anybody|a soul|my \w+|him|her|them)"
    r"(?: (?:this|about (?:this|it)|yet))?(?: that)?(?=\W+(?:but |that |because )?(?:i|i['’]m|my|we)\b)|"
    r"(?:just )?between (?:you and me|us|ourselves)|(?:this|it) (?:is|stays) (?:a secret|confidential|between us)|"
    r"actually|guys|folks|finally,|alright|me (?:too|neither|either)|same here|likewise|you too|"
    r"congrats|congratulations|i agree|"
    r"true that|really)(?![\w'’-])[\s,!.:;–—…-]*)+",
    re.IGNORECASE,
)
_FOREIGN_OPENER = re.compile(
    r"^(?:(?:hallo|hi|hey|guten (?:tag|morgen|abend)|ja|nein|ok(?:ay)?|hola|"
    r"buen[oa]s(?: días| tardes| noches)?|(?:sí|no|vale|non|нет|да)(?=\s*[,.!…~～])|"
    r"bonjour|salut|bonsoir|oui|d'accord|привет|здравствуйте|你好[啊呀]?|您好|好的?[啊呀吧]?|嗯+|是[的啊]|"
    r"对[的啊]?|哦+|啊|呃|没问题|当然|哈哈+|"
    r"朋友)[\s,!.。，！、…~～]+)+",
    re.IGNORECASE,
)
_EXPLICIT = re.compile(
    r"\b(?:remember|don'?t forget|do not forget|keep in mind|bear in mind)(?: that\b|:| (?:my|i|i'm|our)\b)",
    re.IGNORECASE,
)
_QUESTION_WORD = (
    r"what|when|where|who|whom|whose|which|why|how|do|does|did|is|are|was|were|can|could|would|will|should|have|has|"
    r"any|isn't|aren't|don't|"
    r"didn't|won't|shall|may"
)
_QUESTION_START = re.compile(rf"(?:{_QUESTION_WORD})\b", re.IGNORECASE)
_BEFORE_QUESTION = re.compile(
    rf"(?:\s[–—-]{{1,3}}\s?|[,;:…]\s|\.{{2,5}}\s?)(?:and\s|so\s|but\s)?(?=(?:{_QUESTION_WORD})\b)", re.IGNORECASE
)
_JOINT = re.compile(
    r"(?:;\s|\s[–—]\s|\s--?\s|,?\s(?:and|but|so)\s(?:also\s|now\s|then\s)?(?=(?:I|we|my|our|I['’]\w+)\s)|"
    r",\s(?=(?:I|my|I['’]\w+)\s))",
    re.IGNORECASE,
)
_OWN_START = re.compile(r"(?:I|my|we|our)\b", re.IGNORECASE)
_SHARED_SUBJECT = re.compile(
    r"^(?P<first>I(?:['’]m| am)?\s+(?!.*\bto\s)\S[^,;]{2,80}?),?\s+and\s+(?=(?:also\s+)?(?:(?:live|work|study|have|"
    r"own|drive|speak|play|love|like|hate|"
    r"prefer)\s+(?:in|at|as|for|with|an?|the|my|two|three|\w+)\b))",
    re.IGNORECASE,
)
_OWN_BEHIND = re.compile(r"\s*[,;.!–—]\s*(?:(?:but|and|so|because)\s+)?(?=(?:I|my|we|our)\b)", re.IGNORECASE)
_PEOPLE = re.compile(r"(?:my|our)\b", re.IGNORECASE)
_PREDICATE = re.compile(
    r"\b(?:is|are|was|were|has|have|had|will|can|does|did|loves?|likes?|works?|lives?|\w+ed|went|got)\b|'s\s",
    re.IGNORECASE,
)
_LEANS_BACK = re.compile(
    r"\b(?:it|that|this|these|those|them|him|her|there|one|ones|he|she|they|so|both)\b", re.IGNORECASE
)
_TOLD = re.compile(r"(?:did|have) i (?:ever |already )?(?:tell|told|mention|mentioned|say|said)\b", re.IGNORECASE)
_TAG = re.compile(
    r"\s*[,–—-]\s*(?:right|remember|correct|you know|you see|no|yes|ok|okay|yeah|huh|eh|innit|"
    r"(?:am|are|is|was|were|do|does|did|have|has|had|can|could|will|would|should)(?:n['’]t)? (?:i|you|we|it|that|they))"
    r"\s*\?+$",
    re.IGNORECASE,
)
_TAG_LONGEST = 24
_LONG = 40  # words
_OPENERS = 4
_ENOUGH = 200  # characters that tell what a half is
_SHARED_VERBS = 4
_SOFT_JOINT = re.compile(r"[,;:]\s|\s(?:and|but|because|so|which|while)\s", re.IGNORECASE)


def clauses(sentence: Sentence, names: tuple[str, ...] = ()) -> list[Clause]:
    """The clauses of a sentence with their places in the message; `names` are the people who may be addressed."""
    start = sentence.start + _opener(sentence.text, names)
    text = sentence.text[start - sentence.start :]
    if not text or (start > sentence.start and text.strip(" .!,…") in names):
        return []
    text = text[: len(text) - _asked_back(text)]
    if _TOLD.match(sentence.text) and start > sentence.start:
        text = text.rstrip("?!. ")
    asks = is_question(text)
    if asks and (cut := _saved_front(text)):
        front = Clause(start, start + cut.start(), text[: cut.start()])
        back = Clause(start + cut.end(), sentence.end, text[cut.end() :], question=True)
        return [*_split(front), back]
    whole = Clause(start, start + len(text), text, question=asks)
    return [whole] if asks else list(_split(whole))


def behind_greeting(sentence: Sentence) -> Sentence:
    """A sentence of another language without the courtesy in front of it."""
    cut = 0
    for _ in range(_OPENERS):
        match = _FOREIGN_OPENER.match(sentence.text[cut:])
        step = (match.end() if match else 0) or behind_thanks(sentence.text[cut:])
        if not step:
            break
        cut += step
    return Sentence(sentence.start + cut, sentence.end, sentence.text[cut:])


def is_question(text: str) -> bool:
    """True for a sentence with a question mark, or that opens like a question and ends without a full stop."""
    bare = text.rstrip("\"') ”’»")
    if bare.endswith(("?", "？", "؟")):
        return True
    return (
        bool(_QUESTION_START.match(text))
        and not bare.endswith((".", "!", "。"))
        and not text.lower().startswith(("may ", "will "))
    )


def goes_on(text: str) -> bool:
    """True where a first-person statement follows what may be courtesy."""
    return _OWN_BEHIND.search(text) is not None


def explicit(sentence: Sentence) -> bool:
    """True where the speaker asks to remember what follows."""
    return _EXPLICIT.search(sentence.text[:60]) is not None


def _opener(text: str, names: tuple[str, ...]) -> int:
    """How many characters of greeting, filler and address stand in front."""
    at = 0
    called = "|".join(
        re.escape(name) for whole in names for name in {whole, *whole.split()[:1], whole[:3]} if len(name) > 2
    )
    address = re.compile(rf"(?:{called})[,!.:\s…–—-]+(?=\S)", re.IGNORECASE) if called else None
    for _ in range(_OPENERS):
        match = _OPENER.match(text[at:])
        step = (match.end() if match else 0) or behind_thanks(text[at:]) or _behind_courtesy(text[at:])
        if address and (call := address.match(text, at + step)):
            step = call.end() - at
        if not step:
            break
        at += step
    return at


def _behind_courtesy(text: str) -> int:
    """How many characters of small talk stand in front of a first-person statement; 0 where none do."""
    match = _OWN_BEHIND.search(text, 0, _ENOUGH)
    return match.end() if match and small_talk(expand(text[: match.start()])) else 0


def _asked_back(text: str) -> int:
    """How many characters ask whether what was said before them is so: "..., right?"; 0 for a real question."""
    match = _TAG.search(text[-_TAG_LONGEST:]) if _OWN_START.match(text) else None
    return len(match[0]) if match else 0


def _saved_front(text: str) -> re.Match[str] | None:
    """Where the question begins behind a first-person statement worth splitting off."""
    for match in _BEFORE_QUESTION.finditer(text):
        front = text[: match.start()]
        if len(front) >= 8 and _OWN_START.match(front) and not front.rstrip().endswith("?"):
            return match
    return None


def _split(clause: Clause) -> Iterator[Clause]:
    """Independent first-person halves apart; a half that leans on the other one stays with it."""
    begin = 0
    for match in _JOINT.finditer(clause.text):
        left = clause.text[begin : min(match.start(), begin + _ENOUGH)]
        right = clause.text[match.end() : match.end() + _ENOUGH]
        if _stands_alone(left) and _stands_alone(right) and _OWN_START.match(right) and not _conditional(left):
            yield from _shared(clause, begin, match.start())
            begin = match.end()
    yield from _shared(clause, begin, len(clause.text))


def _stands_alone(text: str) -> bool:
    words = text.split()
    if len(words) < 3 or (_PEOPLE.match(text) and not _PREDICATE.search(text)):
        return False
    return not _LEANS_BACK.search(" ".join(words[:8]))


def _conditional(text: str) -> bool:
    return (
        re.match(
            r"(?:if|when|while|because|since|although|though|after|before|unless|once|as|even)\b", text, re.IGNORECASE
        )
        is not None
    )


def _shared(clause: Clause, begin: int, end: int) -> Iterator[Clause]:
    """Two clauses of "I live in Rome and work at Acme", the second read behind "I "."""
    lead = clause.lead
    for _ in range(_SHARED_VERBS):
        match = _SHARED_SUBJECT.match(lead + clause.text[begin : min(end, begin + _ENOUGH)])
        if match is None:
            break
        stop = begin + match.end("first") - len(lead)
        yield Clause(clause.start + begin, clause.start + stop, clause.text[begin:stop], lead=lead)
        begin, lead = begin + match.end() - len(lead), "I "
    yield from _short(clause.start + begin, clause.text[begin:end], lead)


def _short(start: int, text: str, lead: str) -> Iterator[Clause]:
    """At most about 40 words at once, cut where the sentence allows it."""
    words = [match.span() for match in re.finditer(r"\S+", text)]
    at = 0
    while len(words) - at > _LONG:
        begin, limit = words[at][0], words[at + _LONG - 1][1]
        cuts = [match.start() for match in _SOFT_JOINT.finditer(text, words[at + 4][1], limit)]
        stop = cuts[-1] if cuts else limit
        yield Clause(start + begin, start + stop, text[begin:stop], lead="" if at else lead)
        at = next(index for index, span in enumerate(words[at:], start=at) if span[0] >= stop)
    if at < len(words):
        yield Clause(start + words[at][0], start + len(text), text[words[at][0] :], lead="" if at else lead)
