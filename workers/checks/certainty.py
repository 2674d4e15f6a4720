"""A statement that repeats its quote must not lose, or invent, a "not" or a "maybe": "might move" is not "moves".

Judged only where the text says nothing else than one clause of the quote: "vegetarian" may stand for "don't eat meat".
"""

from __future__ import annotations

import re

from workers.checks.relation import content
from workers.checks.sameness import negated

_HEDGE = re.compile(
    r"\b(?:might|maybe|perhaps|possibly|probably|not sure|unsure|may (?!be able)(?-i:[a-z])[a-z]+|"
    r"thinking (?:of|about)|consider\w*|wonder\w*|hop(?:es?|ing)|thinks?|believes?|guess\w*|suppose\w*|could|would|"
    r"vielleicht|eventuell|möglicherweise|wahrscheinlich|womöglich|denkt|glaubt|überleg\w*|könnte\w*|würde\w*|"
    r"quizás?|tal vez|a lo mejor|puede que|probablemente|cre[eo]|piensa\w*|podría\w*|"
    r"peut-être|probablement|éventuellement|croi[st]|pense\w*|pourrai\w*)\b|可能|也许|或许|大概|说不定|考虑",
    re.IGNORECASE,
)
_IDIOM = re.compile(
    r"\b(?:can(?:no|['’])t (?:wait|help|stop|get enough|thank|complain|believe|imagine)|cannot wait|"
    r"could(?:n['’]t| not) be|not only|no doubt|why not|no (?:problem|worries|longer)|not (?:just|until|bad)|"
    r"don['’]t (?:mind|worry|forget|know|you|think)|nothing but|never (?:stop|been (?:so|more|better|happier)))\b|"
    r"\b(?:nicht nur|nicht erst|no solo|no sólo|pas seulement|ne .{1,30} que)\b|不仅|不只|不但|不得不|离不开",
    re.IGNORECASE,
)
# words that bring a "not" of their own
_ENDS = re.compile(
    r"\b(?:no|not|never|nicht|kein\w*|nie|pas|jamais|nunca|any ?more|any longer|stopp\w*|quit\w*|gave up|give up|left|"
    r"refus\w*|avoid\w*|without|hate\w*|dislike\w*|allerg\w*|can['’]t|former\w*|used to|unable|fail\w*|lost|"
    r"lack\w*)\b|n['’]t\b|[不没无别未戒]",
    re.IGNORECASE,
)
_CLAUSES = re.compile(
    r"[,;:.!?…，。；！？\n]|\b(?:and|but|so|because|while|und|aber|weil|y|pero|porque|et|mais|car)\b", re.IGNORECASE
)
_SHORT = re.compile(
    r"\b(?:do|does|did|is|are|was|were|has|have|had|can|could|will|would|should|wo|ca)n['’]t\b", re.IGNORECASE
)


def turned(text: str, quote: str) -> str | None:
    """What a text that repeats its quote got wrong: "negation" or "hedge"; None where nothing can be said."""
    wrong = [_lost(text, clause) for clause in _CLAUSES.split(quote) if _repeats(text, clause)]
    return None if not all(wrong) else next(iter(wrong), None)


def _lost(text: str, quote: str) -> str | None:
    if _IDIOM.search(quote) is None and negated(text) != negated(quote) and (negated(quote) or not _ENDS.search(quote)):
        return "negation"
    return "hedge" if _HEDGE.search(quote) and not _HEDGE.search(text) else None


def _repeats(text: str, quote: str) -> bool:
    """True where all that the text speaks of stands in the quote, whatever the endings."""
    said, told = content(_SHORT.sub(" ", quote)), content(_SHORT.sub(" ", text))
    if not (told.words or told.pairs):
        return False
    return told.pairs <= said.pairs and all(any(_one_word(word, other) for other in said.words) for word in told.words)


def _one_word(left: str, right: str) -> bool:
    shared = next((at for at, (one, other) in enumerate(zip(left, right, strict=False)) if one != other), None)
    kept = min(len(left), len(right)) if shared is None else shared
    return left == right or (kept >= 3 and max(len(left), len(right)) - kept <= 2)
