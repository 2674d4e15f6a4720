"""What an unnamed assistant says that is worth keeping: bookings, promises, recommendations; nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.model.record import Kind
from workers.rules.third_person import expand
from workers.rules.worth import content_words

_DID = re.compile(
    r"^(?:(?:done|great|perfect|okay|sure)[,!.]?\s+)*i (?:have |had )?(?:just |now |also |already |"
    r"gone ahead and )*(?P<verb>booked|reserved|scheduled|ordered|created|"
    r"set up|sent|added|cancell?ed|confirmed|arranged|purchased|bought|registered|enrolled|signed|rescheduled|moved|"
    r"blocked|filed|submitted|refunded)\b\s+(?P<what>\S.+)$",
    re.IGNORECASE | re.DOTALL,
)
_PROMISED = re.compile(
    r"^(?:i will|i am going to|i promise(?: to| i will)?)\s+(?:also |then |certainly |definitely |make sure to |"
    r"be sure to )*(?P<what>(?:send|remind|book|schedule|reserve|order|"
    r"check (?:back|in|on)|follow up|call|email|contact|notify|cancel|refund|prepare|arrange|set up|ship|deliver|"
    r"pick)\b.+)$",
    re.IGNORECASE | re.DOTALL,
)
_RECOMMENDED = re.compile(
    r"^(?:i (?:would |can |also |highly |strongly |really |personally )*(?P<verb>recommend(?:ed)?|suggest(?:ed)?)|"
    r"my (?:top )?(?P<noun>recommendation|suggestion)s? "
    r"(?:would be|is|are))\s+(?P<what>\S.+)$",
    re.IGNORECASE | re.DOTALL,
)
_CONFIRMED = re.compile(
    r"^your (?:[\w-]+ ){0,4}?(?:order|booking|reservation|appointment|flight|ticket|table|room|plan|refund|"
    r"subscription|meeting|delivery|itinerary)\b.{0,120}\b"
    r"(?:is|has been|have been|are|was)\b.{0,40}\b(?:booked|confirmed|scheduled|reserved|cancell?ed|shipped|ordered|"
    r"set|processed|approved|refunded|due)\b.*$",
    re.IGNORECASE | re.DOTALL,
)
_YOU = re.compile(r"\b(?P<word>yourself|yours|your|you're|you've|you'll|you)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Deed:
    """What the assistant did, promised or recommended, told in the third person."""

    text: str
    kind: Kind


def deed(sentence: str, name: str, user: str) -> Deed | None:
    """The booking, promise or recommendation in an assistant's sentence; `user` is what "you" becomes."""
    text = expand(sentence).strip().rstrip(".!… ")
    if match := _DID.match(text):
        return _told(f"{match['verb'].lower()} {match['what']}", "event", name, user)
    if match := _PROMISED.match(text):
        return _told(f"promised to {match['what']}", "plan", name, user)
    if match := _RECOMMENDED.match(text):
        return _told(f"{_past(match['verb'])} {match['what']}", "knowledge", name, user)
    return _told(text, "state", "", user) if _CONFIRMED.match(text) else None


def _told(text: str, kind: Kind, name: str, user: str) -> Deed | None:
    if len(content_words(text)) < 2:
        return None
    text = _YOU.sub(lambda match: _for_user(match["word"].lower(), user), text)
    text = re.sub(r"\b(?:my|our)\b", "their", text, flags=re.IGNORECASE)
    text = re.sub(r"\b(?:me|us)\b", "them", text)
    return Deed(f"{name} {text}" if name else text, kind)


def _past(verb: str | None) -> str:
    return "suggested" if verb and verb.lower().startswith("suggest") else "recommended"


def _for_user(word: str, user: str) -> str:
    ends = {"your": "'s", "yours": "'s", "you're": " is", "you've": " has", "you'll": " will"}
    return user + ends.get(word, "")
