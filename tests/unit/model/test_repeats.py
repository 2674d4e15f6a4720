"""Which messages are shown once and count for others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from shared.model.message import Message, Role
from shared.model.repeats import stands_for

SAID = datetime(2026, 5, 14, 10, 0, tzinfo=UTC)


def window(*lines: tuple[int, str] | tuple[int, str, Role], days: tuple[int, ...] = ()) -> list[Message]:
    """Messages as (event, text[, role]); `days` later than the first day, by place."""
    return [
        Message(
            UUID(int=place),
            UUID(int=line[0]),
            line[0],
            0,
            line[2] if len(line) > 2 else "user",
            line[1],
            SAID + timedelta(days=days[place] if days else 0, minutes=place),
        )
        for place, line in enumerate(lines)
    ]


def test_the_same_add_posted_again_is_shown_once() -> None:
    """One message a call, or a whole turn a call."""
    assert stands_for(window((1, "I like tea"), (2, "I like tea"), (3, "I like tea"))) == {0: (0, 1, 2)}
    turns = window((1, "Tea?", "assistant"), (1, "Yes"), (2, "Tea?", "assistant"), (2, "Yes"))
    assert stands_for(turns) == {0: (0, 2), 1: (1, 3)}


def test_words_that_restore_an_earlier_state_are_shown() -> None:
    """Rome, Milan, Rome: the last one counts."""
    moves = window(*[(event, text) for event, text in enumerate(["I live in Rome", "I live in Milan"] * 2)])
    assert len(stands_for(moves)) == 4
    pairs = [(event, text) for event in range(3) for text in (("I live in Milan", "I live in Rome")[event % 2], "So")]
    assert len(stands_for(window(*pairs))) == 6


def test_the_same_words_to_another_question_are_shown() -> None:
    """A second "yes" elsewhere, within an event or in its own, is another statement."""
    own = window((1, "Tea?", "assistant"), (2, "Yes"), (3, "Rome?", "assistant"), (4, "Yes"))
    assert stands_for(own) == {index: (index,) for index in range(4)}
    one = window((1, "Tea?", "assistant"), (1, "Yes"), (1, "Rome?", "assistant"), (1, "Yes"))
    assert stands_for(one) == {index: (index,) for index in range(4)}


def test_the_same_words_on_another_day_or_in_another_role_are_shown() -> None:
    """Said a day later, "yesterday" is another day."""
    assert len(stands_for(window((1, "I ran yesterday"), (2, "I ran yesterday"), days=(0, 1)))) == 2
    assert len(stands_for(window((1, "I like tea"), (2, "I like tea", "assistant")))) == 2
