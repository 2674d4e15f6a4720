"""Quotes: found whatever the punctuation, case and width; mapped back to the original; long enough; cut."""

from __future__ import annotations

import pytest

from tests.unit.checks.samples import problems
from workers.checks import quotes
from workers.checks.folding import fold

FOUND = {
    "verbatim": ("I want to go to Rome", "want to go", "want to go"),
    "case": ("I want to go to Rome", "WANT TO GO", "want to go"),
    "punctuation between": ("Well, I moved; to Milan!", "well i moved to", "Well, I moved; to"),
    "quote has punctuation": ("I moved to Milan", "I moved, to Milan.", "I moved to Milan"),
    "white space": ("I  moved\n to\tMilan", "I moved to Milan", "I  moved\n to\tMilan"),
    "curly apostrophe": ("I don’t eat meat", "I don't eat", "I don’t eat"),
    "quotation marks": ("I read “Dune” twice", 'read "Dune" twice', "read “Dune” twice"),
    "full width": ("ＡＢＣ is my team", "abc is my", "ＡＢＣ is my"),
    "ligature": ("I like coﬀee a lot", "i like coffee", "I like coﬀee"),
    "decomposed accent": ("le cafe\u0301 est bon", "le café est", "le cafe\u0301 est"),
    "composed accent": ("le café est bon", "le cafe\u0301 est", "le café est"),
    "sharp s": ("Ich heiße Jan Roth", "ich HEISSE Jan", "Ich heiße Jan"),
    "decomposed hangul": (
        "\u1112\u1161\u11ab\u1100\u1173\u11af 공부 중",
        "한글 공부 중",
        "\u1112\u1161\u11ab\u1100\u1173\u11af 공부 중",
    ),
    "emoji inside": ("I love 🍕 pizza so much", "I love pizza", "I love 🍕 pizza"),
    "zero width inside": ("I lo\u200bve pizza", "I love pizza", "I lo\u200bve pizza"),
    "chinese": ("我想七月去罗马，给我博物馆的建议", "七月去罗马给我", "七月去罗马，给我"),
    "chinese without its punctuation": ("我想七月去罗马给我建议", "七月去罗马，给我", "七月去罗马给我"),
    "japanese": ("私は東京に住んでいます。", "東京に住んで", "東京に住んで"),
    "thai": ("ฉันอาศัยอยู่ในกรุงเทพ", "อาศัยอยู่ในกรุงเทพ", "อาศัยอยู่ในกรุงเทพ"),
    "mixed scripts": ("我在 Globex 工作", "我在Globex工作", "我在 Globex 工作"),
    "arabic": ("أعيش في القاهرة الآن", "أعيش في القاهرة", "أعيش في القاهرة"),
    "hindi": ("मैं दिल्ली में रहता हूँ", "दिल्ली में रहता", "दिल्ली में रहता"),
    "twelve words of fourteen": (
        "a1 a2 a3 a4 a5 a6 a7 a8 a9 b1 b2 b3 b4 b5",
        "a1 a2 a3 a4 a5 a6 a7 a8 a9 b1 b2 b3 b4 b5",
        "a1 a2 a3 a4 a5 a6 a7 a8 a9 b1 b2 b3",
    ),
    "second place is a whole word": ("the heart is art of it", "art of it", "art of it"),
}
ABSENT = {
    "other words": ("I want to go to Rome", "I want to see Rome"),
    "words in another order": ("I want to go to Rome", "go to want"),
    "half a word": ("a heart of gold", "art of gold"),
    "half a word at the end": ("I like golden days", "I like gold"),
    "an ellipsis joins two places": ("I moved last year to Milan", "I moved ... Milan"),
    "empty": ("I moved", ""),
    "only punctuation": ("I moved!", "?!"),
    "chinese, other": ("我想七月去罗马", "我想八月去罗马"),
}
PROOF = {
    "three words": ("I moved to Milan last year", "moved to Milan", True),
    "two words": ("I moved to Milan last year", "to Milan", False),
    "a short sentence": ("Great! I moved. Bye now.", "I moved", True),
    "the whole short message": ("Vegetarian!", "vegetarian", True),
    "one word of many": ("I am vegetarian since 2020", "vegetarian", False),
    "six characters": ("我想七月去罗马看博物馆", "七月去罗马看", True),
    "five characters": ("我想七月去罗马看博物馆", "七月去罗马", False),
    "a short chinese message": ("我吃素", "我吃素", True),
    "a short chinese sentence": ("我吃素。你呢？", "我吃素", True),
    "a long word": ("see " + "x" * 60, "x" * 60, True),
}


@pytest.mark.parametrize(("message", "quote", "stored"), FOUND.values(), ids=FOUND)
def test_quote_is_found_and_stored_as_it_stands(message: str, quote: str, stored: str) -> None:
    """The span points at the original characters."""
    found = quotes.find(quote, message, fold(message))

    assert found is not None
    assert (found.text, message[found.start : found.end]) == (stored, stored)


@pytest.mark.parametrize(("message", "quote"), ABSENT.values(), ids=ABSENT)
def test_quote_that_does_not_stand_there_is_not_found(message: str, quote: str) -> None:
    """Close is not enough."""
    assert quotes.find(quote, message, fold(message)) is None


@pytest.mark.parametrize(("message", "quote", "enough"), PROOF.values(), ids=PROOF)
def test_quote_is_long_enough(message: str, quote: str, *, enough: bool) -> None:
    """Three words, six characters, or a whole shorter sentence."""
    found = quotes.find(quote, message, fold(message))

    assert found is not None
    assert quotes.proves(found, message) is enough


def test_quote_of_scripts_without_spaces_is_cut_to_forty_characters() -> None:
    """A quote is a pointer, not a copy of the message."""
    message = "我" + "很喜欢吃苹果" * 20
    found = quotes.find(message, message, fold(message))

    assert found is not None
    assert (found.start, found.end) == (0, quotes.MAX_CHARS)


def test_quote_of_another_message_is_a_fault() -> None:
    """The first cited message is the one that must hold it."""
    assert problems("I moved to Milan", "Moved to Milan", quote="I live in Rome") == ["quote"]
    assert problems("I moved to Milan", "Moved to Milan", quote="I moved to Milan") == []
