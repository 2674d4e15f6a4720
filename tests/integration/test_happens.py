"""What happens when: lists and searches within a stretch of time, as far as each date is known."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.db import filtered, index_queue
from shared.db.engine import Database
from shared.db.filtered import Asked
from shared.db.index_queue import Change
from shared.model.filters import Happens
from shared.model.scope import ScopeIds
from tests.integration.api_support import LiveApi, assert_problem
from tests.integration.hand_worker import HandIndexer
from tests.integration.memory_rows import NOON, stored
from tests.integration.test_api_mem0 import mem0


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


DATES: dict[str, dict[str, Any]] = {
    "in 2026": {"happens_at": day("2026-01-01"), "precision": "year"},
    "in July": {"happens_at": day("2026-07-01"), "precision": "month"},
    "on 14 July": {"happens_at": day("2026-07-14"), "precision": "day"},
    "at noon of 14 July": {"happens_at": day("2026-07-14T12:00"), "precision": "minute"},
    "10 to 20 July": {
        "happens_at": day("2026-07-10"), "happens_until": day("2026-07-20"), "precision": "day",
    },
    "July to September": {
        "happens_at": day("2026-07-01"), "happens_until": day("2026-09-01"), "precision": "month",
    },
    "July to 15 August": {
        "happens_at": day("2026-07-01"), "happens_until": day("2026-08-15"), "precision": "month",
    },
    "until 3 May": {"happens_until": day("2026-05-03"), "precision": "day"},
    "ever": {},
}  # fmt: skip
LONG = {"in 2026", "July to September"}


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-07-14", "2026-07-15", {*LONG, "in July", "on 14 July", "at noon of 14 July", "10 to 20 July",
                                      "July to 15 August"}),
        ("2026-07-14T13:00", None, {*LONG, "in July", "on 14 July", "10 to 20 July", "July to 15 August"}),
        ("2026-07-21", "2026-07-22", {*LONG, "in July", "July to 15 August"}),
        ("2026-08-16", "2026-08-17", LONG),
        ("2026-09-30", None, LONG),
        ("2026-10-01", None, {"in 2026"}),
        ("2026-12-31T23:59", None, {"in 2026"}),
        ("2027-01-01", None, set()),
        (None, "2026-05-03", {"in 2026"}),
        (None, "2026-05-04", {"in 2026", "until 3 May"}),
        ("2026-05-03T23:59", "2026-06-01", {"in 2026", "until 3 May"}),
        ("2026-05-04", "2026-06-01", {"in 2026"}),
        (None, "2026-01-01", set()),
        (None, None, set(DATES) - {"ever"}),
    ],
)  # fmt: skip
def test_a_date_lasts_as_long_as_it_is_precise(
    dated: tuple[Database, Any], start: str | None, end: str | None, expected: set[str]
) -> None:
    """From is inclusive, to exclusive; what is known to the month is true of each of its days."""
    db, project_id = dated
    asked = Asked(project_id, filter=Happens(day(start) if start else None, day(end) if end else None))

    assert {memory.text for memory in db.run(lambda session: filtered.page(session, asked, 100))} == expected


@pytest.fixture(scope="module")
def caller(live: LiveApi) -> httpx.Client:
    """One user's dated memories in a running service, searchable."""
    project = live.project()
    indexer = HandIndexer(live.db, live.service.stack.engine.url)
    indexer.register()
    made = [stored(live.db, project.id, f"meeting {text}", user="u", **DATES[text]) for text in DATES]
    made.append(stored(live.db, project.id, "meeting of another", user="v", happens_at=NOON, precision="day"))
    changes = [Change(project.id, item.scope_id, item.id, 1, "upsert") for item in made]
    live.db.run(lambda session: index_queue.put(session, changes))
    while indexer.apply():
        pass
    indexer.close()
    return live.caller(project)


def texts(caller: httpx.Client, **query: str) -> list[str]:
    answer = caller.get("/v1/memories/", params={"user_id": "u", **query})
    assert answer.status_code == 200, answer.text
    return [item["memory"].removeprefix("meeting ") for item in answer.json()["results"]]


def test_lists_and_searches_take_both_ends(caller: httpx.Client) -> None:
    """The same memories, with scores where something is looked for; pages go on."""
    within = {"happens_from": "2026-07-21T00:00:00+00:00", "happens_to": "2026-07-22"}
    expected = {*LONG, "in July", "July to 15 August"}

    assert set(texts(caller, **within)) == expected
    found = caller.get("/v1/memories/", params={"user_id": "u", "query": "meeting in July", **within}).json()["results"]
    assert {item["memory"].removeprefix("meeting ") for item in found} == expected
    assert found[0]["memory"] == "meeting in July"
    assert found[0]["score"] > found[-1]["score"]
    first = caller.get("/v1/memories/", params={"user_id": "u", "limit": "3", **within}).json()
    rest = texts(caller, limit="3", cursor=first["next_cursor"], **within)
    assert {item["memory"].removeprefix("meeting ") for item in first["results"]} | set(rest) == expected
    assert len(rest) == 1
    assert texts(caller, happens_from="2030-01-01", query="meeting") == []


def test_what_is_no_stretch_of_time_is_named(caller: httpx.Client) -> None:
    """Each refusal names its parameter."""
    for query, field in (
        ({"happens_from": "soon"}, "happens_from"),
        ({"happens_to": "2026-13-01"}, "happens_to"),
        ({"happens_from": "2026-07-02", "happens_to": "2026-07-02"}, "happens_to"),
        ({"happens_from": "2026-07-02", "include_raw": "true"}, "include_raw"),
        ({"happens_to": "2026-07-02", "as_of": "2026-01-01"}, "happens_to"),
    ):
        answer = caller.get("/v1/memories/", params={"user_id": "u", **query})
        assert_problem(answer, 400, names=[field])


def test_filters_take_the_times_of_a_statement(live: LiveApi) -> None:
    """The other dialect's filters compare happens_at, happens_until, valid_from and valid_to like any time."""
    project = live.project()
    stored(live.db, project.id, "in July", user="u", **DATES["in July"])
    stored(live.db, project.id, "10 to 20 July", user="u", **DATES["10 to 20 July"], valid_to=day("2026-08-01"))
    caller = mem0(live, project)

    def found(**condition: Any) -> set[str]:
        body = {"filters": {"AND": [{"user_id": "u"}, condition]}}
        answer = caller.post("/v3/memories/", json=body)
        assert answer.status_code == 200, answer.text
        return {item["memory"] for item in answer.json()["results"]}

    assert found(happens_at={"gte": "2026-07-01", "lt": "2026-07-02"}) == {"in July"}
    assert found(happens_until={"gte": "2026-07-20"}) == {"10 to 20 July"}
    assert found(valid_from={"lte": NOON.isoformat()}) == {"in July", "10 to 20 July"}
    assert found(valid_to={"lt": "2026-08-02"}) == {"10 to 20 July"}
    answer = caller.post("/v3/memories/", json={"filters": {"AND": [{"user_id": "u"}, {"valid_to": "x"}]}})
    assert_problem(answer, 400, "invalid_filter", names=["filters.AND[1].valid_to"])


@pytest.fixture
def dated(db: Database, project_id: Any) -> tuple[Database, Any]:
    """One memory a date."""
    for text, times in DATES.items():
        stored(db, project_id, text, user=str(uuid4()), **times)
    return db, project_id


def test_bound_ids_narrow_as_ever(dated: tuple[Database, Any]) -> None:
    """A stretch of time opens nobody else's memories."""
    db, project_id = dated
    asked = Asked(project_id, ScopeIds(user_id="somebody else"), Happens(None, None))

    assert db.run(lambda session: filtered.count(session, asked)) == 0
