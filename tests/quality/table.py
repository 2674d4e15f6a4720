"""The one table: what was measured, the figure, what is asked of it, and whether that holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A figure. `asked`: the bound in words; `met`: None where none is set; `binding`: it decides the exit code."""

    part: str
    what: str
    figure: str
    asked: str = ""
    met: bool | None = None
    binding: bool = False


def percent(value: float) -> str:
    """`87.9 %`."""
    return f"{100 * value:.1f} %"


def at_least(part: str, what: str, value: float, bound: float, *, binding: bool = False, aim: bool = False) -> Row:
    """A share with a lower bound; an aim is stated, not asked."""
    word = "aim " if aim else ""
    return Row(part, what, f"{value:.3f}", f"{word}>= {bound:.2f}", value >= bound, binding)


def render(rows: Sequence[Row]) -> str:
    """Aligned columns; a part's name stands in its first row only."""
    cells = [("part", "what", "figure", "asked", "met")]
    before = ""
    for row in rows:
        met = {True: "yes", False: "NO", None: ""}[row.met]
        cells.append((row.part if row.part != before else "", row.what, row.figure, row.asked, met))
        before = row.part
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def failed(rows: Sequence[Row]) -> bool:
    """True when something that binds does not hold."""
    return any(row.binding and row.met is False for row in rows)
