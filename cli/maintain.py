"""`flumes verify`, `rebuild`, `reindex`: the vector index against Postgres, with progress; reads go on meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from cli.connect import services
from shared.settings import Settings
from workers import maintenance

_SHOWN = 5  # ids named of each kind of fault


def verify(settings: Settings, *, repair: bool) -> bool:
    """Compare and say what differs; True when nothing (any more) does."""
    console = Console(highlight=False, soft_wrap=True)
    with services(settings, index=True) as told, _progress(console) as progress:
        report = maintenance.verify(told, repair=repair, progress=progress)
    _say(console, report)
    return report.clean


def rebuild(settings: Settings) -> bool:
    """Build the index anew from Postgres; True when it then agrees."""
    console = Console(highlight=False, soft_wrap=True)
    with services(settings, index=True) as told, _progress(console) as progress:
        report = maintenance.rebuild(told, progress=progress)
    _say(console, report)
    return report.clean


def reindex(settings: Settings) -> bool:
    """Fill a collection for the configured embedding model; True when it serves and agrees with Postgres."""
    console = Console(highlight=False, soft_wrap=True)
    with services(settings, index=True) as told, _progress(console) as progress:
        report = maintenance.change_model(told, progress=progress)
    _say(console, report)
    return report.clean


@contextmanager
def _progress(console: Console) -> Iterator[maintenance.Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("connecting", total=None)
        yield lambda step, done, total: bar.update(task, description=step, completed=done, total=max(done, total))


def _say(console: Console, report: maintenance.Report) -> None:
    counts = f"{report.memories} memories, {report.points} points in {report.collection}, {report.waiting} on their way"
    console.print(Text(counts))
    for kind, ids in (("missing", report.missing), ("extra", report.extra), ("stale", report.stale)):
        if ids:
            console.print(Text(f"{kind}: {len(ids)} ({_some(ids)})", style="red"))
    if report.clean:
        console.print(Text("the index agrees with Postgres", style="green"))
    else:
        console.print(Text("`flumes verify --repair` mends this, `flumes rebuild` builds the index anew"))


def _some(ids: tuple[UUID, ...]) -> str:
    return ", ".join(str(memory_id) for memory_id in ids[:_SHOWN]) + (", …" if len(ids) > _SHOWN else "")
