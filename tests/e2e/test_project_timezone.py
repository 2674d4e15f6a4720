"""A project's own timezone decides what "tomorrow" is where a message says no offset of its own."""

from __future__ import annotations

import pytest

from shared.db import keys, projects
from shared.db.engine import Database
from tests.e2e.flumes import Caller
from tests.stack import PEPPER, Service

LATE = "2024-03-05T23:30:00"  # without an offset: in Tokyo; as UTC it would be the same day
NIGHT = 1_709_652_600  # 15:30 of 5 March in UTC, half past midnight of 6 March in Tokyo


def tokyo_key(database_url: str) -> str:
    """A key of a project in Tokyo."""
    db = Database(database_url, pool_size=1, name="test")
    try:
        with db.transaction() as session:
            project = projects.ensure(session, "tokyo", {"timezone": "Asia/Tokyo"})
            return keys.create(session, project.id, PEPPER)
    finally:
        db.close()


@pytest.mark.timeout(240)
def test_tomorrow_is_the_projects(service: Service) -> None:
    """Naive stamps and epoch seconds are read in the project's zone; an offset in the message wins."""
    api = service.start_api()
    service.start_worker(poll=0.3)
    with Caller(api.url, tokyo_key(service.database_url)) as caller:
        found = {}
        for user, stamp in {"naive": LATE, "epoch": NIGHT, "offset": "2024-03-05T15:30:00+00:00"}.items():
            message = {"role": "user", "content": "I fly to Rome tomorrow", "timestamp": stamp}
            event = caller.add([message], wait=20, user_id=user).json()
            found[user] = caller.get(event["results"][0]["id"])["happens_at"][:10]

    assert found == {"naive": "2024-03-06", "epoch": "2024-03-07", "offset": "2024-03-06"}
