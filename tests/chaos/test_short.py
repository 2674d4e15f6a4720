"""The short form of `make chaos`: fourteen kills and seven other faults, under load."""

from __future__ import annotations

import pytest

from tests.chaos import campaign, totals
from tests.chaos.faults import SHORT

pytestmark = pytest.mark.chaos

SEED = 7
ADDS = 800
KILLS = 12


@pytest.mark.timeout(900)  # several times what a busy machine needs: waits inside end by themselves when nothing moves
def test_twelve_kills_lose_double_and_invert_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """API, worker, engine, Valkey (wiped too) and Postgres die; links go silent; a worker sleeps over its lease."""
    with capsys.disabled():
        result = campaign.run(campaign.Plan(KILLS, ADDS, seconds=50, seed=SEED, deck=SHORT), say=lambda _: None)
        one = totals.figures(result)
        print(f"\nseed {SEED}\n{totals.table(one, one)}")

    verdict = result.verdict
    assert result.notes == []
    assert verdict.examples == {}
    assert verdict.clean
    assert result.never_recovered == 0
    assert verdict.adds >= ADDS
    assert result.kills.total() >= KILLS
