"""Made-up names: one for each add, so that every request the chat server logs can be traced to the add it served."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
_LENGTH = 5
_NAME = re.compile(rf"\b[BDFGKLMNPRSTVZ][aeiou](?:[bdfgklmnprstvz][aeiou]){{{_LENGTH - 1}}}\b")
_SPREAD = 1_000_003  # coprime to the number of names: neighbours look nothing alike


def name(number: int) -> str:
    """A different word for each number below 1.6 billion."""
    left = number * _SPREAD % len(_SYLLABLES) ** _LENGTH
    parts = []
    for _ in range(_LENGTH):
        left, digit = divmod(left, len(_SYLLABLES))
        parts.append(_SYLLABLES[digit])
    return "".join(parts).capitalize()


def names_in(texts: Sequence[str]) -> set[str]:
    """All made-up names in these texts."""
    return {found for text in texts for found in _NAME.findall(text)}


def turn(word: str) -> str:
    """What a user says in one add: two facts."""
    return f"I have a dog called {word}. {word} sleeps in the kitchen of our flat in Rome."


def exchange(word: str) -> list[dict[str, str]]:
    """Two messages: a user's and the assistant's answer."""
    return [
        {"role": "user", "content": f"I have a dog called {word}."},
        {"role": "assistant", "content": f"That sounds lovely! What does {word} like to eat?"},
    ]


def shelf(words: Sequence[str]) -> str:
    """As many facts as words, in one message."""
    return " ".join(f"I keep the novel {word} on the shelf in my room." for word in words)
