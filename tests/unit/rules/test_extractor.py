"""The rules extractor as a whole: the documented example, roles, names, provenance."""

from __future__ import annotations

from tests.unit.rules.conversation import said, window
from workers.rules.extractor import extract


def test_the_documented_example_gives_exactly_two_memories() -> None:
    """The example of the API's documentation, word for word and in order."""
    records = extract(window(said("I want to go to Rome in July. give me tips for museums")), ()).records
    assert [(record.text, record.kind) for record in records] == [
        ("Wants to go to Rome in July", "plan"),
        ("Looking for tips for museums", "need"),
    ]
