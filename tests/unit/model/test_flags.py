"""Which memories are flagged as instructions."""

from __future__ import annotations

import pytest

from shared.model.flags import flags_of


@pytest.mark.parametrize(
    "text",
    [
        "Never call me before 9am",
        "please always answer in German",
        "Don’t use emojis",
        "From now on, keep it short",
        "Wants the assistant to answer in verse",
        "Immer auf Deutsch antworten",
        "Siempre responde en español",
        "Ne réponds jamais en anglais",
        "不要给我打电话",
    ],
)
def test_what_tells_a_machine_what_to_do_is_flagged(text: str) -> None:
    """Whatever its kind and language."""
    assert flags_of("preference", text) == ["instruction"]


@pytest.mark.parametrize(
    "text", ["Lives in Rome", "Always wanted a dog"[7:], "Noes is a surname", "Maria never eats meat", "住在罗马"]
)
def test_statements_are_not_flagged(text: str) -> None:
    """A word inside a statement is no order."""
    assert flags_of("profile", text) == []


def test_the_kind_alone_flags() -> None:
    """What the extractor called an instruction is one."""
    assert flags_of("instruction", "Prefers short answers") == ["instruction"]
