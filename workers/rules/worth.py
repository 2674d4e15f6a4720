"""Is a clause worth keeping? English: own, specific statements are; reactions and small talk are not.

Other languages are kept unless they are mere courtesy: no rule here can judge them.
"""

from __future__ import annotations

import re

from shared.model.language import Language
from shared.model.sentences import phatic
from shared.model.word_list import word_list
from workers.rules.small_talk import foreign_small_talk, reaction, small_talk
from workers.rules.statement import Worth

FIRST_PERSON = re.compile(
    r"\b(?:i|i'm|i've|i'd|i'll|im|ive|my|mine|me|myself|we|we're|we've|our|ours|us)\b", re.IGNORECASE
)
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_SPECIFIC = re.compile(
    r"\d|(?<=[a-z,;:)] )(?!(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?\b)[A-Z][\w'-]+|"
    r"[\"“«][^\"”»]{3,200}[\"”»]|(?<!\w)'[A-Z][^']{3,200}'(?!\w)"
)
_EMPTY = word_list(
    """a an the and or but so if because as of in on at to for with from by about into over out up down off than
    then there here is are was were am be been being do does did done have has had having will would can could
    should might may must shall not no never i'm i've i'd i'll im ive it's that's there's what's they're he's she's
    we're who's let's don't doesn't didn't can't won't isn't aren't wasn't couldn't i me my mine myself you your
    yours you're you've you'll you'd he him his she her hers it its they them their we us our ours this that these
    those who whom whose which what when where why how all any both each few more most other some such only own
    same too very just also really still even ever always already yet now today again back quite pretty totally
    definitely absolutely truly honestly completely especially much many lot lots bit kind sort thing things stuff
    something anything everything nothing someone anyone everyone one ones time times way ways day days moment ago
    recently lately years year months month weeks week hours hour good great nice cool awesome amazing fun funny
    interesting wonderful fantastic lovely beautiful incredible inspiring perfect best better bad worse worst hard
    tough easy glad happy excited exciting thrilled sorry proud sure fine okay ok well right true curious
    interested impressed jealous grateful thankful lucky blessed pleased delighted surprised relaxing rewarding
    cute sweet sound sounds look looks looking seem seems feel feels feeling think thinks thought guess know knows
    mean means see seen saw hear heard say said tell told talk talking talked chat chatting ask asking agree
    understand imagine bet hope hoping wonder remember forget believe suppose appreciate thank thanks welcome
    pleasure love loves like likes enjoy enjoyed want wanted need needed get gets got getting go goes going gonna
    went come coming came make makes making made take takes taking took give keep let help helps helped try tries
    trying tried use used start started check find found put stay wait waiting share sharing idea question answer
    point sense reason deal course luck support fan big little small new old long yes yeah yep no nope oh wow hey
    hi hello ok haha lol"""
)
_ADDRESSED = re.compile(
    r"^(?:you|your|you're|you've|you'll|let's|let|tell|show|try|check|enjoy|keep|don't|remember|go|come|look|take|"
    r"have|stay|be)\b",
    re.IGNORECASE,
)
_POINTS_AHEAD = re.compile(r"(?:here(?:'s| is| are)|see below|attached)\b", re.IGNORECASE)
_CHORE = re.compile(
    r"(?:please )?(?:translate|make (?:it|this|that|them)|rewrite|rephrase|summari[sz]e|shorten|continue|proofread|"
    r"format|paraphrase|regenerate|fix (?:it|this|that)|change (?:it|this|that)|add (?:it|this|that|more)|"
    r"try again|do it)\b",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(
    r"\b(?:those|these|them|that|this|it|him|her|there)\b(?! (?:i|we|my|is|was|are)\b)", re.IGNORECASE
)
_THEIRS = re.compile(r"\b(?:their|his|its)\b", re.IGNORECASE)
_MINE = re.compile(r"\b(?:my|our)\b", re.IGNORECASE)
_YOU = re.compile(r"\b(?:you|your|yours|you're)\b", re.IGNORECASE)
_LEANING = re.compile(
    r"^(?:it|that|this|these|those|he|she|they|there|one|which|who|him|her)(?:'s|'re)?\b", re.IGNORECASE
)


_FOREIGN_OWN: dict[Language, re.Pattern[str]] = {
    "de": re.compile(r"\b(?:ich|mein\w*|mir|mich|wir|uns|unser\w*)\b", re.IGNORECASE),
    "fr": re.compile(r"\b(?:je|j|mon|ma|mes|moi|me|m|nous|notre|nos)\b", re.IGNORECASE),
    "zh": re.compile(r"[我咱俺]"),
}


def content_words(text: str) -> list[str]:
    """The words that carry what is said; empty and approving words are left out."""
    return [word for word in _WORD.findall(text.casefold().replace("’", "'")) if word not in _EMPTY]


def specific(text: str) -> bool:
    """True where a number, a name inside the sentence or a quoted title is given."""
    return _SPECIFIC.search(text) is not None


def foreign_worth(text: str, spoken: Language | None) -> Worth:
    """How much a sentence says that no rule here can retell; unknown languages get the benefit of the doubt."""
    if phatic(text) or foreign_small_talk(text):
        return 0
    own = _FOREIGN_OWN.get(spoken) if spoken else None
    return 2 if own is None or own.search(text) or re.search(r"\d", text) else 1


def worth(text: str, *, to_someone: bool = False) -> Worth:
    """How much an English clause says, its first person written out; `to_someone`: "you" is a person of the log."""
    bare = text.strip(" .!…,;:-–—\"'()")
    content = content_words(bare)
    if small_talk(bare) or not (content or specific(bare)) or phatic(bare):
        return 0
    if _CHORE.match(bare) or (_POINTS_AHEAD.match(bare) and len(content) < 2):
        return 0
    if reaction(bare):
        return _reaction(bare, content)
    if FIRST_PERSON.search(bare):
        return _own(bare, content, to_someone=to_someone)
    if _ADDRESSED.match(bare) or _LEANING.match(bare):
        return 1 if len(content) >= 2 or specific(bare) else 0
    return 2 if specific(bare) and len(content) >= 2 else 1


def _own(text: str, content: list[str], *, to_someone: bool) -> Worth:
    """A first-person clause: less where it points at something said before, or at whom it is said to."""
    if specific(text) or len(content) >= 4:
        return 2
    if _points_back(text) or _LEANING.match(text) or (_YOU.search(text) and not to_someone):
        return 1 if len(content) >= 2 else 0
    return 2


def _points_back(text: str) -> bool:
    """True where the thing it is about was named before: "those bands", "their music"."""
    return bool(_POINTS_BACK.search(text) or (_THEIRS.search(text) and not _MINE.search(text)))


def _reaction(text: str, content: list[str]) -> Worth:
    """Openings of small talk: kept only for the names, numbers or the rest of the story they bring along."""
    own = re.match(r"(?:i|my|we|our)\b", text, re.IGNORECASE) is not None
    if own and (specific(text) or len(content) >= 3):
        return 2
    return 1 if specific(text) or len(content) >= 3 else 0
