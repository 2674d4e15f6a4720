"""How pending messages become windows, and how a window's cost is shared."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.model.ids import uuid7
from shared.model.message import Message, Rules, Window, tokens
from shared.model.windows import Limits, Waiting, cut, events_of, share_out, span, window_key
from tests.unit.model.plan_samples import NOON

KEY, OTHER = b"k" * 16, b"o" * 16


def _waiting(event: UUID, text: str = "hello", key: bytes = KEY, *, alone: bool = False) -> Waiting:
    return Waiting(Message(uuid7(), event, 1, 0, "user", text, NOON), key, alone)


def test_nothing_waits_nothing_is_cut() -> None:
    """No message, no window."""
    assert cut([], Limits(16, 1500)) == ()


def test_a_window_is_the_longest_prefix_within_both_limits() -> None:
    """Messages first, then tokens; order is kept."""
    events = [uuid7() for _ in range(5)]
    rows = [_waiting(event, "x" * 40) for event in events]  # ten tokens each

    assert cut(rows, Limits(3, 1000)) == tuple(rows[:3])
    assert cut(rows, Limits(16, 25)) == tuple(rows[:2])
    assert cut(rows, Limits(16, 30)) == tuple(rows[:3])
    assert cut(rows, Limits(16, 1000)) == tuple(rows)


def test_a_message_over_the_limit_has_a_window_of_its_own() -> None:
    """At least one message is worked on, however long."""
    rows = [_waiting(uuid7(), "x" * 10_000), _waiting(uuid7())]

    assert cut(rows, Limits(16, 1500)) == (rows[0],)


def test_a_small_message_behind_a_large_one_waits_for_its_turn() -> None:
    """Nothing overtakes: the cut is a prefix."""
    rows = [_waiting(uuid7(), "x" * 40), _waiting(uuid7(), "x" * 400), _waiting(uuid7())]

    assert cut(rows, Limits(16, 50)) == (rows[0],)


def test_only_equal_prompts_share_a_window() -> None:
    """Another window key ends the window."""
    rows = [_waiting(uuid7()), _waiting(uuid7(), key=OTHER), _waiting(uuid7())]

    assert cut(rows, Limits(16, 1500)) == (rows[0],)


def test_a_suspect_runs_alone_with_all_its_messages() -> None:
    """An event that crashed before shares a window with nobody, first or later in line."""
    suspect, other = uuid7(), uuid7()
    rows = [_waiting(suspect, alone=True), _waiting(suspect, alone=True), _waiting(other)]

    assert cut(rows, Limits(16, 1500)) == tuple(rows[:2])
    assert cut(rows[::-1], Limits(16, 1500)) == (rows[2],)


RULES = Rules("be brief", "food", "money", ("home", "work"))


@pytest.mark.parametrize(
    ("rules", "timezone"),
    [
        (RULES, "Europe/Rome"),
        (Rules("be brief!", "food", "money", ("home", "work")), None),
        (Rules("be brief", "", "food money", ("home", "work")), None),
        (Rules("be brief", "food", "", ("home", "work")), None),
        (Rules("be brief", "food", "money", ("home",)), None),
        (Rules("be brief", "food", "money", ("homework",)), None),
        (Rules("be brief", "food\0money", "", ("home", "work")), None),
        (Rules(), None),
    ],
)
def test_everything_that_reaches_the_prompt_is_in_the_key(rules: Rules, timezone: str | None) -> None:
    """Instructions, includes, excludes, categories and time zone; nothing runs into its neighbour."""
    assert window_key(rules, timezone) != window_key(RULES, None)


def test_window_keys_are_equal_for_equal_prompts() -> None:
    """16 bytes, stable, an absent zone and an empty one are the same."""
    same = Rules("be brief", "food", "money", ("home", "work"))

    assert window_key(same, None) == window_key(RULES, "")
    assert len(window_key(RULES, None)) == 16


@given(total=st.integers(0, 10**12), weights=st.lists(st.integers(0, 1000), min_size=1, max_size=40))
def test_shares_add_up(total: int, weights: list[int]) -> None:
    """Nothing is lost or made, nobody pays less than nothing, and who weighs nothing pays nothing."""
    parts = share_out(total, weights)

    assert sum(parts) == total
    assert all(part >= 0 for part in parts)
    if any(weights):
        assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)


def test_shares_follow_the_weights() -> None:
    """Largest remainders get the rest."""
    assert share_out(10, [1, 1, 1]) == [4, 3, 3]
    assert share_out(7, [2, 1]) == [5, 2]
    assert share_out(3, []) == []
    assert share_out(3, [0, 0]) == [3, 0]


def test_events_are_named_once_in_order() -> None:
    """Several messages of an event count as one event."""
    a, b = uuid7(), uuid7()
    rows = [_waiting(event).message for event in (b, a, b)]

    assert events_of(rows) == [b, a]


def test_halving_ends_at_one_message() -> None:
    """The older half, never empty."""
    window = Window(tuple(_waiting(uuid7()).message for _ in range(5)))

    assert window.first_half().messages == window.messages[:2]
    assert window.of(window.messages[:1]).first_half().messages == window.messages[:1]


def test_tokens_are_quarters_of_characters_rounded_up() -> None:
    """The estimate used for every limit."""
    assert [tokens("x" * size) for size in (0, 1, 4, 5)] == [0, 1, 1, 2]


def _said(minutes: int, *, immutable: bool = False, event: UUID | None = None) -> Waiting:
    message = Message(uuid7(), event or uuid7(), 1, 0, "user", "hello", NOON + timedelta(minutes=minutes))
    return Waiting(message, KEY, immutable=immutable)


def test_a_window_never_goes_back_in_time() -> None:
    """What was said earlier than the message before it starts the next window."""
    rows = [_said(5), _said(5), _said(9), _said(8), _said(20)]

    assert cut(rows, Limits(16, 1500)) == tuple(rows[:3])
    assert cut(rows[3:], Limits(16, 1500)) == tuple(rows[3:])


def test_a_window_never_spans_an_observation() -> None:
    """Its messages are all late for a memory, or none is; one said at the very moment is not late."""
    rows = [_said(5), _said(6), _said(8), _said(9)]

    assert cut(rows, Limits(16, 1500), [NOON + timedelta(minutes=8)]) == tuple(rows[:2])
    assert cut(rows, Limits(16, 1500), [NOON + timedelta(minutes=5), NOON]) == tuple(rows)
    assert cut(rows, Limits(16, 1500), [NOON + timedelta(minutes=30)]) == tuple(rows)
    assert (span(rows), span(rows[:1]), span([])) == (
        (NOON + timedelta(minutes=5), NOON + timedelta(minutes=9)), None, None,
    )  # fmt: skip


def test_an_immutable_event_ends_its_window() -> None:
    """With all of its messages; what follows meets what it stated."""
    fixed = uuid7()
    rows = [_said(1), _said(2, immutable=True, event=fixed), _said(2, immutable=True, event=fixed), _said(3)]

    assert cut(rows, Limits(16, 1500)) == tuple(rows[:3])
