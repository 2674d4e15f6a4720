"""Kept messages in a search: one voice with their statements, and a nearness borrowed from them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from api.search import Scored, nearness, once_each, scored
from shared.model.memory import Memory
from shared.model.scope import ScopeIds
from shared.vectors.types import Hit

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONE, OTHER = UUID(int=101), UUID(int=102)  # messages


def memory(number: int, **fields: Any) -> Memory:
    values: dict[str, Any] = {
        "project_id": UUID(int=1), "id": UUID(int=number), "scope_id": UUID(int=2), "ids": ScopeIds(user_id="u"),
        "text": f"text {number}", "index_text": "", "hash": b"", "kind": "knowledge", "observed_at": NOON,
        "created_at": NOON, "updated_at": NOON,
    }  # fmt: skip
    return Memory(**(values | fields))


def statement(number: int) -> Scored:
    return Scored(memory(number), 0.5, None, 0.5)


def message(number: int) -> Scored:
    return Scored(memory(number, state="source", kind="message"), 0.5, None, 0.5)


def served(ranked: list[Scored], behind: dict[int, set[UUID]]) -> list[int]:
    by_id = {UUID(int=number): frozenset(messages) for number, messages in behind.items()}
    return [item.memory.id.int for item in once_each(ranked, by_id)]


def test_the_better_of_message_and_statement_is_served() -> None:
    """Whichever ranks higher; the other says nothing new."""
    assert served([statement(1), message(2)], {1: {ONE}, 2: {ONE}}) == [1]
    assert served([message(2), statement(1)], {1: {ONE}, 2: {ONE}}) == [2]


def test_statements_of_one_message_stay_beside_each_other() -> None:
    """Each says something else."""
    assert served([statement(1), statement(2)], {1: {ONE}, 2: {ONE}}) == [1, 2]


def test_a_statement_of_two_messages_needs_both_to_be_left_out() -> None:
    """What is not served yet is not lost."""
    behind = {1: {ONE, OTHER}, 2: {ONE}, 3: {OTHER}}

    assert served([message(2), statement(1)], behind) == [2, 1]
    assert served([message(2), message(3), statement(1)], behind) == [2, 3]


def test_memories_without_messages_are_always_served() -> None:
    """A memory changed by hand cites nothing."""
    assert served([message(2), statement(1)], {2: {ONE}}) == [2, 1]


def hit(number: int, semantic: float | None) -> Hit:
    return Hit(UUID(int=number), 1, semantic, 1.0)


def test_a_message_is_as_near_as_its_nearest_statement() -> None:
    """It has no embedding; without statements among the hits it is not near at all."""
    behind = {UUID(int=1): frozenset({ONE}), UUID(int=2): frozenset({ONE}), UUID(int=3): frozenset({ONE})}

    found = nearness([hit(1, 0.4), hit(2, 0.7), hit(3, None), hit(4, None)], behind)

    assert found == {UUID(int=3): 0.7, UUID(int=4): 0.0}


def test_borrowed_nearness_counts_like_a_cosine() -> None:
    """Half of it, half of the BM25 part."""
    assert scored(memory(3), hit(3, None), 1.0, 0.7, with_dense=True).score == (0.7 + 0.5) / 2
    assert scored(memory(3), hit(3, 0.2), 1.0, 0.7, with_dense=True).score == (0.2 + 0.5) / 2
