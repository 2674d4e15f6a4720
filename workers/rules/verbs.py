"""English verbs in the third person singular: a closed list of irregular forms, everything else by spelling."""

from __future__ import annotations

import re

from shared.model.tense import is_past_form
from shared.model.word_list import word_list

_SAME_IN_PAST = word_list("put cut let set hit hurt quit shut spread cost read bet burst cast split")
_MODAL = word_list(
    """can could will would should might may must shall can't cannot couldn't won't wouldn't shouldn't mightn't mustn't
    didn't wasn't weren't hadn't did was had"""
)
_IRREGULAR = {
    "am": "is",
    "are": "is",
    "aren't": "isn't",
    "have": "has",
    "haven't": "hasn't",
    "do": "does",
    "don't": "doesn't",
    "dont": "doesn't",
    "go": "goes",
    "were": "was",
    "gotta": "has to",
    "wanna": "wants to",
}
_PLURAL = {"am": "are", "was": "were", "wasn't": "weren't", "is": "are", "gotta": "have to", "wanna": "want to"}
_ING_BASE = word_list("bring sing ring swing cling fling sting string spring wring")
_NOT_A_VERB = word_list(
    """and or but with to in on at for from of the a an too as who that not myself alone by is has does then here there
    if because when"""
)
_SIBILANT = re.compile(r"(?:s|x|z|ch|sh|o)$")
_CONSONANT_Y = re.compile(r"[^aeiou]y$")


def inflects(verb: str) -> bool:
    """True for a present tense form that changes with its person: `live` does, `lived`, `can` and `living` do not."""
    low = verb.lower()
    if low in _IRREGULAR:
        return True
    if low in _SAME_IN_PAST or low in _MODAL or low in _NOT_A_VERB or low.endswith("n't") or is_past_form(low):
        return False
    if low.endswith("ing"):
        return low in _ING_BASE
    return low.isalpha()


def singular(verb: str) -> str:
    """`live` -> `lives`, `have` -> `has`; forms that do not change with the person come back as they are."""
    low = verb.lower()
    if low in _IRREGULAR:
        return _IRREGULAR[low]
    if not inflects(verb):
        return verb
    if _SIBILANT.search(low):
        return low + "es"
    if _CONSONANT_Y.search(low):
        return low[:-1] + "ies"
    return low + "s"


def plural(verb: str) -> str:
    """The form behind `they`: `am` -> `are`, `was` -> `were`, others unchanged."""
    return _PLURAL.get(verb.lower(), verb)
