"""Attributes of a person that have one value at a time, one row each: a new value takes the place of the old one.

Rows read statements in the third person, whoever wrote them: without a subject, or under a name or a unique relation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.model.record import Kind

_STOP = (
    r"(?=\s*(?:[,;(.!?]|$)(?!\w)|\s+(?:but|since|because|with|where|after|so|now|until|though|although|when|while|"
    r"which|who|near|close|these days|"
    r"at the moment|any ?more|again|this year|instead|currently|(?:on|in|around|from|for) (?:the |about |over |"
    r"early |late )?(?:\d|week|weekend|last|next)|"
    r"(?:in|since) (?:january|february|march|april|may|june|july|august|september|october|november|december)\b|"
    r"(?:and|as) (?:they|their|is|has|was|works?|lives?|loves?|likes?|enjoys?|plays?|wants?|i|my|it|he|she|also|an?|"
    r"the|senior|junior|lead|head|\w+ed)\b))"
)
_VALUE = rf"(?P<value>\S[^,;!?\n]{{0,80}}?){_STOP}"
_NAMED = rf"(?P<value>[A-Z0-9À-ÞА-Я][^,;!?\n]{{0,80}}?){_STOP}"
_STATES = ("budget", "salary", "rent", "deadline", "weight", "goal weight", "current project")
_OCCUPATIONS = (
    r"(?:(?:software|civil|mechanical|electrical|data|web|senior|junior|primary|high|school|elementary|registered|"
    r"freelance|graphic|fashion|taxi|truck|bus|real|"
    r"estate|product|project|bank|police|fire|personal|professional|retired|full-time|part-time|stay-at-home|"
    r"self-employed|math|english|science|music|art|"
    r"yoga|fitness|chief|executive|head|marketing|sales|research) )*"
    r"(?:teacher|nurse|engineer|doctor|developer|programmer|designer|lawyer|accountant|chef|cook|baker|student|pilot|"
    r"driver|manager|analyst|scientist|"
    r"researcher|professor|lecturer|writer|author|journalist|editor|photographer|musician|singer|actor|actress|"
    r"artist|architect|electrician|plumber|carpenter|"
    r"mechanic|farmer|waiter|waitress|barista|bartender|cashier|clerk|secretary|receptionist|librarian|dentist|"
    r"pharmacist|vet|veterinarian|therapist|psychologist|"
    r"counselor|firefighter|policeman|officer|soldier|salesman|salesperson|realtor|agent|consultant|director|ceo|cto|"
    r"founder|entrepreneur|hairdresser|"
    r"barber|tailor|translator|interpreter|trainer|coach|guard|janitor|technician|administrator|paramedic|surgeon|"
    r"banker|broker|trader|politician|physicist|"
    r"chemist|biologist|mathematician|economist|intern|nanny|butcher|fisherman|welder|tutor|retiree)"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One attribute: `key` may use the pattern's group `of`; `before` introduces the old value in a text."""

    key: str
    pattern: re.Pattern[str]
    before: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A value of a single-valued attribute of a subject ("" = the user), as one text states it."""

    subject: str
    key: str
    value: str
    before: str
    end: int  # where the value ends in the text

    @property
    def kind(self) -> Kind:
        """What kind of statement gives this attribute."""
        if self.key.startswith("favourite"):
            return "preference"
        return "state" if self.key in _STATES else "profile"

    @property
    def token(self) -> str:
        """The value for comparing: no case, articles or spare white space."""
        folded = re.sub(r"^(?:an?|the|their|about|around)\s+", "", self.value.casefold().strip(" \"'.“”"))
        return re.sub(r"\s+", " ", folded)


def _row(key: str, pattern: str, before: str = "") -> Row:
    # Names keep their capitals: only the words around the value are matched in any case.
    return Row(key, re.compile(pattern), before)


_ADVERBS = (
    r"(?:(?:now|currently|just|recently|finally|actually|still|really|officially|is|already|"
    r"(?:has|have)(?! (?:no|an?|one|two|three|four|five|six|seven|eight|\d))) )*"
)
_ROWS: tuple[Row, ...] = (
    _row("name", rf"(?:real |full |first )?name is (?:actually )?{_NAMED}"),
    _row("nickname", rf"(?:nickname is|goes by|wants to be called) {_NAMED}"),
    _row(
        "home", rf"(?:lives|living|resides|residing|based|located|home is|settled) (?:here |alone )?in {_VALUE}", "in"
    ),
    _row(
        "home",
        rf"(?:moved|relocated) (?:back |over |out |away |here |"
        rf"permanently )*(?:from [^,;]{{2,40}}? )?to (?:live in )?{_NAMED}",
        "in",
    ),
    _row("origin", rf"(?:originally )?(?:from|comes? from|hails from) {_NAMED}", "from"),
    _row("birthplace", rf"(?:was )?born (?:and raised )?in (?P<value>[A-ZÀ-Þ][^,;!?\d]{{1,60}}?){_STOP}", "in"),
    _row("birthday", rf"(?:birthday is|was born) (?:on )?(?P<value>(?=[^,;]*\d)\S[^;!?]{{2,40}}?){_STOP}"),
    _row("employer", rf"(?:works|working|employed) (?:\w+-time )?(?:at|for) {_NAMED}", "at"),
    _row("employer", rf"(?:started|began)(?: working| work| a (?:new )?(?:job|position|role))? at {_NAMED}", "at"),
    _row(
        "employer",
        rf"(?:got|took|accepted|landed) (?:an?|the) (?:\w+ ){{0,3}}(?:job|position|role|offer) (?:at|with|"
        rf"from) {_NAMED}",
        "at",
    ),
    _row(
        "employer", rf"(?:switched|changed|transferred) (?:jobs |companies )?(?:from [^,;]{{2,40}}? )?to {_NAMED}", "at"
    ),
    _row("employer", r"joined (?P<value>[A-Z]\w+(?: [A-Z]\w+)*)(?= as\b| last\b| in\b| on\b|\s*$)", "at"),
    _row("occupation", rf"(?:works|working) as (?:an? )?{_VALUE}", "as"),
    _row("occupation", rf"(?:job|occupation|profession|job title|title) is (?:an? )?{_VALUE}"),
    _row(
        "occupation",
        rf"(?:became|become|becoming|retrained as|promoted to) (?:an? |the )?(?P<value>{_OCCUPATIONS})\b",
        "as",
    ),
    _row("occupation", rf"an? (?P<value>{_OCCUPATIONS})(?=$|[,.]| now\b| at\b| in\b| and\b| by\b| by\b| for\b| who\b)"),
    _row(
        "age", r"(?:age is |turned |turning )?(?P<value>\d{1,3})(?= years? old\b| yrs?\b|$| now\b| and\b|,| on \d{4}-)"
    ),
    _row(
        "favourite {of}",
        rf"(?:all[- ]time )?favou?rite (?P<of>[\w' -]{{2,40}}?) (?:is|are|was|has always been|have always been|"
        rf"would be) {_VALUE}",
    ),
    _row(
        "marital status",
        r"(?:got |happily |newly |been )*(?P<value>single|married|divorced|engaged|widowed|separated|"
        r"in a relationship)\b(?! with| life| mother| parent)",
    ),
    _row(
        "{of}'s name",
        r"(?P<of>wife|husband|partner|girlfriend|boyfriend|fianc\w+|spouse)(?:'s name)? is (?:called |"
        r"named )?(?P<value>[A-Z]\w+)(?=$|[,.]| and\b)",
    ),
    _row(
        "{of}'s name",
        rf"(?P<of>dog|cat|horse|hamster|parrot|rabbit|pet|puppy|kitten|car|boat|mother|father|mom|mum|dad|boss|"
        rf"landlord)(?:'s name)? is (?:called|named) {_NAMED}",
    ),
    _row(
        "{of}'s name",
        rf"(?P<of>dog|cat|horse|hamster|parrot|rabbit|pet|puppy|kitten|mother|father|mom|mum|dad|boss|"
        rf"landlord)'s name is {_NAMED}",
    ),
    _row(
        "diet",
        r"(?:an? |strict |strictly |went |turned |became |become |gone |eats |eating |diet is |"
        r"mostly )*(?P<value>vegan|vegetarian|pescatarian|flexitarian|omnivore|carnivore|keto|paleo)\b(?! (?:food|"
        r"restaurant|recipe|meal|option|dish|diet\w+ for|friend|wife|husband))",
    ),
    _row("native language", rf"(?:native language|first language|mother tongue|native tongue) is {_VALUE}"),
    _row("car", rf"(?:drives|driving|car is) (?:an? )(?P<value>(?:[\w-]+ )?[A-Z0-9][^,;!?]{{1,40}}?){_STOP}"),
    _row(
        "{of}",
        rf"(?P<of>phone|laptop|computer|bike|"
        rf"motorcycle) is (?:an? )(?P<value>(?:[\w-]+ )?[A-Z0-9][^,;!?]{{1,40}}?){_STOP}",
    ),
    _row("school", rf"(?:studies|studying|student) at {_NAMED}", "at"),
    _row(
        "school",
        r"(?:attends|attending|goes to|going to) (?P<value>(?:[A-Z][\w'.-]+ )+(?:University|College|School|Institute|"
        r"Academy))",
        "at",
    ),
    _row(
        "field of study",
        rf"(?:studies|studying|majors? in|majoring in|major is) (?P<value>(?!at\b|for\b|in\b|hard\b|"
        rf"abroad\b)\S[^,;!?]{{2,40}}?){_STOP}",
    ),
    _row("weight", r"(?:weighs|weight is) (?:about |around )?(?P<value>\d[\d.,]* ?(?:kg|kilos?|lbs?|pounds|stone)?)"),
    _row("height", r"(?:height is )?(?P<value>\d[\d.,' ]*(?:cm|m|ft|feet|foot)?(?: ?\d+)?(?: inches)?)(?= tall\b)"),
    _row(
        "number of {of}",
        r"(?:has|have) (?P<value>no|an?|one|two|three|four|five|six|seven|eight|\d{1,2}) (?P<of>kid|child|"
        r"grandchild)(?:s|ren)?\b",
    ),
    _row(
        "{of}",
        rf"(?P<of>budget|salary|rent|shoe size|dress size|blood type|time ?zone|pronouns|deadline|zodiac sign|"
        rf"star sign|religion|nationality|citizenship|"
        rf"job title|goal weight|bedtime|e-?mail(?: address)?|address|hometown|hair colou?r|eye colou?r|dream job|"
        rf"current project|landlord) (?:is|are) (?:now |about |around )?{_VALUE}",
    ),
)
_UNIQUE = (
    r"(?:wife|husband|partner|girlfriend|boyfriend|fianc\w+|mother|father|mom|mum|dad|boss|landlord|spouse|roommate)"
)
_RELATION = re.compile(
    rf"(?:their )?(?P<who>{_UNIQUE}) (?!is (?:called|named) )"
    r"(?=is |lives |works |has |was |moved |started |got |drives |turned |studies )",
    re.IGNORECASE,
)
_NOT_A_VALUE = re.compile(
    r"^(?:not|no longer|it|that|this|them|him|her|there|here|where|what|the same|something|someone)\b", re.IGNORECASE
)
_ONE_OF_SEVERAL = re.compile(r"\b(?:also|another|second|additionally|besides|part[- ]time|one of)\b", re.IGNORECASE)
_PREDICATE = re.compile(_ADVERBS)


def fact(text: str, names: tuple[str, ...] = ()) -> Fact | None:
    """The first single-valued attribute `text` states, if it does; `names` are the people who may be its subject."""
    if _ONE_OF_SEVERAL.search(text):
        return None
    subject, at = subject_of(text, names)
    relation = _RELATION.match(text, at)
    if relation:
        subject, at = f"{subject}/{relation['who'].lower()}", relation.end()
    start = _predicate(text, at)
    rest = text[at:start] + text[start : start + 1].lower() + text[start + 1 :]
    skipped = start - at
    for row in _ROWS:
        match = row.pattern.match(rest, skipped)
        if match and not _NOT_A_VALUE.match(match["value"]):
            of = match.groupdict().get("of") or ""
            key = row.key.format(of=_singular(of.lower()))
            return Fact(subject, key, match["value"].strip(), row.before, at + match.end("value"))
    return None


def subject_of(text: str, names: tuple[str, ...]) -> tuple[str, int]:
    """The named person a text is about ("" for the user), in lower case, and where the rest begins."""
    for name in names:
        if text.startswith(name) and not text[len(name) : len(name) + 1].isalnum():
            at = len(name) + (2 if text[len(name) :].startswith("'s") else 0)
            return name.lower(), at + (text[at : at + 1] == " ")
    return "", 0


def _predicate(text: str, at: int) -> int:
    """Behind the adverbs and auxiliaries of a predicate; the first letter may be a capital."""
    lowered = text[at : at + 1].lower() + text[at + 1 : at + 80]
    match = _PREDICATE.match(lowered)
    return at + (match.end() if match else 0)


def _singular(noun: str) -> str:
    return noun[:-1] if noun.endswith("s") and not noun.endswith("ss") else noun
