"""Tenants, keys, routes and each other's ids: the short form of `make walls`, and proof that it can fail."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

import api.app
from shared.db.engine import ApiDatabase
from shared.settings import Settings
from tests.stack import Stack
from tests.walls.matrix import Matrix
from tests.walls.moves import BAD, GOOD, Move
from tests.walls.routes import BODIES, ways
from tests.walls.stage import Stage

CALLS = 1_500
_FILTER = re.compile(r"(\w+\.)?project_id = (%\(\w+\)s(::UUID)?)")


@pytest.fixture
def make_stage(stack: Stack) -> Iterator[Callable[[], Stage]]:
    """Stages that are closed at the end."""
    made: list[Stage] = []

    def make() -> Stage:
        made.append(Stage(stack))
        return made[-1]

    yield make
    for stage in made:
        stage.close()


def _forget_filters(stage: Stage) -> None:
    """From now on no SELECT of the API asks whose rows it reads: the first wall is gone."""

    def forget(_c: Any, _u: Any, statement: str, parameters: Any, *_: Any) -> tuple[str, Any]:
        if statement.lstrip().startswith("SELECT"):
            statement = _FILTER.sub(r"\2 IS NOT NULL", statement)
        return statement, parameters

    sa.event.listen(stage.app.state.parts.db.engine.sync_engine, "before_cursor_execute", forget, retval=True)


@pytest.mark.timeout(400)
def test_nobody_reads_or_changes_what_is_anothers(make_stage: Callable[[], Stage]) -> None:
    """Every route of every dialect, every kind of key; each tenant's words are canaries, its rows have digests."""
    tally = Matrix(make_stage()).play(CALLS, 20_261_123)

    assert tally.calls >= CALLS
    assert tally.foreign > CALLS // 2
    assert set(tally.keys) == {*GOOD, *BAD}
    assert set(BODIES) <= set(tally.ways)
    assert tally.statuses[200] > CALLS // 20


def test_a_query_without_its_filter_is_found(make_stage: Callable[[], Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    """Both walls down: the play must end in a breach, or it would prove nothing."""
    monkeypatch.setattr(api.app, "ApiDatabase", partial(ApiDatabase, walls=False))
    stage = make_stage()
    _forget_filters(stage)

    matrix, tenant = Matrix(stage), stage.tenants[0]
    (reading,) = [way for way in stage.ways if way.label == "GET /v1/memories/{memory_id}"]

    with pytest.raises(AssertionError, match="an id of another tenant was served"):
        stage.run(matrix.call(tenant, "admin", Move(reading, who=0, aim=1, pick=0, shape=1, repeat=5)))
    with pytest.raises(AssertionError, match=r"was served|was read by|were read by|were changed|-> 500"):
        matrix.play(CALLS, 1)


def test_the_second_wall_holds_when_the_first_forgets(make_stage: Callable[[], Stage]) -> None:
    """The same forgetful queries behind row-level security: nothing is read or changed."""
    stage = make_stage()
    _forget_filters(stage)

    assert Matrix(stage).play(CALLS // 4, 1).calls >= CALLS // 4


def test_a_route_nobody_described_is_noticed() -> None:
    """A new route without a line in `routes.BODIES` fails before it could go untested."""
    nowhere = {"database_url": "postgresql://nobody@127.0.0.1:1/x", "redis_url": "redis://x", "qdrant_url": "http://x"}
    app = api.app.create_app(Settings(key_pepper="x", **nowhere))  # type: ignore[arg-type]
    app.add_api_route("/v1/novelty", lambda: None, methods=["POST"])

    with pytest.raises(AssertionError, match="POST /v1/novelty"):
        ways(app)
