"""The page on rejections lists the reasons that exist, and no others."""

from __future__ import annotations

import inspect
import re

from shared.model import plan
from tests.house.tree import ROOT
from workers.checks.reasons import FAULTS, Reason


def test_every_reason_is_documented_under_its_heading() -> None:
    """Faults, refusals and what is dropped at commit, each where it belongs."""
    page = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    faults, refused = page.split("## Refused for good")
    final, late = refused.split("At commit, under the scope's lock")
    at_commit = set(re.findall(r'self\._drop\(decision, "(\w+)"', inspect.getsource(plan))) | {"immutable", "late"}

    assert rows(faults) == set(FAULTS)
    assert rows(final) == set(Reason) - FAULTS
    assert rows(late) == at_commit - rows(final)


def rows(text: str) -> set[str]:
    return set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
