"""Quoted, forwarded, pasted, invented and handed-over words are not facts about who sends them."""

from __future__ import annotations

import pytest

from tests.unit.rules.conversation import window
from workers.rules.extractor import extract
from workers.rules.others_words import own_words


def texts(message: str) -> list[str]:
    """The texts that one message of the unnamed user leads to."""
    return [record.text for record in extract(window(message), ()).records]


FORWARDED = (
    "FYI, I live in Bonn.\n\nForwarded message:\nFrom: Bob <bob@example.com>\nTo: me\nSubject: party\n\n"
    "I am moving to Chicago next month. My number is 555-0100.\n-- Bob"
)
OTHERS = {
    "forwarded mail": (FORWARDED, ["Lives in Bonn"]),
    "mail headers": ("From: Eva\nDate: Monday\nSubject: news\n\nI am pregnant", []),
    "german mail headers": ("Ich wohne in Bonn.\n\nVon: Eva\nAn: mich\nBetreff: x\n\nIch bin schwanger",
                            ["Ich wohne in Bonn"]),
    "quoted line": ("> I live in Madrid\nNo, I live in Rome", ["Lives in Rome"]),
    "reply to a mail": ("I live in Rome.\n\nOn 3 May 2026, Bob wrote:\nI live in Oslo", ["Lives in Rome"]),
    "pasted chat": ("I need advice on this.\nBob: I live in Rome\nAnna: I live in Oslo\nBob: nice", []),
    "pasted chat with times": ("[14/05/2026, 10:00] Bob: I live in Rome\n[14/05/2026, 10:01] Anna: I hate it", []),
    "text to translate": ("Translate this to French: I live in Rome. My name is Bob.", []),
    "text to correct": ("Can you please correct the following: I has two dog", []),
    "chinese text to translate": ("翻译成英文：我住在罗马", []),
    "a role": ("Pretend you are a pirate. I am Captain Hook and live in Tortuga.", []),
    "a story": ("In the story I am writing, I am a detective in Oslo", []),
    "direct speech": ("My boss said 'I live in Rome'", ["Boss said 'I live in Rome'"]),
    "direct speech behind a colon": ("My boss wrote: I live in Rome", ["Boss wrote: I live in Rome"]),
    "a quotation": ('"I hate Mondays" is my favourite quote', ['"I hate Mondays" is their favourite quote']),
}  # fmt: skip
OWN = {
    "a mail of one's own": ("Hi all,\nI moved to Oslo.\nBest, Ann", ["Moved to Oslo"]),
    "a form": ("Name: Jo\nAge: 31\nCity: Oslo", ["Name: Jo", "Age: 31", "City: Oslo"]),
    "work": ("I translate books: mostly novels from Polish", ["Translates books: mostly novels from Polish"]),
    "more work": ("I correct exams at school", ["Corrects exams at school"]),
    "a club": ("In the book club I met Tom", ["Met Tom in the book club"]),
    "an office": ("I act as treasurer in my club", ["Acts as treasurer in their club"]),
}


@pytest.mark.parametrize(("message", "kept"), OTHERS.values(), ids=OTHERS)
def test_words_of_others_are_not_the_writers(message: str, kept: list[str]) -> None:
    """Wrongly put on the writer, they would be the worst kind of memory."""
    found = texts(message)
    assert [text for text in found if "advice" not in text] == kept


@pytest.mark.parametrize(("message", "kept"), OWN.values(), ids=OWN)
def test_what_only_looks_like_it_is_kept(message: str, kept: list[str]) -> None:
    """Letters, forms and jobs of one's own."""
    assert texts(message) == kept


def test_what_is_left_keeps_its_place() -> None:
    """Quotes are found by their place in the message."""
    left = own_words(FORWARDED)
    assert len(left) == len(FORWARDED)
    assert left.strip() == "FYI, I live in Bonn."
    assert FORWARDED.startswith(left.rstrip())


LISTS = {
    "a list": ("My favourite films:\n1. Alien\n2. Brazil\n3. Heat", ["Favourite films: Alien, Brazil, Heat"]),
    "plans": ("I'm planning trips:\n- Rome in May\n- Oslo in June", ["Is planning trips: Rome in May, Oslo in June"]),
    "statements": ("About me:\n- I live in Rome\n- I work at Acme", ["Lives in Rome", "Works at Acme"]),
}  # fmt: skip


@pytest.mark.parametrize(("message", "kept"), LISTS.values(), ids=LISTS)
def test_a_heading_takes_its_items_along(message: str, kept: list[str]) -> None:
    """Items say nothing by themselves, unless they are statements."""
    assert texts(message) == kept


SAID = {
    "spanish no": ("No me gusta el café", ["No me gusta el café"]),
    "spanish interjection": ("No, vivo en Madrid", ["Vivo en Madrid"]),
    "italian no": ("Non fumo più", ["Non fumo più"]),
    "english no": ("No kids yet", ["No kids yet"]),
    "english interjection": ("no I don't eat meat", ["Doesn't eat meat"]),
    "breed": ("Great Danes are my favourite dogs", ["Great Danes are their favourite dogs"]),
    "tag question": ("I'm a vegetarian, remember?", ["Is a vegetarian"]),
    "tag with a verb": ("My wife is a doctor, isn't she?", ["Wife is a doctor"]),
    "told before": ("Did I tell you I live in Rome?", ["Lives in Rome"]),
    "parentheses": ("I've got two kids, Tom (7) and Lena (4).", ["Has got two kids, Tom (7) and Lena (4)"]),
    "address": ("my email is jo@example.com", ["Email is jo@example.com"]),
    "to be reached at": ("Email me at jo@example.com", ["Email them at jo@example.com"]),
    "phone": ("my phone number is +49 170 1234567", ["Phone number is +49 170 1234567"]),
    "birthday": ("It's my birthday today!", ["2026-05-07 is their birthday"]),
    "locker": ("remember: my locker code is 4711", []),
    "streaming": ("my Netflix code is 8841", []),
    "post code": ("My zip code is 90210", ["Zip code is 90210"]),
    "chore": ("make it shorter please", []),
    "pointing": ("Here is my code:", []),
    "weekday only": ("Oh great, another Monday. I love waking up at 5am.", ["Loves waking up at 5am"]),
}  # fmt: skip


@pytest.mark.parametrize(("message", "kept"), SAID.values(), ids=SAID)
def test_what_is_said_is_kept_as_it_was_meant(message: str, kept: list[str]) -> None:
    """A lost "no", a question that is none, an address that is no order."""
    assert texts(message) == kept
