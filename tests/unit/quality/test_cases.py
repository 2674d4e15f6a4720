"""The shipped cases and samples are whole, and their comparison can fail."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson
import pytest

from tests.quality import candidates, decide, precision
from tests.quality.cases import KINDS, Case, load, parse
from tests.quality.junk import near_duplicates
from tests.quality.kappa import ranked, unweighed
from tests.quality.model import loosely
from tests.quality.table import Row, at_least, failed, render

EVENT: dict[str, Any] = {"status": "SUCCEEDED", "code": None, "rejections": {}, "results": []}


def case(**expect: Any) -> Case:
    return parse({"id": "c", "kind": "decision", "posts": [{"messages": [{"role": "user", "content": "I like tea"}],
                  "answer": [{"text": "Likes tea"}]}], "expect": expect})  # fmt: skip


def memory(text: str, **fields: Any) -> dict[str, Any]:
    return {"memory": text, "happens_at": None, "evidence_count": 1, **fields}


def test_there_are_enough_cases_of_every_kind() -> None:
    """At least 150, no id twice."""
    cases = load()

    assert len(cases) >= 150
    assert {found.kind for found in cases} == set(KINDS)
    assert [name for name, count in Counter(found.id for found in cases).items() if count > 1] == []


def test_drafts_become_whole_records() -> None:
    """What a draft leaves out is the commonest value; the quote is the first words of its message."""
    (record,) = orjson.loads(case().posts[0].answers[0])["records"]  # type: ignore[index]

    assert record == {
        "src": [0], "quote": "I like tea", "text": "Likes tea", "about": "user", "kind": "knowledge", "when": None,
        "until": None, "op": "ADD", "target": None, "weight": 2, "categories": [],
    }  # fmt: skip


@pytest.mark.parametrize("wrong", [{"memory": ["x"]}, {"memories": [], "exact": True}], ids=["misspelt", "unknown"])
def test_a_misspelt_expectation_is_refused(wrong: dict[str, Any]) -> None:
    """It would hold for ever."""
    with pytest.raises(ValueError, match="unknown keys"):
        case(**wrong)


@pytest.mark.parametrize(
    ("expect", "texts", "event"),
    [
        ({"memories": ["Likes tea"]}, [], {}),
        ({"memories": []}, ["Likes tea"], {}),
        ({"has": ["tea"]}, ["Likes milk"], {}),
        ({"hasnt": ["tea"]}, ["Likes tea"], {}),
        ({"count": 1}, ["Likes tea", "Likes milk"], {}),
        ({"least": 1}, [], {}),
        ({"rejections": {"quote": 1}}, [], {}),
        ({"rejections": {}}, [], {"rejections": {"quote": 1}}),
        ({"results": [["ADD"]]}, [], {}),
        ({}, [], {"status": "FAILED", "code": "llm_ungrounded"}),
        ({"status": "FAILED", "code": "llm_ungrounded"}, [], {"status": "FAILED", "code": "other"}),
        ({"happens": "2026"}, ["Likes tea"], {}),
        ({"evidence": {"Likes tea": 2}}, ["Likes tea"], {}),
    ],
)
def test_each_expectation_can_fail(expect: dict[str, Any], texts: list[str], event: dict[str, Any]) -> None:
    """Every key of a case is looked at."""
    assert decide.exactly(case(**expect), [EVENT | event], [memory(text) for text in texts]) is not None


def test_a_case_that_holds_has_nothing_wrong() -> None:
    """The other side of it."""
    expect = {"memories": ["Likes tea"], "has": ["tea"], "hasnt": ["milk"], "count": 1, "rejections": {}}

    assert decide.exactly(case(**expect), [EVENT], [memory("Likes tea")]) is None


def test_a_model_may_use_its_own_words() -> None:
    """Loosely: the same names and content words, one memory more at most."""
    moved = case(memories=["Lives in Milan, moved from Rome"])

    assert loosely(moved, [EVENT], [memory("Moved from Rome to Milan and lives there")]) is None
    assert loosely(moved, [EVENT], [memory("Moved to Milan")]) is not None
    assert loosely(moved, [EVENT], [memory("Lives in Milan, moved from Rome")] * 3) is not None
    assert loosely(case(memories=[]), [EVENT], [memory("Likes tea")]) is not None


def test_pairs_are_half_without_a_common_word() -> None:
    """At least 60 pairs among some 500 facts."""
    pairs = candidates.load_pairs()

    assert len(pairs) >= 60
    assert 0.4 <= sum(pair.shares for pair in pairs) / len(pairs) <= 0.5
    assert len(set(candidates.load_distractors())) >= 490


def test_candidate_recall_is_counted_by_half() -> None:
    """One pair of each half, one of them found."""
    pairs = [candidates.Pair("a", "b", shares=True), candidates.Pair("c", "d", shares=False)]

    found = candidates.summary(pairs, [["a", "x"], ["y"]])

    assert (found.found, found.sharing, found.apart, found.most, found.missed) == (0.5, 1.0, 0.0, 2, (pairs[1],))


def test_labelled_sentences_are_enough_and_labelled() -> None:
    """At least 150, each with one of the three labels and its source."""
    sentences = precision.load()

    assert len(sentences) >= 150
    assert {sentence.label for sentence in sentences} == set(precision.LABELS)
    assert all(sentence.source for sentence in sentences)


def test_precision_counts_records_by_the_label_of_their_sentence() -> None:
    """Two records of a good sentence, one of a bad one, none of a weak one."""
    sentences = [precision.Labelled(label, label, "own") for label in precision.LABELS]

    found = precision.summary(sentences, [["a", "b"], [], ["c"]], frozenset("c"))

    assert (found.records, found.garbled) == ({"good": 2, "weak": 0, "bad": 1}, 1)
    assert (found.as_dict()["good"], found.as_dict()["bad_sentences_kept"]) == (0.6667, 1.0)


def test_near_duplicates_share_most_words() -> None:
    """Eight of ten words."""
    assert near_duplicates(["a b c d e f g h i", "a b c d e f g h j", "x y"]) == 1
    assert near_duplicates(["a b c d e f g h", "a b c d e f x y"]) == 0


def test_kappa_weighs_words_against_meaning() -> None:
    """A small kappa lets a weak BM25 score win, a large one a cosine."""
    from tests.quality.evidence import Hit

    words, meaning = Hit(1, frozenset("w")), Hit(1, frozenset("m"))
    parts = [(words, 0.0, 4.0), (meaning, 0.5, 0.0)]

    assert ranked(parts, 1.0)[0] is words
    assert ranked(parts, 16.0)[0] is meaning
    assert unweighed(4 / (4 + 8), 8) == pytest.approx(4)


def test_table_shows_what_is_not_met_and_only_binding_rows_fail() -> None:
    """A missed aim is said; a missed bound ends with 1."""
    aim = at_least("part", "figure", 0.6, 0.7, aim=True)

    assert "NO" in render([aim])
    assert not failed([aim])
    assert failed([at_least("part", "figure", 0.6, 0.7, binding=True)])
    assert not failed([Row("part", "figure", "1")])
