"""How long a caller wants to wait: `Prefer: respond-async, wait=N` (RFC 7240), `?wait=N`, `async_mode`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait; `asynchronous`: the caller asked not to wait; `applied`: what `Preference-Applied` says."""

    seconds: float
    asynchronous: bool = False
    applied: str | None = None


def parse_prefer(values: Iterable[str]) -> dict[str, str]:
    """Preferences by lower-case name, the first of each counts; parameters after `;` are dropped."""
    found: dict[str, str] = {}
    for value in values:
        for part in value.split(","):
            name, _, given = part.split(";", 1)[0].partition("=")
            if name.strip():
                found.setdefault(name.strip().lower(), given.strip().strip('"'))
    return found


def patience(prefer: Iterable[str], *, budget: float, cap: float, async_mode: bool | None = None) -> Patience:
    """`Prefer` wins over `async_mode`, which wins over the default `budget`; a `wait` that is no number is ignored."""
    asked = parse_prefer(prefer)
    wait = _seconds(asked.get("wait"))
    if wait is not None:
        seconds = min(wait, int(cap))
        return Patience(seconds, asynchronous=seconds == 0, applied=f"wait={seconds}")
    if "respond-async" in asked:
        return Patience(0, asynchronous=True, applied="respond-async")
    if async_mode:
        return Patience(0, asynchronous=True)
    return Patience(budget, asynchronous=budget == 0)


def _seconds(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else None
