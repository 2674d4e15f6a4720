"""BM25 vectors: the same in every process and release, with numbers, without stop words."""

from __future__ import annotations

import pytest

from shared.vectors.bm25 import document_vector, query_vector


def test_token_numbers_are_those_of_stored_vectors() -> None:
    """A library that numbered tokens differently would make every stored vector useless without a word."""
    assert document_vector("Wants to go to Rome in July 2026").indices == [
        108710752,
        818598148,
        898174745,
        1161328835,
        2077821541,
    ]


def test_weights_grow_with_repetition_and_shrink_with_length() -> None:
    """Term frequency saturates, long texts count less."""
    once = document_vector("tea").values[0]
    twice = document_vector("tea tea").values[0]
    long = document_vector("tea with milk sugar lemon honey ginger biscuits cake butter bread jam").values[0]
    assert long < once < twice < 2 * once


@pytest.mark.parametrize("text", ["", "   ", "the of and", "!?", "🍕"])
def test_a_query_without_terms_is_none(text: str) -> None:
    """Nothing to look for; as a document it is an empty vector."""
    assert query_vector(text) is None
    assert document_vector(text).indices == []


@pytest.mark.parametrize("text", ["1990", "42", "3.14", "$50", "2026-05-06", "5", "１９９０", "第3章"])
def test_bare_numbers_are_terms(text: str) -> None:
    """Years, ages, prices and dates can be looked for."""
    asked = query_vector(text)
    assert asked is not None
    assert set(asked.indices) <= set(document_vector(f"It was {text} back then").indices)


def test_different_numbers_are_different_terms() -> None:
    """1990 does not find 1991."""
    first, second = query_vector("1990"), query_vector("1991")
    assert first is not None
    assert second is not None
    assert not set(first.indices) & set(second.indices)
