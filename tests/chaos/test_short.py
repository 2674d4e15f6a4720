"""The short form of `make chaos`: twelve kills and the other faults of one deck, under load."""

from __future__ import annotations

import pytest

from tests.chaos import campaign, totals

pytestmark = pytest.mark.chaos

SEED = 7
ADDS = 800


@pytest.mark.timeout(600)
def test_twelve_kills_lose_double_and_invert_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """API, worker, engine, Valkey (wiped too) and Postgres die; links go silent; a worker sleeps over its lease."""
    with capsys.disabled():
        result = campaign.run(campaign.Plan(kills=12, adds=ADDS, seconds=70, seed=SEED), say=lambda _: None)
        one = totals.figures(result)
        print(f"\nseed {SEED}\n{totals.table(one, one)}")

    verdict = result.verdict
    assert result.notes == []
    assert verdict.examples == {}
    assert verdict.clean
    assert result.never_recovered == 0
    assert verdict.adds >= ADDS
    assert result.kills.total() >= 12
