"""Limits of a statement depend on its script; its script is that of its messages."""

from __future__ import annotations

import pytest

from tests.unit.checks.samples import problems
from workers.checks.lengths import wrong_length
from workers.checks.script import is_spaced, main_script

LENGTHS = {
    "one word": ("Vegetarian", False),
    "two words": ("Is vegetarian", True),
    "a word and a dash": ("Vegetarian -", False),
    "sixty words": ("word " * 60, True),
    "sixty-one words": ("word " * 61, False),
    "one endless word": ("a " + "x" * 1_000, False),
    "empty": ("", False),
    "german": ("Wohnt in Köln", True),
    "korean": ("서울에 산다", True),
    "arabic": ("يعيش في القاهرة", True),
    "three chinese characters": ("吃素者", False),
    "four chinese characters": ("住在上海", True),
    "240 chinese characters": ("我" * 240, True),
    "241 chinese characters": ("我" * 241, False),
    "japanese": ("東京に住んでいる", True),
    "thai": ("อาศัยอยู่ในกรุงเทพ", True),
    "chinese with a latin name": ("在Globex担任工程师", True),
    "english with a chinese name": ("Visited 北京 with Anna", True),
}
SPACED = {
    "english": ("Lives in Rome", True, "latin"),
    "chinese": ("住在罗马", False, "chinese or japanese"),
    "russian": ("Живёт в Риме", True, "cyrillic"),
    "korean": ("로마에 산다", True, "hangul"),
    "thai": ("อยู่ในกรุงเทพ", False, "thai"),
    "numbers only": ("12345 678", True, None),
}
FOREIGN = {
    "english of chinese": ("我住在上海，是一名老师", "Lives in Shanghai and teaches", ["language"]),
    "chinese of english": ("I live in Shanghai", "住在上海的人", ["language"]),
    "chinese of chinese": ("我住在上海，是一名老师", "住在上海，是老师", []),
    "chinese with a latin name": ("我叫 John Smith，我是老师", "John Smith 是老师", []),
    "a latin name in chinese": ("我在 Globex 工作", "在Globex工作", []),
    "german of english passes: one script": ("I live in Berlin", "Wohnt in Berlin", []),
    "emoji": ("🎉🎉🎉 I passed the exam", "Passed the exam", []),
}


@pytest.mark.parametrize(("text", "good"), LENGTHS.values(), ids=LENGTHS)
def test_length_of_a_statement(text: str, *, good: bool) -> None:
    """2 to 60 words, or 4 to 240 characters where words have no spaces."""
    assert (wrong_length(text.strip()) is None) is good


@pytest.mark.parametrize(("text", "spaced", "script"), SPACED.values(), ids=SPACED)
def test_script_of_a_text(text: str, *, spaced: bool, script: str | None) -> None:
    """Which script leads, and whether it sets words apart."""
    assert (is_spaced(text), main_script(text)) == (spaced, script)


@pytest.mark.parametrize(("message", "text", "expected"), FOREIGN.values(), ids=FOREIGN)
def test_statement_keeps_the_script_of_its_message(message: str, text: str, expected: list[str]) -> None:
    """A translation into another script is sent back; names in another script are fine."""
    assert [reason for reason in problems(message, text) if reason == "language"] == expected
