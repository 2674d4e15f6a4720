"""How long and how much: the default run, and a quick one that shows that all of it works."""

from __future__ import annotations

from dataclasses import dataclass

PARTS = ("start", "adds", "reads", "drain", "enqueue")


@dataclass(frozen=True, slots=True)
class Point:
    """Waiting adds at so many callers, each add to a new user or each caller to a user of its own with memories."""

    callers: int
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Seconds are of measuring; warming up comes on top."""

    parts: tuple[str, ...] = PARTS
    points: tuple[Point, ...] = (Point(1), Point(16), Point(64), Point(16, filled=True))
    seconds: float = 10.0
    warm: float = 3.0
    memories: int = 200
    drain_users: int = 8
    drain_each: int = 50
    enqueue_callers: int = 16

    def for_point(self, point: Point) -> float:
        """One caller makes few adds a second: it gets longer."""
        return self.seconds * (1.5 if point.callers == 1 else 1.0)


QUICK = Plan(
    points=(Point(1), Point(16), Point(16, filled=True)),
    seconds=3.0,
    warm=1.0,
    memories=80,
    drain_each=12,
)
