"""Posted one by one or coalesced, through the pipeline on real parts: the stored current memories come out equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.model.message import Window
from shared.model.record import Candidate, Extraction, Extractor
from shared.model.scope import ScopeIds
from tests.factories import rows, said
from tests.integration.pipeline_bench import Bench
from tests.unit.model.equality import Fair
from tests.unit.model.equality_store import Post
from tests.unit.model.test_equality_of_cuts import stories
from workers.dispatch import Dispatcher
from workers.parts import FaultsOf
from workers.pipeline.run import run

_SHOWN = """
    SELECT m.text, m.metadata, m.happens_at, m.happens_until, m.precision, m.valid_from, m.valid_to, m.observed_at,
           m.created_at, m.expires_on, m.immutable, m.evidence_count, m.kind, m.about, m.role, m.speaker, m.weight,
           (SELECT array_agg(ARRAY[g.seq, g.idx] ORDER BY g.seq, g.idx) FROM memory_sources s
            JOIN messages g ON g.project_id = s.project_id AND g.id = s.message_id
            WHERE s.project_id = m.project_id AND s.memory_id = m.id AND s.version = m.version) AS sources
    FROM memories m WHERE m.user_id = %s AND m.state = 'current' ORDER BY m.text
"""
_SIZES = st.lists(st.integers(1, 6), min_size=1, max_size=3)


class _Answers:
    """The fair extractor behind the pipeline's port."""

    def __init__(self, fair: Fair) -> None:
        self._fair = fair

    def __call__(self, window: Window, candidates: Sequence[Candidate], faults_of: FaultsOf) -> Extraction:
        return Extraction(tuple(self._fair(candidates, window.messages)), Extractor("rules"))


@settings(max_examples=24, deadline=None, suppress_health_check=list(HealthCheck))
@given(story=stories(most=6) | stories(most=6, immutable=True), batches=_SIZES, limits=_SIZES, tells=st.booleans())
def test_cuts_do_not_matter(
    bench: Bench, story: list[Post], batches: list[int], limits: list[int], *, tells: bool
) -> None:
    """Every column of the current rows that may not depend on the cuts, and the messages behind them."""
    together = _told(bench, story, Fair(tells), batches, limits)

    assert together == _told(bench, story, Fair(tells), [1], [40])


def _told(bench: Bench, story: list[Post], fair: Fair, batches: list[int], limits: list[int]) -> list[dict[str, Any]]:
    """A scope of its own in which so many events pile up each time, worked on in windows of so many messages."""
    ids = ScopeIds(user_id=uuid4().hex)
    left, turn = story, 0
    while left:
        size, limit = batches[turn % len(batches)], limits[turn % len(limits)]
        for post in left[:size]:
            bench.post(
                *(said(text, at=post.said_at()) for text in post.texts), ids=ids, metadata=post.metadata,
                expires_on=post.expires_on, immutable=post.immutable,
            )  # fmt: skip
        _drain(bench, fair, limit)
        left, turn = left[size:], turn + 1
    return rows(bench.db, _SHOWN, ids.user_id)


def _drain(bench: Bench, fair: Fair, limit: int) -> None:
    sizes = {"window_messages": limit, "backlog_window_messages": limit}
    parts = replace(bench.parts, extract=_Answers(fair), settings=bench.parts.settings.model_copy(update=sizes))
    Dispatcher(parts, bench.leases, run).drain()
