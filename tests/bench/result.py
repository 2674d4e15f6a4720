"""What a part of the bench hands back: rows for the table, which are also the JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` hold plain figures by column; `note` says how to read them."""

    title: str
    note: str
    rows: list[dict[str, Any]] = field(default_factory=list)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` (0..1) of all do not exceed; NaN when there is none."""
    if not values:
        return float("nan")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def ratio(value: float, floor: float) -> float:
    """Value / floor; NaN without a floor."""
    return value / floor if floor else float("nan")
