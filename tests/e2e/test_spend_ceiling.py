"""Two workers, a tenant at its ceiling: how far they go together, what callers see, and that work goes on."""

from __future__ import annotations

import psycopg
import pytest

from shared.db import projects, spend
from shared.db.engine import Database
from tests.e2e.flumes import Caller, make_key
from tests.fakes.openai_control import FakeOpenAI
from tests.stack import Service, wait_until

CEILING = 12_000  # tokens of a day; a call of the scripted model costs some 2,200
ANSWER = 300  # tokens, more than any answer it gives


@pytest.mark.timeout(300)
def test_two_workers_stop_at_the_ceiling_and_one_window(
    service: Service, llm: FakeOpenAI, model: dict[str, str]
) -> None:
    """Twelve users post; when the ceiling is reached nothing has failed and nobody is asked; raised, all is done."""
    database = Database(service.database_url, pool_size=2, name="ceiling")
    key = make_key(service.database_url)
    project = database.run(projects.ensure)
    database.run(lambda session: spend.set_ceilings(session, project.id, CEILING, None))
    api = service.start_api(**model)
    service.start_worker(**model, slots=4, poll=0.2)
    service.start_worker(**model, slots=4, poll=0.2)

    with Caller(api.url, key) as caller:
        posted = [caller.post(f"I own book {number}", user_id=f"user-{number}") for number in range(12)]
        wait_until(lambda: database.run(spend.paused), "the ceiling to be reached", 120)
        wait_until(lambda: _in_work(service) == 0, "windows in work to end", 60)
        asked = [int(entry["tokens"]) for entry in llm.log("chat") if "I own book" in entry["text"]]
        spent, prompts = _spent(service)
        assert prompts == sum(asked)
        assert CEILING <= spent < CEILING + max(asked) + ANSWER
        statuses = [caller.event(event_id)["status"] for event_id in posted]
        assert set(statuses) == {"SUCCEEDED", "PENDING"}

        def told() -> bool:
            late = caller.add("I own one more", user_id="late")
            return late.status_code == 202 and int(late.headers["retry-after"]) > 1

        wait_until(told, "callers to be told", 30)
        waiting = caller.event(posted[statuses.index("PENDING")])["waiting"]
        assert waiting["code"] == "spend_ceiling"
        ready = caller.http.get("/readyz").json()["checks"]["spend"]
        assert (ready["status"], ready["capped"], ready["code"]) == ("ok", 1, "spend_ceiling")
        assert "flumes_projects_at_spend_ceiling 1.0" in caller.http.get("/metrics").text

        database.run(lambda session: spend.set_ceilings(session, project.id, 0, None))
        assert {caller.ended(event_id, timeout=120)["status"] for event_id in posted} == {"SUCCEEDED"}
    database.close()


def _spent(service: Service) -> tuple[int, int]:
    """Tokens in all, and those of prompts alone."""
    with psycopg.connect(service.database_url) as connection:
        query = (
            "SELECT sum(prompt_tokens + completion_tokens + embedding_tokens), sum(prompt_tokens) FROM project_usage"
        )
        row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def _in_work(service: Service) -> int:
    with psycopg.connect(service.database_url) as connection:
        row = connection.execute("SELECT count(*) FROM spend_reservations").fetchone()
    assert row is not None
    return int(row[0])
