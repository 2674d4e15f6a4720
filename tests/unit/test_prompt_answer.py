"""From a valid answer to records, and the schema's own validator."""

from __future__ import annotations

from typing import Any

import pytest

from shared.llm.schema import MOST_FAULTS, faults
from shared.model.record import Record
from workers.pipeline.prompts.extract import SCHEMA, parse

RECORD: dict[str, Any] = {
    "src": [0],
    "quote": "I like tea",
    "text": "Likes tea",
    "about": "user",
    "kind": "preference",
    "when": None,
    "until": None,
    "op": "ADD",
    "target": None,
    "weight": 2,
    "categories": [],
}


def answer(**changes: Any) -> dict[str, Any]:
    """An answer of one record with some fields changed."""
    return {"records": [{**RECORD, **changes}]}


def test_a_record_becomes_a_value() -> None:
    """Field by field."""
    changes = {"src": [1, 0], "op": "SUPERSEDE", "target": 3, "when": "2026-05", "until": "", "weight": 3}
    assert parse(answer(**changes)) == (
        Record((1, 0), "I like tea", "Likes tea", "user", "preference", "2026-05", None, "SUPERSEDE", 3, 3, ()),
    )
    assert parse({"records": []}) == ()


def test_an_add_has_no_target() -> None:
    """Whatever the model put there."""
    assert parse(answer(target=2))[0].target is None


def test_only_the_operators_categories_are_kept() -> None:
    """Known names, each once, at most three."""
    named = answer(categories=["home", "made up", "home", "work", "pets", "food"])
    assert parse(named, ("home", "work", "pets", "food"))[0].categories == ("home", "work", "pets")
    assert parse(named)[0].categories == ()


def test_text_is_made_storable() -> None:
    """One line, no NUL."""
    record = parse(answer(text="Likes\n tea\0 a lot ", quote="I\tlike  tea"))[0]
    assert (record.text, record.quote) == ("Likes tea a lot", "I like tea")


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ([], "the answer: not of type object"),
        (None, "the answer: not of type object"),
        ({}, "the answer: records is missing"),
        ({"records": None}, "records: not of type array"),
        ({"records": ["x"]}, "records[0]: not of type object"),
        ({"records": [], "secret canary": 1}, "the answer: properties that the schema does not have"),
        (answer(src="0"), "records[0].src: not of type array"),
        (answer(src=[0, "1"]), "records[0].src[1]: not of type integer"),
        (answer(src=[True]), "records[0].src[0]: not of type integer"),
        (answer(target=1.5), "records[0].target: not of type integer or null"),
        (answer(when=2026), "records[0].when: not of type string or null"),
        (answer(about="me"), "records[0].about: not one of user, assistant, other"),
        (answer(weight=4), "records[0].weight: not one of 1, 2, 3"),
        (answer(text=None), "records[0].text: not of type string"),
    ],
)
def test_a_fault_names_place_and_rule_but_no_value(value: Any, fault: str) -> None:
    """One fault, no content."""
    assert faults(value, SCHEMA.schema) == [fault]


def test_a_good_answer_has_no_fault() -> None:
    """Null where null is allowed."""
    assert faults(answer(), SCHEMA.schema) == []
    assert faults(answer(when="2026", target=0, op="SAME", categories=["a"]), SCHEMA.schema) == []


def test_a_missing_field_is_named() -> None:
    """Every property is required."""
    for name in RECORD:
        short = {"records": [{key: value for key, value in RECORD.items() if key != name}]}
        assert faults(short, SCHEMA.schema) == [f"records[0]: {name} is missing"]


def test_faults_are_capped() -> None:
    """A thousand bad records do not make a thousand lines."""
    assert len(faults({"records": [{}] * 1000}, SCHEMA.schema)) == MOST_FAULTS
