"""Names of a statement must have been said; grammar and spelling out are allowed, invention is not."""

from __future__ import annotations

import pytest

from shared.model.message import Message
from shared.model.record import Record
from tests.unit.checks.samples import against, known, problems, said, window

GROUNDED = {
    "same": ("I moved to Milan with Anna", "Moved to Milan with Anna"),
    "said in lower case": ("i moved to milan with anna", "Moved to Milan with Anna"),
    "possessive": ("Anna is my sister", "Has Anna's phone as a sister"),
    "possessive in the message": ("Anna's dog bit me", "Was bitten by the dog of Anna"),
    "people of a country": ("I come from Italy", "Is Italian and from Italy"),
    "accents": ("vivo en Málaga", "Vive en Malaga"),
    "month": ("we marry in six months, in the eleventh", "Marries in November"),
    "weekday": ("gym every mon", "Goes to the gym on Monday"),
    "acronym of names": ("I live in New York City", "Lives in NYC"),
    "names of an acronym": ("I live in NYC", "Lives in New York City"),
    "acronym with small words": ("she works at the Bank of America", "Has a partner at BOA"),
    "first word of the text": ("my wife loves tea", "Wife loves tea"),
    "first word of a sentence": ("I love tea and hate rain", "Loves tea. Hates rain"),
    "title in quotation marks": ("i read the old man and the sea", "Read “The Old Man and the Sea”"),
    "behind a colon": ("help me write an essay", "Looking for help: Write an essay"),
    "german nouns": ("ich habe zwei Kinder", "Ist Elternteil von 2 Kindern in der Familie"),
    "german message": ("ich heiße Petra und bin Ärztin", "Heißt Petra, Beruf Ärztin"),
    "inflected": ("Mieszkam w Warszawie od dawna", "Mieszka na stałe: Warszawa"),
    "chinese with a latin name": ("我在 globex 上班，住在上海", "在Globex上班"),
    "i and contractions": ("i said i'm vegan", "Said that I'm or I am vegan"),
    "currency": ("it costs 20 euros", "Costs 20 EUR"),
}
MADE_UP = {
    "another city": ("I moved to Milan", "Moved to Rome"),
    "a close name": ("my sister is Maria", "Has a sister named Mario"),
    "a name beside a real one": ("I work with Tom", "Works with Tom and Berta"),
    "surname": ("I met Anna", "Met Anna Keller"),
    "spanish": ("me mudé a Madrid el año pasado", "Se mudó a Sevilla"),
    "french": ("j'habite à Lyon depuis longtemps", "Habite à Paris"),
    "acronym": ("I work at a bank", "Works at UBS"),
    "chinese with a latin name": ("我在 Globex 上班，住在上海", "在Initech上班"),
}


@pytest.mark.parametrize(("message", "text"), GROUNDED.values(), ids=GROUNDED)
def test_name_that_was_said_stands(message: str, text: str) -> None:
    """Grammar and case do not matter, first words and month names are free."""
    assert problems(message, text) == []


@pytest.mark.parametrize(("message", "text"), MADE_UP.values(), ids=MADE_UP)
def test_name_that_was_not_said_is_a_fault(message: str, text: str) -> None:
    """A made-up name is sent back."""
    assert problems(message, text) == ["name"]


def test_names_may_come_from_around() -> None:
    """Pronouns are resolved from what was said before, what is known, and who is there."""
    asked = (said("How is Anna doing?", "assistant"),)
    spoken = said("my garden is my joy", speaker="Ruth")

    assert problems("she is at home", "The wellbeing of Anna: at home", earlier=asked) == []
    assert problems("she moved to Rome", "Sister Anna moved to Rome", candidates=known("Has a sister, Anna")) == []
    assert problems(spoken, "The garden is a joy for Ruth") == []
    assert problems("call me boss", "The user Alex wants to be called boss", subject="Alex") == []
    assert problems("she is at home", "The wellbeing of Anna: at home") == ["name"]


def test_later_messages_of_the_window_ground_nothing() -> None:
    """Only what was said before the cited message can explain it, however the window was cut."""
    shown = window("I love my sister Anna", "she moved to Rome")
    stands = Record((1,), "she moved to Rome", "Sister Anna moved to Rome")
    falls = Record((0,), "I love my sister Anna", "Loves Anna of Rome")

    assert against(stands, shown) == []
    assert against(falls, shown) == ["name"]


PEOPLE = (said("I love painting", speaker="Melanie"), said("I ran a race", speaker="Caroline", event=2))
SPEAKERS = {
    "own name": (1, "Caroline ran a race", []),
    "somebody else's name": (1, "Melanie ran a race", ["speaker"]),
    "no name": (1, "Ran a race", []),
    "a name nobody has": (1, "Women ran a race", []),
}


@pytest.mark.parametrize(("index", "text", "expected"), SPEAKERS.values(), ids=SPEAKERS)
def test_statement_stays_with_its_speaker(index: int, text: str, expected: list[str]) -> None:
    """What Caroline said is not told of Melanie."""
    record = Record((index,), PEOPLE[index].text, text)
    assert against(record, window(*PEOPLE)) == expected


SPOKEN_OF = {
    "spoken of": ("Melanie ran a race", []),
    "spoken to": ("I saw you run a race", []),
    "spoken to in german": ("ich habe dich beim Rennen gesehen", []),
    "not at all": ("I saw a great race", ["speaker"]),
}


@pytest.mark.parametrize(("text", "expected"), SPOKEN_OF.values(), ids=SPOKEN_OF)
def test_one_person_may_tell_of_another(text: str, expected: list[str]) -> None:
    """A statement about the other one needs that one in the message."""
    people: tuple[Message, ...] = (PEOPLE[0], said(text, speaker="Caroline", event=2))
    record = Record((1,), text, "Melanie was in a race")
    assert against(record, window(*people)) == expected
