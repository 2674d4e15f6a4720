"""API keys, projects, breakers and what a probe learnt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.db import breakers, capabilities, keys, projects
from shared.db.engine import Database
from shared.db.keys import ApiKey
from shared.model.message import Rules
from shared.model.scope import ID_FIELDS
from tests import factories
from tests.factories import change, column, rows

PEPPER = "pepper"


def _create(db: Database, name: str = "default", **options: object) -> str:
    project = factories.project(db, name)
    return db.run(lambda session: keys.create(session, project.id, PEPPER, **options))  # type: ignore[arg-type]


def _find(db: Database, token: str, pepper: str = PEPPER) -> ApiKey | None:
    return db.run(lambda session: keys.find(session, token, pepper))


def test_a_key_opens_its_project(db: Database) -> None:
    """With its rights and bindings; a fresh key may do everything."""
    token = _create(db, name="Ann", rights=("read",), user_id="alex", agent_id="a")

    found = _find(db, token)

    assert found is not None
    assert (found.project_id, found.name, found.rights) == (factories.project(db, "Ann").id, "", ("read",))
    assert (found.user_id, found.agent_id, found.revoked_at) == ("alex", "a", None)
    plain = _find(db, _create(db))
    assert plain is not None
    assert plain.rights == keys.RIGHTS


def test_the_secret_is_not_stored(db: Database) -> None:
    """Only its HMAC: no column of the row holds it, and another pepper does not open it."""
    token = _create(db)
    public_id, secret = keys.parse(token) or ("", "")

    assert len(secret) == 43
    (row,) = rows(db, "SELECT * FROM api_keys")
    assert row["public_id"] == public_id
    assert secret not in str(row)
    assert bytes(row["secret_hmac"]) == keys.digest(secret, PEPPER)
    assert _find(db, token, "another pepper") is None


def test_a_wrong_secret_or_an_unknown_id_opens_nothing(db: Database) -> None:
    """Two keys' parts do not mix; malformed texts are refused without a look."""
    one, two = _create(db), _create(db)
    (id_one, _), (_, secret_two) = keys.parse(one) or ("", ""), keys.parse(two) or ("", "")

    assert _find(db, f"fm_live_{id_one}_{secret_two}") is None
    assert _find(db, f"fm_live_{'x' * 12}_{secret_two}") is None
    for text in ("", "fm_live_", one[:-1], one + "a", one.replace("live", "test"), f" {one}", one.upper()):
        assert keys.parse(text) is None
        assert _find(db, text) is None


def test_revoked_and_expired_keys_open_nothing(db: Database) -> None:
    """Revoking works once; expiry is by Postgres' clock."""
    revoked, expired = _create(db), _create(db, expires_at=datetime.now(UTC) + timedelta(hours=1))
    assert _find(db, expired) is not None
    public_id = (keys.parse(revoked) or ("",))[0]

    assert db.run(lambda session: keys.revoke(session, public_id))
    assert not db.run(lambda session: keys.revoke(session, public_id))
    change(db, "UPDATE api_keys SET expires_at = clock_timestamp() WHERE expires_at IS NOT NULL")

    assert (_find(db, revoked), _find(db, expired)) == (None, None)


def test_unknown_rights_are_refused_by_name(db: Database) -> None:
    """Nothing is written."""
    with pytest.raises(ValueError, match="unknown rights: fly"):
        _create(db, rights=("read", "fly"))
    assert rows(db, "SELECT 1 FROM api_keys") == []


def test_keys_are_listed_newest_first(db: Database) -> None:
    """All, or those of one project."""
    made = [keys.parse(_create(db, name)) for name in ("a", "b", "a")]
    ids = [parsed[0] for parsed in made if parsed]
    project = factories.project(db, "a").id

    assert [key.public_id for key in db.run(keys.listing)] == ids[::-1]
    assert [key.public_id for key in db.run(lambda session: keys.listing(session, project))] == [ids[2], ids[0]]


def test_a_project_is_made_once(db: Database) -> None:
    """`ensure` keeps the settings of the first time; `change` merges and None removes."""
    first = factories.project(db, "p", {"timezone": "Asia/Tokyo", "instructions": "be brief"})
    again = factories.project(db, "p", {"timezone": "Europe/Rome"})
    assert (again.id, again.timezone) == (first.id, "Asia/Tokyo")
    db.run(lambda session: projects.change(session, first.id, {"timezone": None, "categories": ["home"]}))

    found = db.run(lambda session: projects.get(session, first.id))
    assert found is not None
    assert (found.timezone, found.rules) == (None, Rules("be brief", categories=("home",)))
    assert found.scope_key == ID_FIELDS
    assert db.run(lambda session: projects.by_name(session, "p")) == found


def test_a_requests_rules_win_field_by_field(db: Database) -> None:
    """What a request leaves open is the project's."""
    project = factories.project(db, "p", {"instructions": "be brief", "includes": "food", "categories": ["home"]})

    assert project.merged(Rules(includes="sports")) == Rules("be brief", "sports", "", ("home",))


def _fail(db: Database, seconds: float | None = None) -> None:
    db.run(lambda session: breakers.fail(session, "llm", "rate_limited", "busy", seconds=seconds))


def _open(db: Database) -> float:
    """Seconds for which the breaker is open."""
    found = db.run(breakers.listing)
    return found[0].wait if found else 0.0


def test_the_third_failure_in_a_row_opens_a_breaker(db: Database) -> None:
    """For a second; each further one after it closed doubles that, up to a minute."""
    for _ in range(2):
        _fail(db)
        assert _open(db) == 0
    waits = []
    for _ in range(8):
        _fail(db)
        waits.append(_open(db))
        change(db, "UPDATE breakers SET open_until = clock_timestamp()")

    assert [round(wait) for wait in waits] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_failures_of_one_outage_count_once(db: Database) -> None:
    """32 windows that were in work when the provider went away do not close it for a minute."""
    for _ in range(34):
        _fail(db)

    assert 0 < _open(db) <= 1
    assert column(db, "SELECT failures FROM breakers") == [3]


def test_a_provider_that_says_how_long_is_believed_at_once(db: Database) -> None:
    """Its wish counts from the first failure and is never shortened by others."""
    _fail(db, seconds=30)
    assert 28 < _open(db) <= 30
    _fail(db)
    _fail(db, seconds=1)
    assert 28 < _open(db) <= 30
    (found,) = db.run(breakers.listing)
    assert (found.provider, found.code, found.detail) == ("llm", "rate_limited", "busy")


def test_an_answer_forgets_all_failures(db: Database) -> None:
    """The next outage begins at one again; other providers are untouched."""
    for _ in range(3):
        _fail(db)
    _fail_other(db)
    db.run(lambda session: breakers.reset(session, "llm"))
    for _ in range(2):
        _fail(db)

    assert [item.provider for item in db.run(breakers.listing)] == ["embeddings"]
    assert column(db, "SELECT failures FROM breakers WHERE provider = 'llm'") == [2]


def _fail_other(db: Database) -> None:
    db.run(lambda session: breakers.fail(session, "embeddings", "quota_exhausted", "empty", seconds=60))


def test_what_a_probe_learnt_is_kept(db: Database) -> None:
    """One value a key, the newest."""
    assert db.run(lambda session: capabilities.get(session, "k")) is None
    db.run(lambda session: capabilities.keep(session, "k", {"rung": "json_schema"}))
    db.run(lambda session: capabilities.keep(session, "k", {"rung": "tools", "proven": True}))

    assert db.run(lambda session: capabilities.get(session, "k")) == {"rung": "tools", "proven": True}
