"""What kind of statement a text is, and how much it weighs."""

from __future__ import annotations

import re

from shared.model.record import Kind
from shared.model.tense import Tense, tense
from workers.rules.verbs import inflects
from workers.rules.worth import FIRST_PERSON

_PREFERENCE = re.compile(
    r"\b(?:love|loves|like|likes|enjoy|enjoys|prefer|prefers|hate|hates|dislike|dislikes|adore|adores|favou?rites?|"
    r"fave|fan of|can't stand|cannot stand|crazy about|"
    r"obsessed with|not into|am into|interested in|passionate about|don't like|rather)\b",
    re.IGNORECASE,
)
_PROFILE = re.compile(
    r"\b(?:my name is|name's|i am (?:an?|from|\d+|married|single|divorced|engaged|allergic|vegan|vegetarian|"
    r"retired)\b|i (?:also |currently |now )?(?:work|live|study|speak|own)\b|"
    r"i was (?:born|raised)|years old|i grew up|i have (?:an?|one|two|three|four|five|\d+|no) \w+|my (?:wife|husband|"
    r"partner|son|daughter|mom|mum|mother|dad|father|brother|sister|"
    r"dog|cat|boss|job|girlfriend|boyfriend|fianc\w+|kids?|children|parents|family|birthday|hobby|hobbies)\b|allerg|"
    r"diabet|asthma)",
    re.IGNORECASE,
)
_OWN_VERB = re.compile(r"(?:i|we)\s+(?:\w+ly\s+|also\s+|just\s+|still\s+|often\s+)*(?P<verb>[a-z]+)", re.IGNORECASE)
_PERFECT = re.compile(
    r"\s+(?:\w+ly |just |also |already |never |always |ever )*(?:been|gone|done|seen|had|\w+ed|\w+en)\b", re.IGNORECASE
)
_STATE = re.compile(
    r"\b(?:budget|version|status|deadline|salary|price|balance|score|weigh|weight|rent|goal)\b", re.IGNORECASE
)
_IDENTITY = re.compile(
    r"\b(?:name is|called|allerg\w*|diabet\w*|asthma\w*|pregnan\w*|epilep\w*|medication|insulin|intoleran\w*|celiac|"
    r"coeliac|anaphyl\w*|birthday)\b",
    re.IGNORECASE,
)


def kind_of(clause: str) -> Kind:
    """The kind of an English clause as said by its speaker (contractions written out)."""
    own, looks = FIRST_PERSON.search(clause) is not None, _looks(clause)
    if not own:
        return "event" if looks == "past" else "plan" if looks == "future" else "knowledge"
    if looks == "future":
        return "plan"
    if _STATE.search(clause):
        return "state"
    if _PREFERENCE.search(clause) and looks != "past":
        return "preference"
    if _PROFILE.search(clause):
        return "profile"
    return "event" if looks == "past" else "preference" if _PREFERENCE.search(clause) else "profile"


def _looks(clause: str) -> Tense | None:
    """The tense of the speaker's own verb; of the clause where another is its subject."""
    looks, subject = tense(clause, "en"), _OWN_VERB.match(clause)
    if subject is None or looks != "past":
        return looks
    verb = subject["verb"].lower()
    if verb in ("have", "am") and _PERFECT.match(clause, subject.end()):
        return "past"
    return None if inflects(verb) else looks


def weight_of(clause: str, *, explicit: bool, weak: bool) -> int:
    """1 minor, 2 normal, 3 identity, health or asked to be remembered."""
    if explicit or _IDENTITY.search(clause):
        return 3
    return 1 if weak else 2
