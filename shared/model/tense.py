"""Does a sentence look back or ahead? Closed lists per language; places a month or weekday that has no year."""

from __future__ import annotations

import re
from typing import Literal

from shared.model.language import Language
from shared.model.word_list import word_list

Tense = Literal["past", "future"]

PAST_FORMS = word_list(
    """went was were had did said made got took came saw knew thought found gave told felt became left brought
    began kept held wrote stood heard meant met ran paid sat spoke led grew lost fell sent built understood drew
    broke spent rose drove bought wore chose flew caught taught ate drank won swam sang slept threw forgot rode hid
    shot sold stuck struck swore woke fought sought bit blew dealt dug fed froze hung shook stole tore used gone
    done seen been lent bent bled bred fled lit rang sank shrank slid spun sprang swung wept wound strove strode
    undertook overcame withdrew rebuilt retook"""
)
ED_PRESENT = word_list("need feed bleed breed heed speed shed shred embed wed seed weed succeed exceed proceed bed")

_ENGLISH_PAST = re.compile(
    rf"\b(?:{'|'.join(sorted(PAST_FORMS - {'gone', 'done', 'seen', 'used', 'felt'}))}|"
    rf"(?<!\bis )(?<!\bare )(?<!\bam )(?<!\bbe )(?<!'m )(?<!'s )(?<!'re )[a-z]{{2,}}ed)\b(?!'t)",
    re.IGNORECASE,
)
_DATED = "appointment|meeting|flight|exam|interview|deadline|call|reservation|trip|party|wedding|concert|surgery|game"
_ENGLISH_AHEAD = re.compile(
    r"\b(?:will|won't|shall|going to|gonna|wants?|wanna|plan|plans|planning|planned|hopes?|hoping|intends?|intending|"
    r"would like|'d like|"
    r"'ll|upcoming|looking forward|look forward|booked|reserved|scheduled|registered|signed up|enrolled|about to|"
    r"tomorrow|"
    rf"(?:have|has|got) (?:an?|my|another) (?:\w+ ){{0,2}}(?:{_DATED})|(?:{_DATED}) is (?:on|in|at|next)|"
    r"(?:am|'m|is|are|'re) (?!living|working|studying|using|doing)[a-z]+ing)\b",
    re.IGNORECASE,
)
_AHEAD: dict[Language, re.Pattern[str]] = {
    "en": _ENGLISH_AHEAD,
    "de": re.compile(
        r"\b(?:werden?|wird|wirst|will|wollen|möchten?|plane[n]?|vorhabe[n]?|habe vor|hoffe|gebucht|fliege[n]?|"
        r"fahre[n]?)\b",
        re.IGNORECASE,
    ),
    "es": re.compile(
        r"\b(?:voy a|va a|vamos a|quiero|queremos|quisiera|planeo|pienso|espero|reservé|\w+(?:[aei]ré|[aei]remos|"
        r"[aei]rán?))\b",
        re.IGNORECASE,
    ),
    "fr": re.compile(
        r"\b(?:vais|va|allons|veux|voulons|voudrais|prévois|prévoyons|compte|espère|réservé|\w+(?:[ei]rai|[ei]rons))\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(r"想|要|打算|计划|会|将|准备|预订|订了"),
}
_BACK: dict[Language, re.Pattern[str]] = {
    "en": _ENGLISH_PAST,
    "de": re.compile(
        r"\b(?:war|waren|hatten?|wurden?|ging|kam|zog|begann|(?:um|aus|ein|an|ab|auf)?ge\w{2,}(?:t|en))\b",
        re.IGNORECASE,
    ),
    "es": re.compile(
        r"\b(?:fui|fue|fuimos|era|estuve|tuve|hice|compré|\w{2,}(?:é|ó|aron|ieron|amos|imos)|\w+aba)\b", re.IGNORECASE
    ),
    "fr": re.compile(
        r"\b(?:j'ai|ai|avons|étais|était|avais|avait|suis (?:allée?|partie?|arrivée?|née?|venue?))\b", re.IGNORECASE
    ),
    "zh": re.compile(r"了|过|曾|以前"),
}


def tense(text: str, language: Language | None) -> Tense | None:
    """`past` or `future` by the first verb that tells; None where none does."""
    text = text.replace("\u2019", "'")
    if language is None:
        return None
    ahead, back = _AHEAD[language].search(text), _BACK[language].search(text)
    if ahead and (back is None or ahead.start() <= back.start() or language != "en"):
        return "future"
    return "past" if back else None


def is_past_form(verb: str) -> bool:
    """True for an English form that can only be a past tense or a past participle."""
    low = verb.lower()
    return low in PAST_FORMS or (low.endswith("ed") and low not in ED_PRESENT)
