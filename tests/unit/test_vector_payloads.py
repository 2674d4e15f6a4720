"""What is sent to Qdrant: no text, always a project, one version guard a point."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qdrant_client import models

from shared.model.scope import ScopeIds
from shared.vectors.layout import PAYLOAD_INDEXES
from shared.vectors.payloads import covered_by, older_than, point_struct, where_filter, within_filter
from shared.vectors.types import EVERYWHERE, Tombstone
from tests.contract.vector_samples import PROJECT, day, point, where
from tests.house.tree import ROOT, SOURCE, files

_PROJECT_CONDITION = models.FieldCondition(key="project", match=models.MatchValue(value=str(PROJECT)))


@settings(deadline=None)
@given(st.text(min_size=8, max_size=60))
def test_no_text_in_what_is_stored(text: str) -> None:
    """Whatever the text, the payload is the same as for any other text, and the vector is numbers."""
    first = point(text, ids=ScopeIds("u", "a", "p", "r"))
    second = point_struct(replace(first, index_text="something else entirely"))
    stored = point_struct(first)
    assert stored.payload == second.payload
    assert isinstance(stored.vector, dict)
    assert isinstance(stored.vector["bm25"], models.SparseVector)


def test_every_stored_field_has_an_index() -> None:
    """A filter on a field without index would scan; a field nobody filters by should not be stored."""
    full = point(ids=ScopeIds("u", "a", "p", "r"), categories=("c",), expires_on=day("2027-01-01"))
    assert set(point_struct(full).payload or {}) == set(PAYLOAD_INDEXES)


def test_absent_values_are_absent_not_null() -> None:
    """A point without expiry or categories has no such key."""
    bare = point_struct(point(ids=ScopeIds(), dense=None))
    assert set(bare.payload or {}) == {"project", "scope", "kind", "created", "v"}
    assert set(bare.vector if isinstance(bare.vector, dict) else ()) == {"bm25"}


def test_every_filter_names_the_project() -> None:
    """First condition, whatever else is asked."""
    for narrowed in (where(), where(memory_ids=(uuid4(),)), where(not_expired_on=day("2026-01-01"), kinds=("plan",))):
        conditions = where_filter(narrowed).must
        assert isinstance(conditions, list)
        assert conditions[0] == _PROJECT_CONDITION


def test_guards_judge_each_point_by_its_own_version() -> None:
    """One clause a version, holding just the ids of that version."""
    first, second, third = point(version=1), point(version=2), point(version=2)
    guard = older_than([first, second, third]).should
    assert isinstance(guard, list)
    assert [_clause(clause) for clause in guard] == [
        ([str(first.memory_id)], models.Range(lt=1)),
        ([str(second.memory_id), str(third.memory_id)], models.Range(lt=2)),
    ]
    removal = covered_by([Tombstone(first.memory_id, 4, first.project_id)]).should
    assert isinstance(removal, list)
    assert [_clause(clause) for clause in removal] == [([str(first.memory_id)], models.Range(lte=4))]


def test_only_upkeep_looks_everywhere() -> None:
    """Leaving the project out is an error; all projects must be asked for by name."""
    assert within_filter(EVERYWHERE) is None
    assert covered_by([Tombstone(uuid4(), 1, EVERYWHERE)]).should is not None
    with pytest.raises(TypeError, match="a project id is needed"):
        within_filter(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Tombstone(uuid4(), 1)  # type: ignore[call-arg]
    asking = {str(path.relative_to(ROOT)) for path in files(*SOURCE, suffix=".py") if "EVERYWHERE" in path.read_text()}
    assert asking == {"shared/vectors/types.py", "shared/vectors/payloads.py", "workers/maintenance.py"}


def _clause(clause: object) -> tuple[list[object], object]:
    assert isinstance(clause, models.Filter)
    assert isinstance(clause.must, list)
    ids, version, project = clause.must
    assert project == _PROJECT_CONDITION
    assert isinstance(ids, models.HasIdCondition)
    assert isinstance(version, models.FieldCondition)
    assert version.key == "v"
    return list(ids.has_id), version.range
