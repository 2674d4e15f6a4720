"""How load is offered: callers that each wait for their answer, or requests at a fixed rate."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

Turn = Callable[[int, int], None]  # (caller, how many this caller did before); raises Missed


class Missed(Exception):
    """An answer that does not count, by a short name."""


@dataclass(slots=True)
class Sample:
    """What came of it: `per_second` adds up each caller's own rate, so a slow last answer does not bend it."""

    count: int = 0
    per_second: float = 0.0
    seconds: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def closed(callers: int, seconds: float, turn: Turn) -> Sample:
    """Each caller goes on as soon as it has its answer, and begins no turn after `seconds`."""
    sample, errors, lock = Sample(), Counter[str](), threading.Lock()
    gate = threading.Barrier(callers + 1)

    def call(caller: int) -> None:
        own: list[float] = []
        missed: list[str] = []
        gate.wait()
        began = last = time.perf_counter()
        while last - began < seconds:
            try:
                turn(caller, len(own) + len(missed))
                own.append((time.perf_counter() - last) * 1000)
            except Missed as reason:
                missed.append(str(reason))
            last = time.perf_counter()
        with lock:
            sample.milliseconds += own
            sample.per_second += len(own) / (last - began)
            errors.update(missed)

    _together(callers, call, gate, sample)
    sample.errors, sample.count = dict(errors), len(sample.milliseconds)
    return sample


def steady(per_second: float, seconds: float, callers: int, turn: Turn) -> Sample:
    """Requests at a fixed rate; time is counted from the moment a request was due, so waiting in line shows."""
    sample, errors, lock = Sample(), Counter[str](), threading.Lock()
    gate = threading.Barrier(callers + 1)

    def call(caller: int) -> None:
        own: list[float] = []
        missed: list[str] = []
        gate.wait()
        began = time.perf_counter()
        for step, due in enumerate(_times(caller, callers, per_second, seconds)):
            time.sleep(max(0.0, began + due - time.perf_counter()))
            try:
                turn(caller, step)
                own.append((time.perf_counter() - began - due) * 1000)
            except Missed as reason:
                missed.append(str(reason))
        with lock:
            sample.milliseconds += own
            errors.update(missed)

    _together(callers, call, gate, sample)
    sample.errors, sample.count = dict(errors), len(sample.milliseconds)
    sample.per_second = sample.count / max(sample.seconds, 1e-9)
    return sample


def _times(caller: int, callers: int, per_second: float, seconds: float) -> list[float]:
    return [number / per_second for number in range(caller, int(per_second * seconds), callers)]


def _together(callers: int, call: Callable[[int], None], gate: threading.Barrier, sample: Sample) -> None:
    threads = [threading.Thread(target=call, args=(number,), daemon=True) for number in range(callers)]
    for thread in threads:
        thread.start()
    gate.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    sample.seconds = time.perf_counter() - began
