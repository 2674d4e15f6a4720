"""Which messages are shown once, and what a record rests on when some only repeat others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from shared.model.message import Message, Role
from shared.model.repeats import cite, in_a_row

SAID = datetime(2026, 5, 14, 10, 0, tzinfo=UTC)


def messages(*texts: str, role: Role = "user", days: Sequence[int] = ()) -> list[Message]:
    """One message an event, a minute after the one before; `days` later by place."""
    return [
        Message(
            UUID(int=place + 1), UUID(int=100 + place), place, 0, role, text,
            SAID + timedelta(days=days[place] if days else 0, minutes=place),
        )
        for place, text in enumerate(texts)
    ]  # fmt: skip


def places(found: Sequence[Message]) -> list[int]:
    return [message.seq for message in found]


def test_equal_messages_in_a_row_are_shown_once() -> None:
    """Whatever the event; the first of each run stands for it."""
    assert [places(run) for run in in_a_row(messages("a", "a", "b", "a", "a", "a"))] == [[0, 1], [2], [3, 4, 5]]
    assert in_a_row([]) == ()


def test_another_day_speaker_or_role_is_no_repeat() -> None:
    """Tomorrow of two days is two days, and two people have two homes."""
    assert len(in_a_row(messages("a", "a", days=(0, 1)))) == 2
    assert len(in_a_row([*messages("a"), *messages("a", role="assistant")])) == 2


CITED: dict[str, tuple[str, tuple[int, ...], list[int], list[int], int]] = {
    # texts, src -> messages behind it, those that state something, the final one
    "one message": ("a", (0,), [0], [0], 0),
    "final first": ("ab", (1, 0), [1, 0], [0, 1], 1),
    "an equal one cited": ("axa", (0, 2), [0, 2], [0], 0),
    "an equal one cited first": ("axa", (2, 0), [2, 0], [0], 0),
    "an equal one not cited": ("axa", (0,), [0, 2], [0], 0),
    "restored": ("aba", (2, 1, 0), [2, 1, 0], [0, 1, 2], 2),
    "restored and said again": ("abaxa", (2, 1, 0), [2, 1, 0, 4], [0, 1, 2], 2),
    "changed once, said twice": ("abxb", (3, 1, 0), [3, 1, 0], [0, 1], 1),
    "an earlier equal one is left alone": ("aba", (2,), [2], [2], 2),
    "given twice": ("ab", (1, 1, 0), [1, 0], [0, 1], 1),
}


@pytest.mark.parametrize(("texts", "src", "behind", "stating", "final"), CITED.values(), ids=CITED)
def test_what_a_record_rests_on(
    texts: str, src: tuple[int, ...], behind: list[int], stating: list[int], final: int
) -> None:
    """All are sources; those that repeat the cited one before state nothing; the final state was said first by one."""
    shown = messages(*texts)
    found = cite(shown, tuple((message,) for message in shown), src)

    assert (places(found.messages), places(found.stating), found.final.seq) == (behind, stating, final)


def test_a_repeat_that_another_record_cites_is_left_to_it() -> None:
    """It states something else there."""
    shown = messages("a", "b", "a")
    found = cite(shown, tuple((message,) for message in shown), (0,), claimed={0, 1, 2})

    assert places(found.messages) == [0]


def test_an_uncited_repeat_of_another_day_is_left_alone() -> None:
    """It may speak of that day."""
    shown = messages("a", "b", "a", days=(0, 0, 1))

    assert places(cite(shown, tuple((message,) for message in shown), (0,)).messages) == [0]


def test_a_shown_message_brings_all_it_stands_for() -> None:
    """Identical messages count as sources for all."""
    groups = in_a_row(messages("a", "a", "b"))

    assert places(cite([group[0] for group in groups], groups, (1, 0)).messages) == [2, 0, 1]
