"""Sentences keep their place in the message, whatever the language; queries ask about what was said."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.model.sentences import phatic, queries, sentences
from tests.unit.rules.conversation import said

CASES = [
    ("two", "I live in Rome. I like it.", ["I live in Rome.", "I like it."]),
    ("lower case goes on", "I want to go in July. give me tips", ["I want to go in July.", "give me tips"]),
    ("title", "Dr. Smith called. He was late.", ["Dr. Smith called.", "He was late."]),
    ("initials", "J. K. Rowling wrote it. I read it.", ["J. K. Rowling wrote it.", "I read it."]),
    ("time of day", "We met at 5 p.m. in Bonn.", ["We met at 5 p.m. in Bonn."]),
    ("decimal", "It costs 3.50 euros. Cheap!", ["It costs 3.50 euros.", "Cheap!"]),
    ("pause", "I was... well, tired.", ["I was... well, tired."]),
    ("quotes", 'He said "Stop!" I did.', ['He said "Stop!"', "I did."]),
    ("question and answer", "Really?! Yes.", ["Really?!", "Yes."]),
    ("line breaks", "first line\nsecond line\n\nthird", ["first line", "second line", "third"]),
    ("bullets", "- milk\n* eggs\n1. flour\n2) salt", ["milk", "eggs", "flour", "salt"]),
    ("Chinese", "我住在北京。我喜欢猫！你呢？", ["我住在北京。", "我喜欢猫！", "你呢？"]),
    ("Arabic", "أنا أعيش هنا. هل تحب القهوة؟ نعم", ["أنا أعيش هنا.", "هل تحب القهوة؟", "نعم"]),
    ("Hindi", "मैं दिल्ली में रहता हूँ। मुझे चाय पसंद है।", ["मैं दिल्ली में रहता हूँ।", "मुझे चाय पसंद है।"]),
    ("emoji ends", "I love it 😊 My cat too", ["I love it 😊", "My cat too"]),
    ("nothing", "", []),
    ("only punctuation", "... !!! — 😀", []),
]


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_splits(text: str, expected: list[str]) -> None:
    """One case per rule of splitting."""
    assert [sentence.text for sentence in sentences(text)] == expected


@given(st.text(max_size=300))
def test_every_sentence_stands_in_the_text_in_order(text: str) -> None:
    """Spans are exact, ordered, and do not overlap."""
    end = 0
    for sentence in sentences(text):
        assert text[sentence.start : sentence.end] == sentence.text
        assert sentence.start >= end
        end = sentence.end


@given(
    st.lists(st.sampled_from(["Rome", "is", "Dr.", "5", "p.m.", "far", "!", "?", ".", "\n", "我。", "a"]), max_size=60)
)
def test_no_word_is_lost(words: list[str]) -> None:
    """Letters of the text are letters of its sentences."""
    text = " ".join(words)
    kept = "".join(sentence.text for sentence in sentences(text))
    assert [char for char in kept if char.isalpha()] == [char for char in text if char.isalpha()]


@pytest.mark.parametrize(
    "text", ["a" * 100_000, "a. " * 33_000, "\n" * 100_000, "1. " * 33_000, "- " * 50_000, "!" * 100_000]
)
def test_long_texts_take_linear_time(text: str) -> None:
    """No shape of text makes the splitter slow."""
    start = time.perf_counter()
    sentences(text)
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    "text", ["Hi!", "Thank you so much", "ok, thanks", "好的", "Danke!", "👍", "...", "Guten Morgen"]
)
def test_courtesy_is_phatic(text: str) -> None:
    """Greetings, thanks and assent say nothing."""
    assert phatic(text)


@pytest.mark.parametrize("text", ["I live in Rome", "Vegetarian", "我住在北京", "Ich wohne in Bonn", "42"])
def test_statements_are_not_phatic(text: str) -> None:
    """Anything with a word that is not courtesy says something."""
    assert not phatic(text)


def test_queries_are_what_people_said_once() -> None:
    """Courtesy, repeats, system and tool texts ask nothing; questions do."""
    asked = queries(
        [
            said("Hi! I live in Rome. Do you know Acme?"),
            said("i live in rome", role="assistant"),
            said("You are a bot.", role="system"),
            said("{}", role="tool"),
        ]
    )
    assert asked == ["I live in Rome.", "Do you know Acme?"]


def test_queries_keep_the_newest() -> None:
    """A long window asks about its end."""
    asked = queries([said(f"I like number {number}.") for number in range(100)], limit=5)
    assert asked == [f"I like number {number}." for number in range(95, 100)]
