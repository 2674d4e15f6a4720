"""The checker of the kill runs finds what it is there for: each fault is planted once in what a service serves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.chaos.checker import Checker, Verdict
from tests.chaos.ledger import Promise
from tests.chaos.served import Row

SCOPE = {"user_id": "u1"}
EMPTY: dict[str, Any] = {"results": []}


@dataclass
class Fabricated:
    """A service that kept every promise of `LEDGER`, until a test spoils it."""

    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    stored: dict[str, dict[str, Any]] = field(default_factory=dict)  # by memory id
    commits: list[Row] = field(default_factory=list)
    ends: list[Row] = field(default_factory=list)
    again: list[Row] = field(default_factory=list)
    leased: list[Row] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)  # events that are never answered

    def event(self, event_id: str) -> dict[str, Any] | None:
        if event_id in self.silent:
            raise LookupError(event_id)
        return self.events.get(event_id)

    def memories(self, scope: dict[str, str]) -> Iterator[dict[str, Any]]:
        return (memory for memory in self.stored.values() if memory["user_id"] == scope["user_id"])

    def serves(self, memory_id: str) -> bool:
        return memory_id in self.stored

    def history(self) -> Iterator[Row]:
        return iter(self.commits)

    def endings(self) -> Iterator[Row]:
        return iter(self.ends)

    def twice(self) -> Iterator[Row]:
        return iter(self.again)

    def accepted(self) -> set[str]:
        return set(self.events)

    def left(self) -> Iterator[Row]:
        return iter(self.leased)


def memory(memory_id: str, text: str) -> dict[str, Any]:
    """As the list shows it."""
    ids = {"user_id": "u1", "agent_id": None, "app_id": None, "run_id": None}
    return {"id": memory_id, "memory": text, "evidence_count": 1, **ids}


def event(memory_id: str, text: str) -> dict[str, Any]:
    """One that ended well."""
    return {"status": "SUCCEEDED", "code": None, "results": [{"id": memory_id, "memory": text}]}


LEDGER = [
    Promise("add", SCOPE, ["I own book 1"], key="k1", event_id="e1", status=202),
    Promise("add", SCOPE, ["I own book 2"], "k2", "e2", 200, [{"id": "m2", "memory": "I own book 2"}]),
    Promise("raw", SCOPE, ["I own book 3"], "k3", "e3", 200, [{"id": "m3", "memory": "I own book 3"}]),
    Promise("patch", SCOPE, ["I gave away book 2"], memory_id="m2", before="I own book 2"),
    Promise("delete", SCOPE, memory_id="m3", before="I own book 3"),
]


def kept() -> Fabricated:
    """Every promise kept."""
    return Fabricated(
        events={f"e{n}": event(f"m{n}", f"I own book {n}.") for n in (1, 2, 3)},
        stored={"m1": memory("m1", "I own book 1."), "m2": memory("m2", "I gave away book 2")},
        commits=[("s", "e1"), ("s", "e2")],
        ends=[("s/live", "e1"), ("s/live", "e2")],
    )


def verdict_on(served: Fabricated, ledger: list[Promise] | None = None) -> Verdict:
    """Without waiting for what does not end."""
    return Checker(ledger or LEDGER, served).check(patience=0.01)


def test_promises_kept_are_found_clean() -> None:
    """What stands as promised raises nothing, and everything was counted."""
    verdict = verdict_on(kept())

    assert verdict.clean
    assert (verdict.adds, verdict.facts, verdict.edits, verdict.examples) == (3, 3, 2, {})


Spoil = Callable[[Fabricated], object]
PLANTED: list[tuple[str, str, Spoil]] = [
    ("lost", "a memory is gone", lambda s: s.stored.pop("m1")),
    ("lost", "an accepted event is unknown", lambda s: s.events.pop("e1")),
    ("lost", "a change is undone", lambda s: s.stored.update(m2=memory("m2", "I own book 2."))),
    ("lost", "what a waiter was told has gone", lambda s: s.events.update(e2=event("m9", "I own book 2."))),
    ("doubled", "a fact stands twice", lambda s: s.stored.update(m9=memory("m9", "I own book 1."))),
    ("doubled", "a fact was committed again", lambda s: s.stored["m1"].update(evidence_count=2)),
    ("doubled", "a deleted memory is back", lambda s: s.stored.update(m3=memory("m3", "I own book 3."))),
    ("doubled", "an event names its fact twice", lambda s: s.events["e1"]["results"].extend(s.events["e1"]["results"])),
    ("doubled", "a history has an ADD twice", lambda s: s.again.append(("m1", "ADD"))),
    ("doubled", "a post made a second event", lambda s: s.events.update(e9=event("m1", "I own book 1."))),
    ("inverted", "the later add was committed first", lambda s: s.commits.reverse()),
    ("inverted", "the later add ended first", lambda s: s.ends.reverse()),
    ("silent", "an event ended well with nothing", lambda s: s.events["e1"].update(EMPTY)),
    ("failed", "an event failed", lambda s: s.events["e1"].update(status="FAILED", code="crashed")),
    ("stuck", "an event never ends", lambda s: s.events["e1"].update(status="RUNNING")),
    ("stuck", "an event is never answered", lambda s: s.silent.add("e1")),
    ("stuck", "a scope stays leased", lambda s: s.leased.append(("s",))),
]


@pytest.mark.parametrize(("kind", "spoil"), [(kind, spoil) for kind, _, spoil in PLANTED], ids=[p[1] for p in PLANTED])
def test_a_broken_promise_is_found(kind: str, spoil: Spoil) -> None:
    """One fault planted: counted under its name, with an example."""
    served = deepcopy(kept())
    spoil(served)

    verdict = verdict_on(served)

    assert not verdict.clean
    assert getattr(verdict, kind) > 0
    assert verdict.examples[kind]


def test_a_failed_event_is_counted_once() -> None:
    """Its facts are not served, which is no second fault; were they served, they would stand there unpromised."""
    served = kept()
    served.events["e1"].update(status="FAILED", code="crashed")
    del served.stored["m1"]

    verdict = verdict_on(served)

    assert (verdict.failed, verdict.lost, verdict.doubled) == (1, 0, 0)


def test_an_empty_answer_is_silent_even_if_the_event_is_right_later() -> None:
    """A waiting caller was told 200 and nothing: that caller lost its facts."""
    ledger = [LEDGER[0], replace(LEDGER[1], results=[]), *LEDGER[2:]]

    assert verdict_on(kept(), ledger).silent == 1


def test_two_posts_may_not_share_an_event() -> None:
    """Two keys, one event: one of the two was swallowed."""
    ledger = [*LEDGER, replace(LEDGER[0], key="k4")]

    assert verdict_on(kept(), ledger).lost > 0
