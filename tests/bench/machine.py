"""What a figure is worth depends on the machine and on what else ran: a few calibrating figures of this run."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True, slots=True)
class Machine:
    """`loops`: thousands of small hashes a second in one thread; `fsync`: median milliseconds of a small write."""

    cores: int
    processor: str
    python: str
    load: tuple[float, float, float]
    loops: float
    fsync: float


def look(folder: Path) -> Machine:
    """Takes about half a second."""
    return Machine(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        _processor(), platform.python_version(), os.getloadavg(), _loops(), _fsync(folder),
    )  # fmt: skip


def is_busy(load: float, cores: int) -> bool:
    """Before the bench starts, an idle machine has next to no load."""
    return load > 0.25 * cores


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or sys.platform


def _loops() -> float:
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < 0.3:
        for _ in range(1000):
            hashlib.sha256(b"flumes").digest()
        done += 1
    return done / (time.perf_counter() - began)


def _fsync(folder: Path) -> float:
    path, taken = folder / "fsync-probe", []
    with path.open("wb", buffering=0) as file:
        for _ in range(20):
            began = time.perf_counter()
            file.write(b"x" * 512)
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - began) * 1000)
    path.unlink()
    return median(taken)
