"""What an op may do: legal ones stay, others become ADD, and what makes no sense as ADD is refused."""

from __future__ import annotations

import pytest

from shared.model.record import Candidate, Op
from tests.unit.checks.samples import change, known
from workers.checks.ops import Ruling, rule
from workers.checks.reasons import Reason
from workers.checks.relation import content, related
from workers.checks.sameness import differs, loses, negated
from workers.checks.taking_back import asks_to_take_back

ACME = known("Works at Acme as an engineer")
RAW = known("I work at Acme", kind="raw")
FIXED = known("Works at Acme", immutable=True)
RULES: dict[str, tuple[Op, str, int | None, tuple[Candidate, ...], str | Reason]] = {
    "add": ("ADD", "Works at Acme", None, ACME, "ADD"),
    "add ignores its target": ("ADD", "Works at Acme", 0, ACME, "ADD"),
    "refine": ("REFINE", "Works at Acme as a senior engineer", 0, ACME, "REFINE 0"),
    "supersede": ("SUPERSEDE", "Works at Globex, after leaving Acme", 0, ACME, "SUPERSEDE 0"),
    "retract": ("RETRACT", "Never worked at Acme", 0, ACME, "RETRACT 0"),
    "same": ("SAME", "Works at Acme", 0, ACME, "SAME 0"),
    "unknown target": ("SUPERSEDE", "Works at Globex, after leaving Acme", 7, ACME, "ADD"),
    "negative target": ("REFINE", "Works at Acme as a senior engineer", -1, ACME, "ADD"),
    "no target": ("REFINE", "Works at Acme as a senior engineer", None, ACME, "ADD"),
    "nothing known": ("SAME", "Works at Acme", 0, (), "ADD"),
    "retract without a target": ("RETRACT", "Never worked at Acme", None, ACME, Reason.NO_TARGET),
    "retract of an unknown target": ("RETRACT", "Never worked at Acme", 7, ACME, Reason.NO_TARGET),
    "supersede of something else": ("SUPERSEDE", "Loves jazz music", 0, ACME, "ADD"),
    "refine of something else": ("REFINE", "Loves jazz music", 0, ACME, "ADD"),
    "retract that nobody asked for": ("RETRACT", "Works at Acme", 0, ACME, Reason.UNASKED),
    "retract of something else": ("RETRACT", "Does not love jazz", 0, ACME, Reason.UNRELATED),
    "same with another number": ("SAME", "Has 3 cats", 0, known("Has 2 cats"), "ADD"),
    "same with a number in words": ("SAME", "Has two cats", 0, known("Has 2 cats"), "SAME 0"),
    "same with less detail": ("SAME", "Has cats", 0, known("Has 2 cats"), "SAME 0"),
    "same but negated": ("SAME", "Cannot eat peanuts", 0, known("Can eat peanuts"), "ADD"),
    "same with another name": ("SAME", "Has a sister, Anna", 0, known("Has a sister, Maria"), "ADD"),
    "same in other words": ("SAME", "Enjoys trekking", 0, known("Likes hiking"), "SAME 0"),
    "refine that loses a number": ("REFINE", "Has cats, Tom and Jo", 0, known("Has 2 cats"), "ADD"),
    "refine that turns around": ("REFINE", "Does not eat meat at home", 0, known("Eats meat"), "ADD"),
    "same as a raw message": ("SAME", "Works at Acme", 0, RAW, "ADD"),
    "supersede of a raw message": ("SUPERSEDE", "Left Acme", 0, RAW, "ADD"),
    "retract of a raw message": ("RETRACT", "Never worked at Acme", 0, RAW, "RETRACT 0"),
    "supersede of an immutable": ("SUPERSEDE", "Left Acme", 0, FIXED, "ADD"),
    "same as an immutable": ("SAME", "Works at Acme", 0, FIXED, "SAME 0"),
    "retract of an immutable": ("RETRACT", "Never worked at Acme", 0, FIXED, Reason.IMMUTABLE),
}


@pytest.mark.parametrize(("op", "text", "target", "candidates", "expected"), RULES.values(), ids=RULES)
def test_op_is_made_legal(
    op: Op, text: str, target: int | None, candidates: tuple[Candidate, ...], expected: str | Reason
) -> None:
    """Unsure means ADD; a retraction without its target means nothing."""
    ruling = rule(change(op, text, target), candidates, [text])

    shown = ruling if isinstance(ruling, Reason) else f"{ruling.op} {ruling.target.n}" if ruling.target else ruling.op
    assert shown == expected


def test_cited_message_tells_what_a_change_is_about() -> None:
    """The new statement need not name the old value when the person did."""
    record = change("SUPERSEDE", "Drives a Tesla")

    assert rule(record, known("Owns a Volvo"), ["Drives a Tesla"]) == Ruling("ADD")
    assert rule(record, known("Owns a Volvo"), ["I sold the Volvo and drive a Tesla"]).op == "SUPERSEDE"  # type: ignore[union-attr]


def test_name_that_all_statements_share_relates_nothing() -> None:
    """Where every memory begins with Caroline, Caroline is no reason to take one back."""
    record = change("RETRACT", "Caroline does not love jazz")
    candidates = known("Caroline plays chess")

    assert rule(record, candidates, [record.text], frozenset({"caroline"})) is Reason.UNRELATED
    assert rule(record, candidates, [record.text]) == Ruling("RETRACT", candidates[0])


TAKEN_BACK = {
    "forget": ("please forget that I like jazz", True),
    "never": ("I never lived in Rome", True),
    "denied": ("I don’t have a dog", True),
    "mistake": ("my mistake, the flight is Anna's", True),
    "called off": ("the trip to Rome is off", True),
    "joke": ("I was joking about the yacht", True),
    "stated": ("I live in Rome and love it", False),
    "asked": ("where do I live?", False),
    "german": ("vergiss bitte meine Adresse", True),
    "german stated": ("ich wohne in Köln und arbeite dort", False),
    "spanish": ("olvida mi dirección", True),
    "spanish stated": ("vivo en Madrid con mi hermana", False),
    "french": ("oublie mon adresse", True),
    "french stated": ("j'habite à Lyon avec ma femme", False),
    "chinese": ("请忘记我的地址", True),
    "chinese stated": ("我住在上海", False),
    "another language": ("zapomnij mój adres", True),
}


@pytest.mark.parametrize(("message", "expected"), TAKEN_BACK.values(), ids=TAKEN_BACK)
def test_taking_back_is_asked_for(message: str, *, expected: bool) -> None:
    """Somebody denies, corrects or asks to forget; languages without a list get the benefit of the doubt."""
    assert asks_to_take_back([message]) is expected


RELATED = {
    "a word": ("Prefers light mode", "Prefers dark mode", True),
    "a plural": ("Looking for museums", "Visited a museum", True),
    "a family of words": ("Is allergic to nuts", "Has an allergy", True),
    "a name": ("Met Anna", "Anna is a sister", True),
    "a home": ("Moved to Milan", "Lives in Rome", True),
    "a job": ("Started at Globex", "Works at Acme", True),
    "a partner": ("Got divorced", "Is married to Tom", True),
    "a number": ("Scored 4711 points", "The record is 4711", True),
    "nothing": ("Loves jazz", "Works at Acme", False),
    "only empty words": ("Wants to go to the sea", "Wants to have the key", False),
    "german": ("Ist nach Köln gezogen", "Wohnt in Bonn", True),
    "german word": ("Trinkt keinen Kaffee", "Mag Kaffee", True),
    "german nothing": ("Mag Jazz sehr", "Hat einen Hund", False),
    "spanish": ("Se mudó a Sevilla", "Vive en Madrid", True),
    "spanish accents": ("Come jamón", "Le gusta el jamon", True),
    "french": ("A déménagé à Lyon", "Habite à Paris", True),
    "chinese": ("搬到了上海", "住在北京", True),
    "chinese word": ("不再喝咖啡", "喜欢喝咖啡", True),
    "chinese nothing": ("喜欢爵士乐", "有一只狗", False),
    "japanese": ("コーヒーをやめた", "コーヒーが好き", True),
    "russian": ("Переехал в Москву", "Любит Москву", True),
    "memory without content": ("Loves jazz", "It is so", True),
}


@pytest.mark.parametrize(("statement", "memory", "expected"), RELATED.values(), ids=RELATED)
def test_relation_of_two_texts(statement: str, memory: str, *, expected: bool) -> None:
    """A shared content word, name or attribute, in the way each script has words."""
    assert related(content(statement), content(memory)) is expected


NEGATED = {
    "Does not eat meat": True,
    "Doesn’t eat meat": True,
    "Never eats meat": True,
    "No longer works there": True,
    "Eats meat": False,
    "Does not dislike nothing": False,
    "Isst kein Fleisch": True,
    "Isst nicht gern Fleisch": True,
    "No come carne": True,
    "Ne mange pas de viande": True,
    "N'aime pas le thé": True,
    "Mange de la viande": False,
    "不吃肉": True,
    "没有狗": True,
    "非常不错": False,
    "Не ест мясо": True,
    "Knows Nora": False,
}


@pytest.mark.parametrize(("text", "expected"), NEGATED.items(), ids=NEGATED)
def test_negation(text: str, *, expected: bool) -> None:
    """One negation turns a statement around, two do not."""
    assert negated(text) is expected


DIFFER = {
    "time of day": ("Takes pills at 8 am", "Takes pills at 9 am", True),
    "frequency in words": ("Takes it twice a day", "Takes it once a day", False),
    "milliseconds": ("Latency is 300ms", "Latency is 250ms", True),
    "less detail": ("Has a sister", "Has a sister, Anna, aged 30", False),
    "more names only": ("Works with Anna and Tom", "Works with Anna", False),
    "german names are nouns": ("Hat eine Katze und einen Hund", "Hat einen Hund und eine Katze", False),
}


@pytest.mark.parametrize(("statement", "memory", "expected"), DIFFER.values(), ids=DIFFER)
def test_difference_that_forbids_same(statement: str, memory: str, *, expected: bool) -> None:
    """Numbers, names and negations decide, other words do not."""
    assert differs(statement, memory) is expected


def test_fuller_statement_keeps_every_number() -> None:
    """What is merged must hold both."""
    assert loses("Has a flat in Rome", "Has a flat of 80 square metres")
    assert not loses("Has a flat of 80 square metres in Rome with 3 rooms", "Has a flat of 80 square metres")
