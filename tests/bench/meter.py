"""CPU seconds per process group from the kernel's counters, and how much of the machine others used meanwhile."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Reading:
    """CPU seconds so far: of each group, of the measuring process itself, used and offered by the whole machine."""

    groups: Mapping[str, float]
    own: float
    machine: float
    available: float


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds between two readings; `others` is what this machine did beside the bench, in cores."""

    groups: Mapping[str, float]
    others: float

    def per(self, count: int) -> dict[str, float]:
        """Milliseconds of each group for one of `count`."""
        return {name: seconds * 1000 / max(1, count) for name, seconds in self.groups.items()}


def read(groups: Mapping[str, list[int]]) -> Reading:
    """One reading; a group is a list of pids, each with its children, those already gone included."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    spent = {name: sum(_tree(pid) for pid in pids) for name, pids in groups.items()}
    return Reading(spent, _own(psutil.Process(os.getpid())), total - idle, total)


def between(before: Reading, after: Reading) -> Spent:
    """What was spent between two readings of the same groups."""
    groups = {name: seconds - before.groups.get(name, 0.0) for name, seconds in after.groups.items()}
    wall = (after.available - before.available) / (psutil.cpu_count() or 1)
    ours = sum(groups.values()) + after.own - before.own
    others = (after.machine - before.machine - ours) / wall if wall > 0 else 0.0
    return Spent(groups, max(0.0, others))


def _tree(pid: int) -> float:
    root = psutil.Process(pid)
    total = _own(root) + _reaped(root)
    for child in root.children(recursive=True):
        try:
            total += _own(child)
        except psutil.NoSuchProcess:
            continue  # it ended this moment; its parent counts it from now on
    return total


def _own(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _reaped(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.children_user + times.children_system)


def resident(pid: int) -> float:
    """Megabytes of memory that are in RAM."""
    return float(psutil.Process(pid).memory_info().rss) / 1e6
