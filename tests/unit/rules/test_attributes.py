"""Single-valued attributes: which statements give one, and what the value is."""

from __future__ import annotations

import pytest

from workers.rules.attributes import fact

ROWS = [
    ("Name is Ana", "name", "Ana"),
    ("Lives in Lisbon with their husband", "home", "Lisbon"),
    ("Is living in Milan now", "home", "Milan"),
    ("Moved from Rome to Milan in 2026-04", "home", "Milan"),
    ("Recently moved to New York City", "home", "New York City"),
    ("Is originally from Spain", "origin", "Spain"),
    ("Birthday is on 6 May", "birthday", "6 May"),
    ("Works at Acme as an engineer", "employer", "Acme"),
    ("Started at Globex on 2026-05-04 as a senior engineer", "employer", "Globex"),
    ("Got a new job at Globex", "employer", "Globex"),
    ("Works as a nurse", "occupation", "nurse"),
    ("Is a software engineer", "occupation", "software engineer"),
    ("Is 31", "age", "31"),
    ("Is 30 years old", "age", "30"),
    ("Turned 40 years old", "age", "40"),
    ("Favourite color is green", "favourite color", "green"),
    ("Favorite bands are Muse and Queen", "favourite band", "Muse and Queen"),
    ("Is married", "marital status", "married"),
    ("Got divorced", "marital status", "divorced"),
    ("Wife is called Eva", "wife's name", "Eva"),
    ("Dog is called Rex", "dog's name", "Rex"),
    ("Is vegan now", "diet", "vegan"),
    ("Became a vegetarian", "diet", "vegetarian"),
    ("Native language is Basque", "native language", "Basque"),
    ("Drives a red Volvo V60", "car", "red Volvo V60"),
    ("Studies at Oxford", "school", "Oxford"),
    ("Is studying psychology", "field of study", "psychology"),
    ("Weighs 70 kg", "weight", "70 kg"),
    ("Has two kids", "number of kid", "two"),
    ("Budget is 2000 euros", "budget", "2000 euros"),
]


@pytest.mark.parametrize(("text", "key", "value"), ROWS, ids=[case[0] for case in ROWS])
def test_rows(text: str, key: str, value: str) -> None:
    """One case per row of the table."""
    found = fact(text)
    assert found is not None
    assert (found.subject, found.key, found.value) == ("", key, value)


@pytest.mark.parametrize(
    "text",
    [
        "Wants to live in Lisbon",
        "Likes moving to music",
        "Moved the couch to the kitchen",
        "Is a big fan of Queen",
        "Is not married",
        "Loves vegan food",
        "Has a dog named Rex",
        "Sister lives in Rome",
        "Works hard",
        "Is going to see Muse",
        "The weather is fine",
        "Studies hard every day",
        "我住在北京",
        "",
    ],
)
def test_other_statements_give_none(text: str) -> None:
    """Plans, many-valued facts, people who are not unique, other things."""
    assert fact(text) is None


def test_subjects() -> None:
    """A named speaker and a unique relation are subjects of their own."""
    named = fact("Maria lives in Lisbon", ("Maria",))
    wife = fact("Wife works at Acme")
    marias = fact("Maria's husband works at Acme", ("Maria",))
    assert named is not None
    assert wife is not None
    assert marias is not None
    assert [named.subject, wife.subject, marias.subject] == ["maria", "/wife", "maria/husband"]
