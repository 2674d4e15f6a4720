"""What was current at a moment: versions, retractions, late messages, expiry, and the walls between scopes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from shared.db import as_of, memory_edits
from shared.db.memories import Page
from shared.db.memory_edits import Patch
from shared.model.memory import Memory
from shared.model.scope import ScopeIds
from tests.factories import ALEX, said
from tests.integration.pipeline_bench import Bench, Says

MAY = datetime(2025, 5, 1, 12, tzinfo=UTC)


def day(number: int) -> datetime:
    return MAY + timedelta(days=number)


def texts(bench: Bench, at: datetime, ids: ScopeIds = ALEX) -> list[str]:
    """What a list of that moment serves, sorted."""
    found = bench.db.run(lambda session: as_of.newest(session, bench.project_id, ids, Page(100), at))
    return sorted(memory.text for memory in found)


def then(bench: Bench, memory_id: UUID, at: datetime) -> Memory | None:
    return bench.db.run(lambda session: as_of.get(session, bench.project_id, memory_id, at))


def tell(bench: Bench, text: str, at: datetime, **options: Any) -> UUID:
    event_id = bench.post(said(text, at=at), **options)
    bench.drain()
    return event_id


def moved(bench: Bench) -> Memory:
    """Rome on day 0, refined on day 2, Milan on day 4."""
    bench.script.rules = [
        Says("Monti", "REFINE", target="Rome"), Says("Milan", "SUPERSEDE", target="Rome"),
        Says("Forget", "RETRACT", target="Milan"), Says("Lyon", "SUPERSEDE", target="Milan"),
    ]  # fmt: skip
    tell(bench, "I live in Rome", day(0), metadata={"v": 1})
    tell(bench, "I live in Rome near Monti", day(2), metadata={"v": 2})
    tell(bench, "I live in Milan", day(4), metadata={"v": 3})
    return bench.memory("I live in Milan")


def test_each_moment_shows_the_version_that_held_then(bench: Bench) -> None:
    """Nothing before the first statement, the refined one from when it was said, the new one since the change."""
    memory = moved(bench)

    assert texts(bench, day(-1)) == []
    assert texts(bench, day(0)) == ["I live in Rome"]
    assert texts(bench, day(3)) == ["I live in Rome near Monti"]
    assert texts(bench, day(4)) == ["I live in Milan"]
    past = then(bench, memory.id, day(1))
    assert past is not None
    assert (past.id, past.version, past.text, past.metadata, past.state) == (
        memory.id, 1, "I live in Rome", {"v": 1}, "current",
    )  # fmt: skip
    assert (past.valid_from, past.valid_to, past.evidence_count) == (day(0), day(4), 1)
    assert then(bench, memory.id, day(-1)) is None
    assert then(bench, memory.id, day(9)) == memory


def test_a_retraction_ends_all_versions(bench: Bench) -> None:
    """What was said before it stays in the past; from then on nothing holds, neither the new nor the refined text."""
    memory = moved(bench)
    tell(bench, "Forget where I live", day(6))

    assert texts(bench, day(3)) == ["I live in Rome near Monti"]
    assert texts(bench, day(5)) == ["I live in Milan"]
    assert texts(bench, day(6)) == []
    assert then(bench, memory.id, day(7)) is None


def test_a_late_message_fills_the_past(bench: Bench) -> None:
    """Said on day 1, told after day 4: it held until what was known of later days."""
    bench.script.rules = [Says("Lyon", "SUPERSEDE", target="Milan")]
    tell(bench, "I live in Milan", day(4))
    tell(bench, "I live in Lyon", day(1))

    assert texts(bench, day(2)) == ["I live in Lyon"]
    assert texts(bench, day(5)) == ["I live in Milan"]


def test_what_a_user_changes_and_deletes(bench: Bench) -> None:
    """A PATCH holds from when it was made; metadata alone changes no time; a deleted memory has no past."""
    memory = moved(bench)
    edit = Patch(metadata={"v": 9})
    bench.db.run(lambda session: memory_edits.patch(session, bench.project_id, memory.id, edit))
    assert [one.metadata for one in (then(bench, memory.id, day(3)), then(bench, memory.id, day(5))) if one] == [
        {"v": 2}, {"v": 9},
    ]  # fmt: skip
    bench.db.run(lambda session: memory_edits.patch(session, bench.project_id, memory.id, Patch("I live in Oslo")))
    assert texts(bench, day(5)) == ["I live in Milan"]
    assert texts(bench, datetime.now(UTC) + timedelta(minutes=1)) == ["I live in Oslo"]

    bench.db.run(lambda session: memory_edits.delete(session, bench.project_id, memory.id))
    assert texts(bench, day(5)) == []
    assert then(bench, memory.id, day(5)) is None


def test_expiry_is_that_of_the_day(bench: Bench) -> None:
    """Expired by now, but not then; expired then, whatever came later."""
    bench.script.rules = [Says("work at Globex", "SUPERSEDE", target="work")]
    tell(bench, "I work at Acme", day(0), expires_on=date(2025, 5, 3))
    assert (texts(bench, day(2)), texts(bench, day(3))) == (["I work at Acme"], [])
    tell(bench, "I work at Globex", day(9))

    assert [texts(bench, day(number)) for number in (2, 3, 9)] == [["I work at Acme"], [], ["I work at Globex"]]


def test_scopes_pages_and_messages_as_they_are(bench: Bench) -> None:
    """Only the given ids; the same pages as a list of today; raw memories have a past too."""
    tell(bench, "I own a canoe", day(0))
    tell(bench, "I own a piano", day(1))
    tell(bench, "I own a tent", day(0), ids=ScopeIds(user_id="other"))
    bench.post(said("as it is", at=day(2)), infer=False)

    assert texts(bench, day(3)) == ["I own a canoe", "I own a piano", "as it is"]
    assert texts(bench, day(3), ScopeIds(user_id="other")) == ["I own a tent"]
    found = bench.db.run(lambda session: as_of.newest(session, bench.project_id, ALEX, Page(1), day(3)))
    page = Page(5, (found[0].created_at, found[0].id))
    rest = bench.db.run(lambda session: as_of.newest(session, bench.project_id, ALEX, page, day(3)))
    assert [memory.text for memory in (*found, *rest)] == ["as it is", "I own a piano", "I own a canoe"]
