"""The bench on screen and as JSON."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table as Grid

from tests.bench.machine import Machine, is_busy
from tests.bench.result import Table

_WIDTH = 150


def screen() -> Console:
    """Wide enough for a row, whatever it is printed into."""
    found = Console()
    return Console(width=max(_WIDTH, found.width), highlight=False)


def show_machine(console: Console, machine: Machine) -> None:
    """The run's calibration, and a warning when other work runs."""
    console.print(
        f"{machine.cores} cores, {machine.processor}, Python {machine.python}; load {_load(machine.load)};"
        f" {machine.loops:.0f} k small hashes/s, fsync {machine.fsync:.2f} ms"
    )
    if is_busy(machine.load[0], machine.cores):
        console.print("[bold yellow]other work runs on this machine: trust the ratios, not the figures[/]")


def show(console: Console, table: Table) -> None:
    """One table; columns no row has a figure for are left out."""
    if not table.rows:
        console.print(f"[bold]{table.title}[/]: {table.note}", "")
        return
    grid = Grid(title=f"[bold]{table.title}[/]", title_justify="left", caption=table.note, caption_justify="left")
    names = dict.fromkeys(name for row in table.rows for name in row)
    for name in names:
        grid.add_column(name, justify="right" if name else "left", overflow="fold")
    for row in table.rows:
        grid.add_row(*(_cell(name, row.get(name)) for name in names))
    console.print(grid, "")


def _cell(name: str, value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float):
        if name.startswith("of "):
            return f"{value * 100:.0f} %"
        digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
        return f"{value:.{digits}f}"
    return str(value)


def _load(load: tuple[float, float, float]) -> str:
    return " ".join(f"{value:.1f}" for value in load)


def write(file: Path, before: Machine, after: Machine, tables: list[Table], seconds: float) -> None:
    """Everything, for comparing runs."""
    whole = {
        "before": asdict(before),
        "after": asdict(after),
        "seconds": seconds,
        "tables": [asdict(table) for table in tables],
    }
    file.write_bytes(orjson.dumps(whole, option=orjson.OPT_INDENT_2))
