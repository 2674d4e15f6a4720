"""What a person sees of an import: one bar, one line of figures, the faults at the end; or JSON lines for a script."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn
from rich.text import Text

from cli.importing.files import LogFile

_SHOWN_FAULTS = 20


class Screen:
    """For people: bars on a terminal, a line now and then where there is none."""

    def __init__(self, *, quiet: bool) -> None:
        self.console = Console(highlight=False, stderr=quiet)
        columns = (TextColumn("{task.description:<8}"), BarColumn(16), TaskProgressColumn(),
                   TextColumn("{task.fields[figures]}"))  # fmt: skip
        self._bars = Progress(*columns, console=self.console, disable=quiet)
        self._tasks: dict[str, TaskID] = {}
        self._began = (time.monotonic(), 0)
        self._bars.start()

    def say(self, line: str) -> None:
        """A remark between the bars."""
        self.console.print(Text(line, style="yellow"))

    def sent(self, log: LogFile, job: dict[str, Any]) -> None:
        """So much of the file is kept."""
        figures = f"{job['lines']:,} lines, {job['rejected']:,} rejected"
        self._bar(f"send {log.path.name}", "send", max(1, log.size), log.read, figures)

    def working(self, job: dict[str, Any]) -> None:
        """So much of the import is done."""
        now, done = time.monotonic(), int(job["ended"])
        rate = (done - self._began[1]) / max(0.001, now - self._began[0])
        parts = [
            f"{done:,} of {job['groups']:,}", f"{rate:.1f}/s", _left(job.get("eta")),
            f"{job['added']:,} added", f"{job['updated']:,} updated", _spent(job),
            f"{job['failed']:,} failed" if job["failed"] else "",
        ]  # fmt: skip
        self._bar(job["id"], "work", max(1, job["groups"]), done, " · ".join(part for part in parts if part))

    def start_working(self, job: dict[str, Any]) -> None:
        """From here the rate counts."""
        self._began = (time.monotonic(), int(job["ended"]))

    def close(self) -> None:
        """Leave the bars as they are."""
        self._bars.stop()

    def result(self, job: dict[str, Any], faults: list[dict[str, Any]]) -> None:
        """The end of an import in a few lines."""
        self.console.print(Text(f"\n{job['name']}  {job['state']}" + (f": {job['reason']}" if job["reason"] else "")))
        self.console.print(
            f"  {job['lines']:,} lines, {job['rejected']:,} rejected · {job['messages']:,} messages in "
            f"{job['groups']:,} groups, {job['failed']:,} failed\n  memories: {job['added']:,} added, "
            f"{job['updated']:,} updated, {job['deleted']:,} deleted"
            + (f"\n  spent: {_spent(job)}" if job["calls"] else "")
        )
        self.faults(faults)

    def faults(self, faults: list[dict[str, Any]]) -> None:
        """The first ones by line, the rest by reason."""
        for fault in faults[:_SHOWN_FAULTS]:
            self.console.print(Text(f"  line {fault['line']}: {fault['reason']}", style="red"))
        rest = Counter(str(fault["reason"])[:80] for fault in faults[_SHOWN_FAULTS:])
        for reason, count in rest.most_common(10):
            self.console.print(Text(f"  {count:,} more: {reason}", style="red"))

    def _bar(self, name: str, words: str, total: int, done: int, figures: str) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(words, total=total, figures="")
        self._bars.update(self._tasks[name], completed=min(done, total), total=total, figures=figures)


def write_json(job: dict[str, Any]) -> None:
    """One line for a script."""
    sys.stdout.write(json.dumps(job) + "\n")
    sys.stdout.flush()


def _left(eta: float | None) -> str:
    if eta is None:
        return ""
    minutes, seconds = divmod(int(eta), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02} left"


def _spent(job: dict[str, Any]) -> str:
    if not job["calls"]:
        return ""
    tokens = job["input_tokens"] + job["output_tokens"]
    cost = f", about {job['cost']:.2f} USD" if job.get("cost") else ""
    return f"{job['calls']:,} calls, {tokens:,} tokens{cost}"
