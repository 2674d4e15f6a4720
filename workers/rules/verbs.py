"""English verbs in the third person singular, from a closed list of irregular forms; everything else by spelling."""

from __future__ import annotations

import re

PAST = frozenset(
    [
        "went",
        "was",
        "were",
        "had",
        "did",
        "said",
        "made",
        "got",
        "took",
        "came",
        "saw",
        "knew",
        "thought",
        "found",
        "gave",
        "told",
        "felt",
        "became",
        "left",
        "brought",
        "began",
        "kept",
        "held",
        "wrote",
        "stood",
        "heard",
        "meant",
        "met",
        "ran",
        "paid",
        "sat",
        "spoke",
        "led",
        "grew",
        "lost",
        "fell",
        "sent",
        "built",
        "understood",
        "drew",
        "broke",
        "spent",
        "rose",
        "drove",
        "bought",
        "wore",
        "chose",
        "flew",
        "caught",
        "taught",
        "ate",
        "drank",
        "won",
        "swam",
        "sang",
        "slept",
        "threw",
        "forgot",
        "rode",
        "hid",
        "shot",
        "sold",
        "stuck",
        "struck",
        "swore",
        "woke",
        "fought",
        "sought",
        "bit",
        "blew",
        "dealt",
        "dug",
        "fed",
        "froze",
        "hung",
        "shook",
        "stole",
        "tore",
        "used",
        "gone",
        "done",
        "seen",
        "been",
        "lent",
        "bent",
        "bled",
        "bred",
        "fled",
        "lit",
        "rang",
        "sank",
        "shrank",
        "slid",
        "spun",
        "sprang",
        "swung",
        "wept",
        "wound",
        "strove",
        "strode",
        "undertook",
        "overcame",
        "withdrew",
        "rebuilt",
        "retook",
    ]
)
SAME_IN_PAST = frozenset(
    [
        "put",
        "cut",
        "let",
        "set",
        "hit",
        "hurt",
        "quit",
        "shut",
        "spread",
        "cost",
        "read",
        "bet",
        "burst",
        "cast",
        "split",
    ]
)
_MODAL = frozenset(
    [
        "can",
        "could",
        "will",
        "would",
        "should",
        "might",
        "may",
        "must",
        "shall",
        "can't",
        "cannot",
        "couldn't",
        "won't",
        "wouldn't",
        "shouldn't",
        "mightn't",
        "mustn't",
        "ca",
        "wo",
        "didn't",
        "wasn't",
        "weren't",
        "hadn't",
        "did",
        "was",
        "had",
    ]
)
_IRREGULAR = {
    "am": "is", "are": "is", "aren't": "isn't", "have": "has", "haven't": "hasn't", "do": "does", "don't": "doesn't",
    "dont": "doesn't", "go": "goes", "were": "was", "gotta": "has to", "wanna": "wants to",
}  # fmt: skip
_PLURAL = {"am": "are", "was": "were", "wasn't": "weren't", "is": "are", "gotta": "have to", "wanna": "want to"}
_ED_BASE = frozenset(
    [
        "need",
        "feed",
        "bleed",
        "breed",
        "heed",
        "speed",
        "shed",
        "shred",
        "embed",
        "wed",
        "seed",
        "weed",
        "succeed",
        "exceed",
        "proceed",
        "bed",
    ]
)
_ING_BASE = frozenset(["bring", "sing", "ring", "swing", "cling", "fling", "sting", "string", "spring", "wring"])
_NOT_A_VERB = frozenset(
    [
        "and",
        "or",
        "but",
        "with",
        "to",
        "in",
        "on",
        "at",
        "for",
        "from",
        "of",
        "the",
        "a",
        "an",
        "too",
        "as",
        "who",
        "that",
        "not",
        "myself",
        "alone",
        "guess",
        "mean",
        "by",
        "is",
        "has",
        "does",
    ]
)
_SIBILANT = re.compile(r"(?:s|x|z|ch|sh|o)$")
_CONSONANT_Y = re.compile(r"[^aeiou]y$")


def inflects(verb: str) -> bool:
    """True for a present tense form that changes with its person: `live` does, `lived`, `can` and `living` do not."""
    low = verb.lower()
    if low in _IRREGULAR:
        return True
    if low in PAST or low in SAME_IN_PAST or low in _MODAL or low in _NOT_A_VERB or low.endswith("n't"):
        return False
    if low.endswith("ed"):
        return low in _ED_BASE
    if low.endswith("ing"):
        return low in _ING_BASE
    return low.isalpha()


def singular(verb: str) -> str:
    """`live` -> `lives`, `have` -> `has`; forms that do not change with the person come back as they are."""
    low = verb.lower()
    if low in _IRREGULAR:
        return _IRREGULAR[low]
    if not inflects(verb):
        return low if verb.isupper() and len(verb) > 1 else verb
    if _SIBILANT.search(low):
        return low + "es"
    if _CONSONANT_Y.search(low):
        return low[:-1] + "ies"
    return low + "s"


def plural(verb: str) -> str:
    """The form behind `they`: `am` -> `are`, `was` -> `were`, others unchanged."""
    return _PLURAL.get(verb.lower(), verb)


def is_past(verb: str) -> bool:
    """True for a form that can only be a past tense or a past participle."""
    low = verb.lower()
    return low in PAST or (low.endswith("ed") and low not in _ED_BASE)
