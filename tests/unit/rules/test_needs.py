"""Requests and standing wishes: what they become, and what is only a question or an idiom."""

from __future__ import annotations

import pytest

from tests.unit.rules.conversation import window
from workers.rules.extractor import extract
from workers.rules.needs import wish

NEEDS = [
    ("give me tips for museums", "Looking for tips for museums"),
    ("Could you please recommend a good gym near me?", "Looking for a good gym nearby"),
    ("Can you suggest some books about Rome?", "Looking for books about Rome"),
    ("Any tips for my trip to Peru?", "Looking for tips for their trip to Peru"),
    ("Where can I find a good dentist in Bonn?", "Looking for a good dentist in Bonn"),
    ("I'm looking for a flat in Berlin", "Looking for a flat in Berlin"),
    ("help me plan my wedding", "Looking for help: plan their wedding"),
    ("Book me a flight to Rome", "Looking to book a flight to Rome"),
    ("Tell me about the Louvre", "Looking for information about the Louvre"),
    ("Tell me how to bake bread", "Wants to know how to bake bread"),
    ("I would like you to recommend a doctor", "Looking for a doctor"),
    ("Write me a poem about cats", "Asked to write a poem about cats"),
]


@pytest.mark.parametrize(("said", "told"), NEEDS, ids=[case[0] for case in NEEDS])
def test_needs(said: str, told: str) -> None:
    """A request says what the person is after."""
    wanted = wish(said)
    assert wanted is not None
    assert (wanted.text, wanted.kind) == (told, "need")


INSTRUCTIONS = [
    ("Always answer in German", "Asks to always answer in German"),
    ("Never call me before 9am", "Asks to never call them before 9am"),
    ("Please don't use emojis in your answers", "Asks not to use emojis in your answers"),
    ("Call me Max", "Wants to be called Max"),
    ("From now on, keep it short", "Asks: from now on, keep it short"),
    ("Answer in French", "Asks to answer in French"),
]


@pytest.mark.parametrize(("said", "told"), INSTRUCTIONS, ids=[case[0] for case in INSTRUCTIONS])
def test_instructions(said: str, told: str) -> None:
    """A lasting wish about how to be served."""
    wanted = wish(said)
    assert wanted is not None
    assert (wanted.text, wanted.kind) == (told, "instruction")


@pytest.mark.parametrize(
    "said",
    [
        "Tell me more",
        "Never mind",
        "Don't worry about it",
        "Show me that",
        "Can you share it with me?",
        "Can you repeat it?",
        "What is the capital of France?",
        "Give me a minute",
        "I love you",
        "How are you?",
        "find out",
    ],
)
def test_idioms_and_questions_are_no_wishes(said: str) -> None:
    """Nothing is wanted that could be named."""
    assert wish(said) is None


def test_under_a_name() -> None:
    """A configured subject is the one who wants."""
    records = extract(
        window("I want to go to Rome. give me tips for museums. Always answer in German.", subject="Ana"), ()
    ).records
    assert [record.text for record in records] == [
        "Ana wants to go to Rome",
        "Ana is looking for tips for museums",
        "Ana asks to always answer in German",
    ]
