"""Numbers of a statement must have been said, in whatever notation."""

from __future__ import annotations

import pytest

from tests.unit.checks.samples import known, problems, said
from workers.checks import number_words, numbers

GROUNDED = {
    "same digits": ("I have 3 cats", "Has 3 cats"),
    "word for digit": ("I have 3 cats", "Has three cats"),
    "digit for word": ("I have two cats", "Has 2 cats"),
    "twenty-five": ("I am twenty-five", "Is 25 years old"),
    "two hundred and fifty": ("it costs two hundred and fifty euros", "Costs 250 euros"),
    "a dozen": ("we bought a dozen eggs", "Bought 12 eggs"),
    "a couple": ("I have a couple of dogs", "Has two dogs"),
    "twice": ("I swim twice a week", "Swims two times a week"),
    "second": ("this is my second marathon", "Ran 2 marathons"),
    "grouped by comma": ("my budget is 1,500 euros", "Has a budget of 1500 euros"),
    "grouped by point": ("mein Budget ist 1.500 Euro", "Hat ein Budget von 1500 Euro"),
    "grouped by space": ("mon budget est de 1 500 euros", "A un budget de 1500 euros"),
    "grouped by apostrophe": ("Lohn 5'000 Franken im Monat", "Verdient 5000 Franken"),
    "decimal comma": ("ich laufe 3,5 km am Tag", "Läuft 3.5 km am Tag"),
    "trailing zero": ("it costs 3.50 a month", "Costs 3.5 a month"),
    "thousands as k": ("I earn 80k a year", "Earns 80,000 a year"),
    "k for thousands": ("I earn 80,000 a year", "Earns 80k a year"),
    "millions": ("we raised 2.5 million", "Raised 2,500,000"),
    "wan": ("预算是3万元", "预算为30000元"),
    "chinese numeral": ("我有两只猫", "有2只猫"),
    "longer chinese numeral": ("我今年二十五岁", "今年25岁"),
    "german word": ("ich habe zwei Kinder", "Hat 2 Kinder"),
    "spanish word": ("tengo tres gatos", "Tiene 3 gatos"),
    "french word": ("j'ai quatre enfants", "A 4 enfants"),
    "arabic digits": ("لدي ٣ قطط في البيت", "لديه 3 قطط في البيت"),
    "full width digits": ("我有３只猫", "有3只猫"),
    "12 and 24 hours": ("gym at 6:30 pm", "Goes to the gym at 18:30"),
    "plain hour": ("gym at 6 pm", "Goes to the gym at 18:00"),
    "o'clock": ("dinner at 8 o'clock", "Has dinner at 8 pm"),
    "german hour": ("Treffen um 15 Uhr", "Hat um 15:00 ein Treffen"),
    "version": ("we run Python 3.11.4", "Runs Python 3.11.4"),
    "leading zero": ("room 007 is mine", "Has room 7"),
    "number inside a name": ("my GPU is an RTX4090", "Has an RTX4090 GPU"),
    "english date in digits": ("flight on 6 May 2026", "Flies on 2026-05-06"),
    "dotted date": ("Flug am 06.05.2026", "Fliegt am 6. Mai 2026"),
    "one is not counted": ("I have a cat", "Has one cat"),
}
MADE_UP = {
    "another digit": ("I have 3 cats", "Has 4 cats"),
    "another word": ("I have three cats", "Has four cats"),
    "none said": ("I have cats", "Has 2 cats"),
    "none said, in words": ("I have cats", "Has two cats"),
    "another price": ("my budget is 1,500 euros", "Has a budget of 1,600 euros"),
    "another scale": ("I earn 80 a year", "Earns 80k a year"),
    "another hour": ("gym at 6:30 pm", "Goes to the gym at 7:30 pm"),
    "another minute": ("gym at 6:30 pm", "Goes to the gym at 18:45"),
    "another percentage": ("I tip 10 percent", "Tips 15%"),
    "another year": ("I moved in 2019", "Moved in 2018"),
    "chinese": ("我有两只猫", "有3只猫"),
    "german": ("ich habe zwei Kinder", "Hat 3 Kinder"),
}


@pytest.mark.parametrize(("message", "text"), GROUNDED.values(), ids=GROUNDED)
def test_number_that_was_said_stands(message: str, text: str) -> None:
    """Notation does not matter."""
    assert problems(message, text) == []


@pytest.mark.parametrize(("message", "text"), MADE_UP.values(), ids=MADE_UP)
def test_number_that_was_not_said_is_a_fault(message: str, text: str) -> None:
    """A made-up number is sent back."""
    assert "number" in problems(message, text)


def test_numbers_may_come_from_what_is_known_and_what_was_said_before() -> None:
    """A refinement keeps the number of its target; an answer takes one from the question."""
    before = (said("Is 42 your lucky number?", "assistant"),)

    assert problems("yes it is", "Has 42 as lucky number", earlier=before) == []
    assert problems("they are called Tom and Jo", "Has 2 cats, Tom and Jo", candidates=known("Has 2 cats")) == []
    assert problems("they are called Tom and Jo", "Has 2 cats, Tom and Jo") == ["number"]


def test_year_and_day_of_the_records_own_date_are_grounded() -> None:
    """A date in words may use what `when` and `until` say, and the year in which it was said."""
    assert problems("I fly next Friday", "Flies on 22 May 2026", when="2026-05-22") == []
    assert problems("I moved this spring", "Moved in spring 2026", when="2026") == []


def test_machine_text_grounds_nothing() -> None:
    """What tools print before is no source of numbers."""
    assert problems("ok, book it please", "Wants to book for 99 euros", earlier=(said("price: 99", "tool"),)) == [
        "number"
    ]


def test_the_number_in_a_speakers_name_is_no_claim() -> None:
    """`User 1` is a name; another number beside it is still looked for."""
    message = said("I like tea", speaker="User 1")

    assert problems(message, "User 1 likes tea") == []
    assert problems(message, "User 1 likes 3 teas") == ["number"]
    assert problems(message, "Likes 1 tea") == ["number"]


SPELLED = {
    "twenty one": [21],
    "two hundred and fifty thousand": [250_000],
    "one two three": [1, 2, 3],
    "a hundred and two": [102],
    "three and four": [3, 4],
    "five million three": [5_000_003],
    "two dozen": [24],
    "ninety-nine": [99],
    "hundreds of people": [100],
    "someone often": [],
}


@pytest.mark.parametrize(("text", "expected"), SPELLED.items(), ids=SPELLED)
def test_english_numbers_in_words(text: str, expected: list[int]) -> None:
    """Words that form one number are read as one."""
    assert [number.value for number in number_words.spelled(text)] == expected


CHINESE = {
    "二十五": 25,
    "三百": 300,
    "一千零一": 1001,
    "三万五千": 35_000,
    "两亿": 200_000_000,
    "十": 10,
    "二〇二六": 2026,
}


@pytest.mark.parametrize(("text", "expected"), CHINESE.items(), ids=CHINESE)
def test_chinese_numerals(text: str, expected: int) -> None:
    """Numerals by place and digit by digit."""
    assert expected in number_words.values(text)


def test_endless_digits_are_read() -> None:
    """No conversion limit of the interpreter is reached."""
    digits = "7" * 20_000
    assert [claim.shown for claim in numbers.claims(digits)] == [digits]
    assert digits in numbers.readings(f"{digits} k")
    assert "100" in numbers.readings("hundred " * 5_000)
