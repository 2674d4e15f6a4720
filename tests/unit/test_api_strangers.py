"""Callers who keep trying unknown keys: counted by address and by key, with a clock the test moves."""

from __future__ import annotations

import pytest

from api.strangers import Strangers
from shared.settings import Settings


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_one_too_many_waits_for_its_turn() -> None:
    """Three a minute: the fourth is told twenty seconds, and is welcome again after them."""
    clock = Clock()
    strangers = Strangers(3, clock=clock)

    assert [strangers.knocked("a", None) for _ in range(3)] == [0, 0, 0]
    assert strangers.is_past("a")
    assert strangers.knocked("a", None) == pytest.approx(20)
    clock.now += 5
    assert strangers.knocked("a", None) == pytest.approx(15)
    clock.now += 15
    assert not strangers.is_past("a")
    assert strangers.knocked("a", None) == 0
    assert strangers.knocked("b", None) == 0


def test_a_key_is_guarded_against_many_addresses() -> None:
    """Secrets tried for one public id count together, wherever they come from."""
    strangers = Strangers(3, clock=Clock())

    waits = [strangers.knocked(f"10.0.0.{number}", "abcdefghijkl") for number in range(4)]

    assert waits[:3] == [0, 0, 0]
    assert waits[3] > 0
    assert strangers.knocked("10.0.0.9", "another00000") == 0


def test_no_limit_counts_nothing() -> None:
    """0 switches it off."""
    strangers = Strangers(0, clock=Clock())

    assert [strangers.knocked("a", "b") for _ in range(1_000)] == [0] * 1_000
    assert not strangers.is_past("a")


def test_memory_is_bounded() -> None:
    """A flood from ever new addresses forgets the oldest ones."""
    strangers = Strangers(1, clock=Clock())
    for number in range(50_000):
        strangers.knocked(str(number), None)

    assert strangers.is_past("49999")
    assert not strangers.is_past("0")


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "address"),
    [
        ("", "10.0.0.1", "1.2.3.4", "10.0.0.1"),
        ("10.0.0.0/8", "10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.0/8", "10.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("10.0.0.0/8", "10.0.0.1", "6.6.6.6, 1.2.3.4, 10.9.9.9", "1.2.3.4"),
        ("10.0.0.0/8", "9.9.9.9", "1.2.3.4", "9.9.9.9"),
        ("10.0.0.0/8, 127.0.0.1", "127.0.0.1", "", "127.0.0.1"),
        ("10.0.0.0/8", "10.0.0.1", "nonsense", "10.0.0.1"),
        ("", "2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        ("10.0.0.0/8", "::ffff:10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("", None, "1.2.3.4", "local"),
    ],
)
def test_only_trusted_proxies_are_believed(trusted: str, peer: str | None, forwarded: str, address: str) -> None:
    """From the right, up to the first hop that nobody vouches for."""
    headers = {"x-forwarded-for": forwarded} if forwarded else {}

    assert Strangers(3, trusted).address(peer, headers) == address


def test_a_proxy_that_is_none_refuses_the_start() -> None:
    """By the setting's name."""
    with pytest.raises(ValueError, match=r"FLUMES_TRUSTED_PROXIES: proxy\.example"):
        Settings(trusted_proxies="10.0.0.1, proxy.example")
