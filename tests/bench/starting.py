"""How long things take to start and how much memory they hold while idle."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from tests.bench import meter
from tests.bench.plan import Plan
from tests.bench.result import Table
from tests.bench.stage import Stage

_TIMES = 3
_ROOT = Path(__file__).resolve().parents[2]


def measure(stage: Stage, _plan: Plan) -> list[Table]:
    """Taken before anything else has run."""
    groups = stage.groups()
    row = {
        "api ready s": stage.ready_after["api"],
        "worker ready s": stage.ready_after["worker"],
        "flumes --help s": _help(),
        "api MB": meter.resident(groups["api"][0]),
        "worker MB": max(meter.resident(pid) for pid in groups["workers"]),
        "engine MB": meter.resident(groups["engine"][0]),
        "valkey MB": meter.resident(groups["valkey"][0]),
    }
    return [Table("start and size", f"resident memory before any load; `flumes --help`: median of {_TIMES}.", [row])]


def _help() -> float:
    taken = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "cli", "--help"], cwd=_ROOT, check=True, stdout=subprocess.DEVNULL)
        taken.append(time.perf_counter() - began)
    return median(taken)
