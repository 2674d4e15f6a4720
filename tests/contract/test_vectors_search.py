"""Search: filters, both scores on every hit, term statistics of the project alone, many scripts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.model.scope import ScopeIds
from shared.vectors.index import VectorIndex
from shared.vectors.types import Hit, Point, Query
from tests.contract.vector_samples import DAY, OTHER_PROJECT, SCOPE, day, near, point, unit, where, words

_OTHER_SCOPE = UUID("44444444-4444-7444-8444-444444444444")
_STORED = {
    "plain": point(),
    "scope": point(scope_id=_OTHER_SCOPE),
    "agent": point(ids=ScopeIds(user_id="alex", agent_id="helper")),
    "berta": point(ids=ScopeIds(user_id="berta", app_id="app", run_id="run")),
    "plan": point(kind="plan"),
    "work": point(categories=("work", "travel")),
    "old": point(created_at=DAY - timedelta(days=400)),
    "expired": point(expires_on=day("2026-05-05")),
    "lasting": point(expires_on=day("2026-05-06")),
}
_EVERYTHING = set(_STORED)
_BY_ID = {stored.memory_id: label for label, stored in _STORED.items()}
_FILTERS: list[tuple[dict[str, Any], set[str]]] = [
    ({}, _EVERYTHING),
    ({"scope_id": _OTHER_SCOPE}, {"scope"}),
    ({"scope_id": SCOPE}, _EVERYTHING - {"scope"}),
    ({"ids": ScopeIds(user_id="berta")}, {"berta"}),
    ({"ids": ScopeIds(user_id="alex")}, _EVERYTHING - {"berta"}),
    ({"ids": ScopeIds(user_id="alex", agent_id="helper")}, {"agent"}),
    ({"ids": ScopeIds(app_id="app", run_id="run")}, {"berta"}),
    ({"ids": ScopeIds(user_id="nobody")}, set()),
    ({"kinds": ("plan", "event")}, {"plan"}),
    ({"categories_any": ("travel", "food")}, {"work"}),
    ({"created_from": DAY - timedelta(seconds=1)}, _EVERYTHING - {"old"}),
    ({"created_to": DAY - timedelta(seconds=1)}, {"old"}),
    ({"created_from": DAY, "created_to": DAY}, _EVERYTHING - {"old"}),
    ({"not_expired_on": day("2026-05-06")}, _EVERYTHING - {"expired"}),
    ({"not_expired_on": day("2026-05-07")}, _EVERYTHING - {"expired", "lasting"}),
    ({"memory_ids": (_STORED["plan"].memory_id, _STORED["old"].memory_id, uuid4())}, {"plan", "old"}),
    ({"memory_ids": ()}, set()),
]


@pytest.mark.parametrize(("narrowed", "expected"), _FILTERS)
def test_filters_hold_for_both_lists(
    index: VectorIndex, collection: str, narrowed: dict[str, Any], expected: set[str]
) -> None:
    """Dense alone, BM25 alone and both together see exactly the points the condition allows."""
    index.upsert(collection, [*_STORED.values(), point(project_id=OTHER_PROJECT)])
    both = near(unit(1), "green tea", dense_limit=50, bm25_limit=50, **narrowed)
    queries = [both, replace(both, dense=None), replace(both, bm25_limit=0)]
    answers = index.search(collection, queries)
    assert [{_BY_ID[hit.memory_id] for hit in hits} for hits in answers] == [expected] * 3


def _parts(hits: list[Hit]) -> dict[UUID, tuple[float | None, float | None]]:
    return {hit.memory_id: (hit.semantic, hit.bm25) for hit in hits}


def test_hits_of_either_list_carry_both_scores(index: VectorIndex, collection: str) -> None:
    """A hit found by meaning alone has its BM25 score, one found by words alone its cosine, as in full lists."""
    by_meaning = point("Prefers sencha in the morning", dense=unit(1, 0.1))
    by_words = point("Green tea stains the carpet", dense=unit(0, 1))
    neither = point("Owns a bicycle and green shoes", dense=unit(0, 0, 1))
    index.upsert(collection, [by_meaning, by_words, neither])
    [short] = index.search(collection, [near(unit(1), "green tea", dense_limit=1, bm25_limit=1)])
    [full] = index.search(collection, [near(unit(1), "green tea", dense_limit=3, bm25_limit=3)])
    assert [hit.memory_id for hit in short] == [by_meaning.memory_id, by_words.memory_id]
    whole = _parts(full)
    for hit in short:
        assert hit.semantic == pytest.approx(whole[hit.memory_id][0], abs=1e-5)
        assert hit.bm25 == pytest.approx(whole[hit.memory_id][1], abs=1e-5)
    scores = _parts(short)
    assert scores[by_meaning.memory_id][0] == pytest.approx(0.995, abs=0.001)
    assert scores[by_meaning.memory_id][1] == 0.0
    assert scores[by_words.memory_id][0] == pytest.approx(0.0, abs=1e-6)
    assert (scores[by_words.memory_id][1] or 0) > 0


def test_cosine_is_signed_and_independent_of_length(index: VectorIndex, collection: str) -> None:
    """Opposite vectors score -1, longer ones the same as short ones."""
    same, opposite = point(dense=unit(5)), point(dense=unit(-0.1))
    index.upsert(collection, [same, opposite])
    [hits] = index.search(collection, [near(unit(0.3))])
    assert [hit.memory_id for hit in hits] == [same.memory_id, opposite.memory_id]
    assert [hit.semantic for hit in hits] == [pytest.approx(1.0), pytest.approx(-1.0)]


def test_many_queries_keep_their_order(index: VectorIndex, collection: str) -> None:
    """Over several batches, with empty and stop-word queries between, each answer belongs to its query."""
    stored = [point(f"topic{number}") for number in range(130)]
    index.upsert(collection, stored)
    texts = [text for number in range(130) for text in (f"topic{number}", "the", "")]
    answers = index.search(collection, [words(text, limit=1) for text in texts])
    assert [[hit.memory_id for hit in hits] for hits in answers[::3]] == [[each.memory_id] for each in stored]
    assert not any(answers[1::3])
    assert not any(answers[2::3])


def test_a_query_of_stop_words_still_finds_by_meaning(index: VectorIndex, collection: str) -> None:
    """Its hits, one of them a text without any term, have BM25 0, not "not asked"."""
    index.upsert(collection, [point(dense=unit(1)), point("to be or not to be", dense=unit(1, 1))])
    [hits] = index.search(collection, [near(unit(1), "the of and")])
    assert [hit.bm25 for hit in hits] == [0.0, 0.0]


def _corpus(project: UUID) -> list[Point]:
    texts = ["Rome trip in July", "Rome museum tickets", "Rome hotel booked", "Paris museum closed"]
    return [point(text, project_id=project, memory_id=uuid4()) for text in texts]


def test_term_statistics_are_those_of_the_project(index: VectorIndex, collection: str) -> None:
    """Scores of a project do not move when another project stores thousands of points with the same words."""
    mine = _corpus(where().project_id)
    index.upsert(collection, mine)
    query = words("museum in Rome")
    [alone] = index.search(collection, [query])
    index.upsert(collection, [point("museum", project_id=OTHER_PROJECT) for _ in range(300)])
    [beside] = index.search(collection, [query])
    assert [hit.memory_id for hit in alone] == [hit.memory_id for hit in beside]
    assert [hit.bm25 for hit in alone] == pytest.approx([hit.bm25 for hit in beside])
    index.upsert(collection, [point("museum") for _ in range(300)])
    [crowded] = index.search(collection, [replace(query, bm25_limit=400)])
    assert _parts(crowded)[mine[1].memory_id][1] != pytest.approx(_parts(alone)[mine[1].memory_id][1])


def test_a_rare_term_outweighs_a_common_one(index: VectorIndex, collection: str) -> None:
    """Inverse document frequency is at work: the one Paris comes before the three Romes."""
    stored = _corpus(where().project_id)
    index.upsert(collection, stored)
    [hits] = index.search(collection, [words("Rome Paris")])
    assert hits[0].memory_id == stored[3].memory_id


def test_a_project_never_sees_another(index: VectorIndex, collection: str) -> None:
    """The same id asked for by name in the wrong project is not found."""
    foreign = point(project_id=OTHER_PROJECT)
    index.upsert(collection, [foreign])
    queries = [near(unit(1), "green tea"), near(unit(1), "green tea", memory_ids=(foreign.memory_id,))]
    assert index.search(collection, queries) == [[], []]


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Likes hiking in the mountains", "hikes"),
        ("我喜欢北京烤鸭", "北京"),
        ("七月想去罗马看博物馆", "罗马 博物馆"),
        ("Möchte nach München ziehen", "MÜNCHEN"),
        ("Möchte nach München ziehen", "munchen"),
        ("Straßenbahn fährt täglich", "straßenbahn"),
        ("東京に引っ越したい", "東京に行く"),
        ("хочет поехать в Рим", "рим"),
        ("Le café préféré est fermé", "cafe"),
        ("Moved to Oslo in 1990", "1990"),
        ("Lives at number 42, rent $1,250.50", "42"),
        ("我1990年搬到上海", "1990"),
        ("Bought an iPhone 15 on 2026-05-06", "iphone 15"),
    ],
)
def test_terms_match_in_many_scripts(index: VectorIndex, collection: str, text: str, question: str) -> None:
    """Words inside Chinese and Japanese sentences, accents, case, English stems and numbers match; noise does not."""
    wanted = point(text)
    index.upsert(collection, [wanted, point("Owns two bicycles"), point("他每天跑步")])
    [hits] = index.search(collection, [words(question)])
    assert [hit.memory_id for hit in hits] == [wanted.memory_id]


def test_hits_carry_the_version_found(index: VectorIndex, collection: str) -> None:
    """The caller can tell a stale index entry from its row."""
    index.upsert(collection, [point(version=7)])
    [[hit]] = index.search(collection, [Query("green tea", where())])
    assert hit.version == 7
