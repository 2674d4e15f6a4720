"""Schemas of exports as callers write them, in the strict form a chat model is held to."""

from __future__ import annotations

from typing import Any

import pytest

from api.composing.forms import strict
from shared.errors import BadRequest
from shared.llm.schema import faults

PYDANTIC = {
    "$defs": {
        "Job": {
            "title": "Job", "type": "object", "required": ["title"],
            "properties": {"title": {"type": "string"}, "since": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
        }
    },
    "title": "Person", "type": "object", "required": ["name", "jobs"],
    "properties": {
        "name": {"description": "full name", "title": "Name", "type": "string"},
        "jobs": {"items": {"$ref": "#/$defs/Job"}, "type": "array"},
        "mood": {"anyOf": [{"enum": ["good", "bad"], "type": "string"}, {"type": "null"}], "default": None},
        "home": {"anyOf": [{"$ref": "#/$defs/Job"}, {"type": "null"}]},
        "any": {},
    },
}  # fmt: skip


def test_what_pydantic_writes_becomes_strict() -> None:
    """References and optional values are resolved; everything is required, the optional may be null."""
    found = strict(PYDANTIC)
    assert found is not None
    properties = found["properties"]

    assert found["required"] == ["name", "jobs", "mood", "home", "any"]
    assert found["additionalProperties"] is False
    assert properties["name"] == {"description": "full name", "type": "string"}
    assert properties["jobs"]["items"]["properties"]["since"] == {"type": ["integer", "null"]}
    assert properties["mood"] == {"type": ["string", "null"], "enum": ["good", "bad", None]}
    assert properties["home"]["type"] == ["object", "null"]
    assert properties["any"]["type"] == ["string", "number", "boolean", "null"]


@pytest.mark.parametrize(
    ("value", "good"),
    [
        ({"name": "Anna", "jobs": [{"title": "cook", "since": None}], "mood": None, "home": None, "any": 1}, True),
        ({"name": None, "jobs": [], "mood": None, "home": None, "any": None}, False),
        ({"name": "Anna", "jobs": [{"title": "cook"}], "mood": None, "home": None, "any": None}, False),
        ({"name": "Anna", "jobs": [], "mood": "so so", "home": None, "any": None}, False),
        ({"name": "Anna", "jobs": [], "mood": None, "home": None, "any": None, "more": 1}, False),
    ],
)
def test_answers_are_held_to_it(value: dict[str, Any], *, good: bool) -> None:
    """The strict schema is one that the checker of answers understands."""
    found = strict(PYDANTIC)

    assert found is not None
    assert (faults(value, found) == []) is good


@pytest.mark.parametrize(
    "nothing", [None, "", {}, "{}", {"type": "object"}, '{"type": "object"}', {"properties": {}}, {"note": 1}]
)
def test_an_empty_form_asks_for_nothing(nothing: object) -> None:
    """Such an export is the memories themselves."""
    assert strict(nothing) is None


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ("not json", "schema"),
        ([1], "schema"),
        ({"type": "string"}, "schema"),
        ({"type": ["object", "string"]}, "schema"),
        ({"type": "colour"}, "schema.type"),
        ({"properties": 1}, "schema.properties"),
        ({"properties": {"a": 1}}, "schema.a"),
        ({"properties": {"a": {"$ref": "#/$defs/x"}}}, "schema.a"),
        ({"properties": {"a": {"$ref": "http://x"}}}, "schema.a"),
        ({"properties": {"a": {"$ref": "#/properties/a"}}}, "schema.a"),
        ({"properties": {"a": {"enum": []}}}, "schema.a.enum"),
        ({"properties": {"a": {"enum": [{}]}}}, "schema.a.enum"),
        ({"properties": {"a": {"type": "object", "additionalProperties": {"type": "string"}}}}, "schema.a"),
        ({"properties": {"a": {"anyOf": [{"type": "object"}, {"type": "string"}]}}}, "schema.a"),
        ({"properties": {"a": {"type": ["array", "string"]}}}, "schema.a"),
        ({"properties": {str(n): {} for n in range(201)}}, "schema.199"),
        ({"$defs": {"n": {"properties": {"n": {"$ref": "#/$defs/n"}}}}, "$ref": "#/$defs/n"},
         "schema" + ".n" * 9),
    ],
)  # fmt: skip
def test_what_cannot_be_filled_in_is_refused(wrong: object, place: str) -> None:
    """By the place of the schema at fault, before a model is asked."""
    with pytest.raises(BadRequest) as caught:
        strict(wrong)

    assert (caught.value.code, caught.value.field) == ("invalid_schema", place)
