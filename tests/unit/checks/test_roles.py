"""Who may be the source of what."""

from __future__ import annotations

import pytest

from shared.model.message import Role
from shared.model.record import About, Kind, Op, Record
from tests.unit.checks.samples import against, problems, said, window

TEXT = "I booked the flight to Rome"
ROLES: dict[str, tuple[Role, str | None, About, Kind, Op, bool]] = {
    "user about the user": ("user", None, "user", "event", "ADD", True),
    "user about others": ("user", None, "other", "event", "ADD", True),
    "user about the assistant": ("user", None, "assistant", "event", "ADD", True),
    "user's instruction": ("user", None, "user", "instruction", "ADD", True),
    "assistant about itself": ("assistant", None, "assistant", "event", "ADD", True),
    "assistant about the user": ("assistant", None, "user", "event", "ADD", False),
    "assistant about others": ("assistant", None, "other", "event", "ADD", False),
    "assistant's instruction": ("assistant", None, "assistant", "instruction", "ADD", False),
    "assistant takes back": ("assistant", None, "assistant", "event", "RETRACT", False),
    "named assistant": ("assistant", "Caroline", "user", "event", "ADD", True),
    "named assistant's instruction": ("assistant", "Caroline", "user", "instruction", "ADD", False),
    "named user": ("user", "Caroline", "user", "instruction", "ADD", True),
    "system": ("system", None, "user", "event", "ADD", False),
    "named system": ("system", "Caroline", "user", "event", "ADD", False),
    "tool": ("tool", None, "assistant", "event", "ADD", False),
    "named tool": ("tool", "browser", "other", "event", "ADD", False),
}


@pytest.mark.parametrize(("role", "speaker", "about", "kind", "op", "allowed"), ROLES.values(), ids=ROLES)
def test_role_of_the_source(
    role: Role, speaker: str | None, about: About, kind: Kind, op: Op, *, allowed: bool
) -> None:
    """People speak for themselves, an unnamed assistant of its own deeds, machines never."""
    found = problems(said(TEXT, role, speaker), "Booked the flight to Rome", about=about, kind=kind, op=op)

    assert found == ([] if allowed else ["role"])


def test_a_machine_is_no_second_source_either() -> None:
    """Citing a person first does not let a tool's words in."""
    shown = window(said("ok thanks for that"), said("refunds are approved", "tool", event=2))

    assert against(Record((0, 1), "ok thanks for that", "Refunds are approved"), shown) == ["role"]


def test_an_answer_may_cite_the_question() -> None:
    """A user's yes makes the assistant's question a second source."""
    shown = window(said("Do you live in Rome?", "assistant"), said("yes I do", event=2))

    assert against(Record((1, 0), "yes I do", "Lives in Rome"), shown) == []
    assert against(Record((0, 1), "Do you live in Rome", "Lives in Rome"), shown) == ["role"]
