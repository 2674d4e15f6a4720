"""`flumes erase`, `flumes erasures` and `flumes limit` at the terminal, on a database that is there."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from shared.db import keys
from shared.db.engine import Database
from shared.model.scope import ScopeIds
from tests.factories import column, post
from tests.integration.memory_rows import stored, texts

PEPPER = "pepper"


@pytest.fixture(autouse=True)
def _environment(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLUMES_DATABASE_URL", database_url)
    monkeypatch.setenv("FLUMES_KEY_PEPPER", PEPPER)


def _flumes(*words: str, answer: str = "") -> Result:
    return CliRunner().invoke(app, words, input=answer)


def _json(*words: str) -> Any:
    result = _flumes(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_dry_run_counts_and_changes_nothing(db: Database, project_id: UUID) -> None:
    """The same counts as the erasure that follows."""
    stored(db, project_id, "Lives in Rome")
    tried = _json("erase", "--user-id", "alex", "--dry-run")
    assert (tried["dry_run"], tried["counts"]["memories"]) == (True, 1)
    assert texts(db) == {"Lives in Rome"}

    done = _json("erase", "--user-id", "alex", "--yes")
    assert done["counts"] == tried["counts"]
    assert texts(db) == set()
    assert [one["id"] for one in _json("erasures", "--user-id", "alex")] == [done["id"]]
    assert _json("erasures", "--user-id", "somebody") == []


def test_it_asks_before_it_erases(db: Database, project_id: UUID) -> None:
    """No is the default; keys bound to the user end with a yes."""
    stored(db, project_id, "Lives in Rome")
    token = db.run(lambda s: keys.create(s, project_id, PEPPER, user_id="alex"))

    refused = _flumes("erase", "--user-id", "alex", answer="\n")
    assert (refused.exit_code, texts(db)) == (1, {"Lives in Rome"})
    assert "1  memories" in refused.output

    assert _flumes("erase", "--user-id", "alex", answer="y\n").exit_code == 0
    assert texts(db) == set()
    assert db.run(lambda s: keys.find(s, token, PEPPER)) is None


def test_one_memory_and_one_event_by_id(db: Database, project_id: UUID) -> None:
    """What is not there is said, and what is named twice or not at all."""
    memory = stored(db, project_id, "Lives in Rome")
    event_id = post(db, project_id, "I like tea", ids=ScopeIds(user_id="alex")).event_id

    assert _json("erase", "--memory", str(memory.id), "--yes")["counts"]["memories"] == 1
    assert _json("erase", "--event", str(event_id), "--yes")["counts"]["messages"] == 1
    assert _flumes("erase", "--memory", str(memory.id), "--yes").exit_code == 1
    assert _flumes("erase", "--memory", "nonsense", "--yes").exit_code == 1
    assert _flumes("erase", "--yes").exit_code == 1
    assert _flumes("erase", "--user-id", "alex", "--whole-project", "--yes").exit_code == 1
    assert column(db, "SELECT count(*) FROM messages") == [0]


def test_a_whole_project_goes_and_its_receipt_is_found(db: Database, project_id: UUID) -> None:
    """By the name it had."""
    stored(db, project_id, "Lives in Rome")
    done = _json("erase", "--whole-project", "--yes")

    assert column(db, "SELECT count(*) FROM projects") == [0]
    assert [one["id"] for one in _json("erasures")] == [done["id"]]
    assert _flumes("erase", "--user-id", "alex", "--yes").exit_code == 1


def test_ceilings_are_set_shown_and_dropped(db: Database, project_id: UUID) -> None:
    """Each alone; what is not given stays."""
    assert "no ceiling" in _flumes("limit").output
    _flumes("limit", "--tokens-per-day", "2000000")
    shown = _flumes("limit", "--tokens-per-month", "30000000").output
    assert "of 2,000,000 tokens" in shown
    assert "of 30,000,000 tokens" in shown
    assert column(db, "SELECT settings FROM projects WHERE id = %s", project_id)[0]["tokens_per_day"] == 2_000_000
    assert "of no ceiling" in _flumes("limit", "--default").output
    assert _flumes("limit", "--project", "nowhere").exit_code == 1
