"""A memory is taken back only where somebody says it is not so, or asks to forget it; a wrong deletion costs most."""

from __future__ import annotations

import re
from collections.abc import Iterable

from shared.model.language import Language, language
from workers.checks.sameness import negated

_CUES: dict[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"\b(?:no|not|never|nope|nah|none|cannot|\w+n[’']t|without|forget|forgot|delete[ds]?|remov\w+|eras\w+|"
        r"wip\w+|drop\w*|discard|"
        r"undo|retract\w*|withdr[ae]w\w*|take (?:it |that |this )?back|took (?:it )?back|scratch|strike|disregard|"
        r"ignore|wrong\w*|mistak\w+|"
        r"incorrect\w*|false|untrue|error|misspoke|misremember\w*|lied|lying|lie|kidding|jok\w+|made (?:it|that|"
        r"this) up|pretend\w*|hypothetical\w*|"
        r"fake|cancel\w*|call(?:ed|ing) off|off|after all|stop\w*|quit\w*|ended|over|anymore|any more|actually|"
        r"changed my mind|clear)\b",
        re.IGNORECASE,
    ),
    "de": re.compile(
        r"\b(?:nein|nicht|kein\w*|nie|niemals|vergiss|vergessen|lösch\w*|entfern\w*|streich\w*|falsch\w*|irrtum|"
        r"geirrt|fehler|stimmt|gelogen|scherz|spaß|abgesagt|storniert|doch|mehr|aufgehört|zurück\w*)\b",
        re.IGNORECASE,
    ),
    "es": re.compile(
        r"\b(?:no|nunca|jamás|olvid\w+|borr\w+|elimin\w+|quit\w+|equivoc\w+|error|fals\w+|mentira|mentí|"
        r"broma|cancel\w+|ya|dej[éeo]\w*|retir\w+)\b",
        re.IGNORECASE,
    ),
    "fr": re.compile(
        r"\b(?:non|ne|n[’'].*|pas|jamais|plus|oubli\w+|supprim\w+|effac\w+|retir\w+|enlev\w+|"
        r"trompée?|erreur|faux|fausse|menti|blague|plaisant\w+|annul\w+|arrêt\w+)",
        re.IGNORECASE,
    ),
    "zh": re.compile(r"不|没|别|忘|删|错|取消|假|玩笑|撤|算了|无"),
}


def asks_to_take_back(cited: Iterable[str]) -> bool:
    """True where a cited message denies, corrects or asks to forget; also where its language is none of ours."""
    for text in cited:
        spoken = language(text)
        if spoken is None or negated(text) or any(cue.search(text) for cue in _CUES.values()):
            return True
    return False
