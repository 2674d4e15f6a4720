"""What a user is after, and how they want to be served: requests and standing wishes, told in the third person."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.model.record import Kind
from workers.rules.third_person import expand, third_person

_POLITE = r"(?:(?:please|pls|kindly|and|also|so|now)\s+)*"
_ASKING = (
    r"(?:(?:can|could|would|will)\s+you\s+(?:please\s+|kindly\s+|maybe\s+|possibly\s+)?|(?:i\s+would|i)\s+(?:like|"
    r"want|love|need)\s+you\s+to\s+|"
    r"you\s+(?:should|can|may)\s+(?=(?:call|address|always|never)\b)|i\s+would\s+appreciate\s+it\s+if\s+you\s+(?:can|"
    r"could|would)\s+)?"
)
_REQUEST = re.compile(
    rf"^{_POLITE}{_ASKING}{_POLITE}(?P<verb>give|show|tell|find|recommend|suggest|list|provide|share|send|get|"
    rf"search\s+for|search|look\s+for|"
    r"look\s+up|help|explain|describe|write|create|make|plan|draft|compare|book|reserve|order|translate|summari[sz]e)\b"
    r"\s*(?P<me>(?:to|with|for)?\s*(?:me|us)\b)?\s*(?P<object>\S.*)$",
    re.IGNORECASE | re.DOTALL,
)
_HANDED_OVER = frozenset(
    (
        "give",
        "show",
        "find",
        "recommend",
        "suggest",
        "list",
        "provide",
        "share",
        "send",
        "get",
        "search",
        "search for",
        "look for",
        "look up",
    )
)
_SMALL_START = re.compile(r"^(?:(?:me|us|for|some|a few|any|out)\s+)+", re.IGNORECASE)
_ABOUT = re.compile(r"^(?:more\s+)?(?:about|of)\s+", re.IGNORECASE)
_HOW = re.compile(r"^(?:how|why|when|where|what|which|who|whether|if)\b", re.IGNORECASE)
_ANY = re.compile(
    rf"^{_POLITE}(?:do you have |have you got |are there |is there )?any\s+(?:good\s+)?"
    r"(?P<object>(?:\w+\s+){0,2}?(?:tips?|ideas?|recommendations?|suggestions?|advice|recipes?|books?|places?|"
    r"restaurants?)\b.+)$",
    re.IGNORECASE | re.DOTALL,
)
_WHERE = re.compile(
    r"^where\s+(?:can|could|should|do)\s+(?:i|we)\s+(?:find|get|buy|rent|order)\s+(?P<object>\S.+)$",
    re.IGNORECASE | re.DOTALL,
)
_LOOKING = re.compile(
    r"^i\s+am\s+(?:currently\s+|now\s+|also\s+|still\s+)?looking\s+for\s+(?P<object>\S.+)$", re.IGNORECASE | re.DOTALL
)
_VAGUE_OBJECT = re.compile(
    r"^(?:it|this|that|them|these|those|some of)\b|^(?:(?:you|more|something|anything|everything|details|me|us|so|up|"
    r"out|sure|sense|the|a|an|"
    r"one|to|about|all|see|know|"
    r"your|what|think|thoughts?|opinion|break|call|hand|minute|moment|favou?r|again|please|joke|story|love|"
    r"rid|good|nice|interesting|fun|great|some|any|suggestions?|advice|recommendations?|help)\b\s*)*$",
    re.IGNORECASE,
)
_INSTRUCTION = re.compile(
    rf"^{_POLITE}{_ASKING}{_POLITE}(?P<wish>(?:always|never|do\s+not|don't|from\s+now\s+on|in\s+(?:the\s+)?future|"
    rf"whenever|when\s+i\s+ask|if\s+i\s+ask|"
    r"remember\s+to|make\s+sure(?:\s+(?:to|that))?|keep\s+(?:your|the|all|it|answers|replies|responses)|"
    r"(?:answer|reply|respond|talk|speak|write)\s+(?:to\s+me\s+)?(?:only\s+|always\s+)?in|(?:call|address)\s+me|use|"
    r"avoid|stop|be)\b.*)$",
    re.IGNORECASE | re.DOTALL,
)
_IDIOM = re.compile(
    r"^(?:never\s+mind|nevermind|don't\s+(?:worry|mention|know|forget\s+to|you)|always\s+(?:a|happy|good)\b|"
    r"be\s+(?:well|safe|careful|good|right)|"
    r"do\s+not\s+worry|never\s+(?:again|ever|been|heard|tried|thought)|always\s+\w+(?:ed|ing)\b|stop\s+(?:it|that)$|"
    r"use\s+(?:it|that)$)",
    re.IGNORECASE,
)
_CALL_ME = re.compile(
    rf"^{_POLITE}{_ASKING}{_POLITE}(?:just\s+)?(?i:call)\s+me\s+(?P<name>[A-Z][\w'-]*(?:\s+[A-Z][\w'-]*)?)(?:\s+please)?$"
)
_NEAR_ME = re.compile(r"\b(?:near|around|close to)\s+(?:me|us|here)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wish:
    """A request or a standing wish; `weak` ones are worth keeping only where nothing better was said."""

    text: str
    kind: Kind
    weak: bool = False


def wish(sentence: str, name: str = "") -> Wish | None:
    """The request or the standing wish in an unnamed user's English sentence, if there is one."""
    text = expand(sentence).strip().rstrip("?.!… ").strip()
    return _called(text, name) or _need(text, name) or _instruction(text, name)


def looking_for(sentence: str, name: str = "") -> Wish | None:
    """`I am looking for a flat` as a need; for every speaker."""
    match = _LOOKING.match(expand(sentence).strip().rstrip("?.!… "))
    return _need_for(match["object"], name) if match and not _VAGUE_OBJECT.match(match["object"]) else None


def _need(text: str, name: str) -> Wish | None:
    for pattern in (_ANY, _WHERE, _LOOKING):
        if (match := pattern.match(text)) is not None and not _VAGUE_OBJECT.match(match["object"]):
            return _need_for(match["object"], name)
    match = _REQUEST.match(text)
    if match is None or _VAGUE_OBJECT.match(match["object"]):
        return None
    verb = re.sub(r"\s+", " ", match["verb"].lower())
    return _request(verb, match["object"], name, for_me=bool(match["me"]))


def _request(verb: str, what: str, name: str, *, for_me: bool) -> Wish | None:
    if verb == "tell":
        return _told(what, name) if for_me else None
    if verb == "help":
        what = re.sub(r"^(?:to|with)\s+", "", what, flags=re.IGNORECASE)
        return Wish(_lead(name, f"Looking for help: {_tell(what)}"), "need")
    if verb in _HANDED_OVER:
        return _told(what, name) if _HOW.match(what) else _need_for(what, name)
    if verb in ("book", "reserve", "order", "plan"):
        return Wish(_lead(name, f"Looking to {verb} {_tell(what)}"), "need")
    return Wish(_lead(name, f"Asked to {verb} {_tell(what)}"), "need", weak=True)


def _told(what: str, name: str) -> Wish | None:
    if _HOW.match(what):
        return Wish(_lead(name, f"Wants to know {_tell(what)}"), "need", weak=True)
    bare = _ABOUT.sub("", what)
    return (
        Wish(_lead(name, f"Looking for information about {_tell(bare)}"), "need", weak=True) if bare != what else None
    )


def _need_for(what: str, name: str) -> Wish:
    bare = _NEAR_ME.sub("nearby", _SMALL_START.sub("", what))
    return Wish(_lead(name, f"Looking for {_tell(bare)}"), "need")


def _called(text: str, name: str) -> Wish | None:
    """What the user wants to be called: "call me Al"."""
    match = _CALL_ME.match(text)
    return Wish(_lead(name, f"Wants to be called {match['name']}"), "instruction") if match else None


def _instruction(text: str, name: str) -> Wish | None:
    match = _INSTRUCTION.match(text)
    if match is None or _IDIOM.match(match["wish"]) or len(match["wish"].split()) < 3:
        return None
    wanted = _tell(match["wish"])
    wanted = wanted[:1].lower() + wanted[1:]
    negated = re.match(r"(?:don't|do not)\s+", wanted)
    if negated:
        return Wish(_lead(name, f"Asks not to {wanted[negated.end() :]}"), "instruction")
    joint = ": " if re.match(r"(?:from now|in (?:the )?future|when|if|make sure)", wanted) else " to "
    return Wish(_lead(name, f"Asks{joint}{wanted}"), "instruction")


def _tell(words: str) -> str:
    """The speaker's words inside a sentence: `my trip` -> `their trip`, `what I need` -> `what they need`."""
    return third_person(f"… {words}").removeprefix("… ")


def _lead(name: str, text: str) -> str:
    if not name:
        return text
    verb = f"is {text[:1].lower()}{text[1:]}" if text.startswith("Looking") else f"{text[:1].lower()}{text[1:]}"
    return f"{name} {verb}"
