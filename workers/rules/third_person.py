"""English first person into third: `I moved with my wife` -> `Moved with their wife` or `Maria moved with their wife`.

Without a name the subject is left out where it comes first. Only words that stand in the sentence or pronouns appear.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from shared.model.word_list import word_list
from workers.rules.verbs import inflects, plural, singular

_FELT = "love|like|miss|enjoy|want|need|have|think|believe|feel|hope|prefer|hate"
_CONTRACTIONS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), to)
    for pattern, to in (
        (r"\bI'm\b|\bim\b(?= \w)|\bI m\b", "I am"),
        (r"\bI've\b|\bive\b(?= \w)", "I have"),
        (r"\bI'll\b", "I will"),
        (r"\bI'd(?= (?:\w+ly |never |always |just |already )?(?:been|had|gone|done|seen|(?!need)\w+ed)\b)", "I had"),
        (r"\bI'd\b", "I would"),
        (r"\bwe're\b", "we are"),
        (r"\bwe've\b", "we have"),
        (r"\bwe'll\b", "we will"),
        (r"\bwe'd(?= (?:\w+ly |never |always |just |already )?(?:been|had|gone|done|seen|(?!need)\w+ed)\b)", "we had"),
        (r"\bwe'd\b", "we would"),
        (r"\bgonna\b", "going to"),
        (r"\b(my name|my \w+(?='s (?:an?|called|named|from|not)\b))'s\b", r"\1 is"),
        (rf"\b(I|we) do (?=(?:really |also )?(?:{_FELT})\b)", r"\1 "),
    )
)
_WAS_DOING = (
    r"(?:just |also |currently |still |now )*(?:planning|working|living|studying|learning|training|moving|flying|"
    r"travell?ing|thinking (?:of|about)|going to|looking for|hoping to|saving (?:up )?for|allergic to)\b \S"
)
_DID = (
    r"(?:just |also |recently |finally )*(?:went|got|had|bought|saw|visited|started|finished|moved|met|made|took|found|"
    r"joined|booked|signed up|tried|ate|watched|played|won|lost|ran|quit|adopted|graduated|celebrated|spent|decided) "
    r"(?!it\b|that\b|this\b|you\b|is\b|was\b|,)\S"
)
_DOES = (
    r"(?:just |also |really |still |currently )*(?:love|hate|live|prefer|need|want|enjoy|work) "
    r"(?!it\b|that\b|this\b|you\b|your\b|is\b|was\b|and\b|,)\S"
)
_HAS_BEEN = r"(?:just |also |recently |never |always )*been (?!there\b|that\b)\w+ \w+"
_IMPLIED = tuple(
    (lead, re.compile(pattern, re.IGNORECASE))
    for lead, pattern in (("I have ", _HAS_BEEN), ("I am ", _WAS_DOING), ("I ", _DID), ("I ", _DOES))
)
_ADVERB = (
    "just|also|really|still|always|never|often|usually|sometimes|recently|finally|actually|already|only|even|currently|"
    "probably|definitely|totally|truly|honestly|absolutely|once|mostly|now|both|all|kinda|basically|literally|simply|"
    "mainly|"
    "normally|generally|rarely|seldom|occasionally|especially|particularly|fully|deeply|highly|strongly|personally|"
    "no longer|originally|previously|formerly|officially|soon|ever|not"
)
_SUBJECT = re.compile(
    rf"\b(?P<who>I|we)\s+(?P<adverbs>(?:(?:{_ADVERB})\s+)*)(?P<verb>[A-Za-z]+(?:'[a-z]+)?)", re.IGNORECASE
)
_VERB_AFTER = r"(?:is|was|are|were|has|have|had|will|can|does|loves?|likes?|works?|lives?|went|got|\w+ed)"
_AND_I = re.compile(
    rf"\b(?P<other>(?:[Mm]y|[Oo]ur)(?: (?!{_VERB_AFTER}\b)[a-z]+){{1,3}}|[A-Z]\w+) and (?:I|me)\b(?= [a-z]+)(?! am\b)"
    r"|\bme and (?P<other2>my(?: [a-z]+){1,2}|[A-Z]\w+)\b"
)
_ALONE = re.compile(r"\b(?:I|we)\b(?!\.)", re.IGNORECASE)
_OWN_WORDS = {
    "my": "their",
    "mine": "theirs",
    "myself": "themselves",
    "me": "them",
    "our": "their",
    "ours": "theirs",
    "us": "them",
    "ourselves": "themselves",
}
_OWN = re.compile(r"\b(?:my|mine|myself|me|our|ours|ourselves|us)\b", re.IGNORECASE)
_ADVERB_FIRST = re.compile(rf"^(?P<adverbs>(?:(?:{_ADVERB})\s+)+)I\s+", re.IGNORECASE)
_JOINED = re.compile(
    rf"(?P<join>\b(?:and|but|or|then)\s+(?:then\s+)?)(?P<adverbs>(?:(?:{_ADVERB})\s+)*)(?P<verb>[a-z]+(?:'t)?)"
    r"(?=\s+(?:\d\w*|a|an|the|my|their|in|at|as|for|with|on|to|it|them|from|every|about|some|two|three|lots?|near|by|eat|"
    r"like|"
    r"have|want)\b)"
)
_JOINED_VERBS = word_list(
    """live work love like hate enjoy have am do don't want need play study teach drive own run go eat drink prefer
    speak hope plan try collect volunteer travel read write cook make take use spend help watch listen swim walk
    ride sing dance paint train coach manage commute stay sleep practice attend belong know think feel keep weigh"""
)
_HELD = "\ue000"
_QUOTED = re.compile(
    r"[\"“«][^\"“”«»]{2,200}[\"”»]|(?<!\w)['‘][^'‘’]{3,200}['’](?!\w)|"
    r"(?<=\bsaid: ).+|(?<=\bsays: ).+|(?<=\bwrote: ).+|(?<=\bwrites: ).+|(?<=\btexted: ).+|(?<=\breplied: ).+|"
    r"(?<=\banswered: ).+|(?<=\btold me: ).+|(?<=\basked: ).+",
    re.DOTALL,
)
_BARRIER = re.compile(
    r"\b(?:to|can|could|will|would|should|might|may|must|who|that|which|when|because|if|while|than)\b"
)


def third_person(text: str, name: str = "") -> str:
    """`text` told about its speaker: under `name`, or without a subject where there is none."""
    return _Retelling(name).tell(expand(text))


def implied_subject(text: str) -> str:
    """What is left out in front of "Went to Rome", "Planning a trip": "I ", "I am ", "I have "; else ""."""
    for lead, pattern in _IMPLIED:
        if pattern.match(text):
            return lead
    return ""


def expand(text: str) -> str:
    """Straight quotes and no contractions of the first person (`I'm` -> `I am`)."""
    text = text.replace("’", "'").replace("‘", "'")
    for pattern, to in _CONTRACTIONS:
        text = pattern.sub(to, text)
    return text


@dataclass
class _Retelling:
    """One sentence being retold; remembers whether its speaker has been named already."""

    name: str
    named: bool = field(default=False)

    def tell(self, text: str) -> str:
        """Words in quotation marks stay as they were said."""
        quoted = [match[0] for match in _QUOTED.finditer(text)]
        told = iter(quoted)
        return re.sub(_HELD, lambda _: next(told, ""), self._tell(_QUOTED.sub(_HELD, text.replace(_HELD, ""))))

    def _tell(self, text: str) -> str:
        text = _ADVERB_FIRST.sub(lambda match: f"I {match['adverbs'].lower()}", text)
        text = _inflect_joined(text)
        text = _AND_I.sub(self._pair, text)
        text = self._possessive_start(text)
        text = _SUBJECT.sub(self._subject, text)
        text = _ALONE.sub(lambda match: self._mention() or ("they" if match.start() else "They"), text)
        return _OWN.sub(self._own, text)

    def _mention(self) -> str:
        """The name the first time, nothing later."""
        if self.named or not self.name:
            return ""
        self.named = True
        return self.name

    def _pair(self, match: re.Match[str]) -> str:
        other = _OWN.sub("their", match["other"] or match["other2"])
        lead = self._mention() or ("they" if match.start() else "They")
        return f"{lead} and {other}"

    def _possessive_start(self, text: str) -> str:
        """`My wife is ...` -> `Wife is ...`; with a name `Maria's wife is ...`."""
        start = re.match(r"(?:my|our)\s+(?=\w)", text, re.IGNORECASE)
        if start is None:
            return text
        rest = text[start.end() :]
        if self.name:
            return f"{self.name}'s {rest}"
        return rest if start[0].lower().startswith("my") else f"Their {rest}"

    def _subject(self, match: re.Match[str]) -> str:
        adverbs, verb, first = match["adverbs"], match["verb"], match.start() == 0
        if match["who"].lower() == "we":
            lead = f"{name} and others" if (name := self._mention()) else "they"
            return f"{lead if name or not first else 'They'} {adverbs}{plural(verb)}"
        if name := self._mention():
            return f"{name} {adverbs}{self._singular(match)}"
        if first and not self.name:
            return f"{adverbs}{self._singular(match)}"
        return f"they {adverbs}{plural(verb)}"

    def _singular(self, match: re.Match[str]) -> str:
        verb = match["verb"]
        if verb.lower() == "read" and re.search(r"\b(?:a lot|every|often|books|to my)\b", match.string[match.end() :]):
            return "reads"
        return singular(verb)

    def _own(self, match: re.Match[str]) -> str:
        word = match[0]
        return word if word.isupper() else _OWN_WORDS[word.lower()]  # the US


def _inflect_joined(text: str) -> str:
    """Give verbs joined to the first one its person: `I live in Rome and work at Acme` -> `... and works at Acme`."""
    start = _SUBJECT.match(text)
    if start is None or start["who"].lower() != "i" or not inflects(start["verb"]):
        return text
    return _JOINED.sub(lambda match: _joined(text, start.end(), match), text)


def _joined(text: str, begin: int, match: re.Match[str]) -> str:
    verb = match["verb"]
    between = text[begin : match.start()]
    if (
        verb not in _JOINED_VERBS
        or match.start() < begin
        or _BARRIER.search(between)
        or re.search(r"\b(?:I|we)\b", between)
    ):
        return match[0]
    return f"{match['join']}{match['adverbs']}{singular(verb)}"
