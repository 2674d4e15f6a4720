"""Who gets which scope: lanes, turns, caps, leases and fences, all by Postgres' clock."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import sqlalchemy as sa

from shared.db import scopes
from shared.db.engine import Database
from shared.db.scopes import Claim
from shared.model.scope import ScopeIds, ScopeRef
from tests import factories
from tests.factories import change, claim, column, post, rows
from tests.stack import wait_until


def _user(name: str) -> ScopeIds:
    return ScopeIds(user_id=name)


def _held(db: Database, **options: object) -> Claim:
    found = claim(db, **options)  # type: ignore[arg-type]
    assert found is not None
    return found


def test_nothing_due_nothing_claimed(db: Database, project_id: UUID) -> None:
    """An empty database, and a scope without pending work."""
    assert claim(db) is None
    post(db, project_id, "x", infer=False)
    assert claim(db) is None


def test_a_claim_carries_what_proves_it(db: Database, project_id: UUID) -> None:
    """Owner, fence, lease and the lane's backlog."""
    accepted = post(db, project_id, "four", "five!")

    held = _held(db, owner="w1", lease=30)

    assert accepted.scope_id is not None
    assert held == Claim(ScopeRef(project_id, accepted.scope_id), "live", 1, "w1", 2, 9)
    (scope,) = rows(db, "SELECT lease_owner, fence, lease_until - clock_timestamp() AS left FROM scopes")
    assert (scope["lease_owner"], scope["fence"]) == ("w1", 1)
    assert 28 < scope["left"].total_seconds() <= 30


def test_a_leased_scope_is_skipped(db: Database, project_id: UUID) -> None:
    """Both lanes of a scope are one lease."""
    post(db, project_id, "x")
    post(db, project_id, "x", lane="bulk")

    assert claim(db) is not None
    assert claim(db) is None


def test_live_comes_before_bulk(db: Database, project_id: UUID) -> None:
    """However long the bulk work has waited."""
    post(db, project_id, "old", ids=_user("a"), lane="bulk")
    post(db, project_id, "new", ids=_user("b"))

    assert [_held(db).lane, _held(db).lane] == ["live", "bulk"]


def test_bulk_can_be_left_out(db: Database, project_id: UUID) -> None:
    """A worker whose bulk share is used up takes live work only."""
    post(db, project_id, "x", lane="bulk")

    assert claim(db, bulk=False) is None
    assert _held(db).lane == "bulk"


def test_the_oldest_due_scope_of_a_tenant_is_next(db: Database, project_id: UUID) -> None:
    """Within a tenant, by the time the lane became due."""
    made = [post(db, project_id, "x", ids=_user(name)).scope_id for name in "cab"]

    assert [_held(db).scope.scope_id for _ in made] == made


def test_tenants_take_turns(db: Database) -> None:
    """Ten scopes of one tenant do not keep another waiting: `after` goes round."""
    tenants = [factories.project(db, name).id for name in "abc"]
    for tenant, count in zip(tenants, (10, 2, 2), strict=True):
        for number in range(count):
            post(db, tenant, "x", ids=_user(str(number)))
    served: list[UUID] = []
    for _ in range(7):
        served.append(_held(db, after=served[-1] if served else None).scope.project_id)

    assert Counter(served[:6]) == dict.fromkeys(tenants, 2)
    assert served[6] == tenants[0]


def test_a_tenant_has_a_cap(db: Database) -> None:
    """With its cap in work a tenant waits, another does not; an expired lease does not count."""
    greedy, other = (factories.project(db, name).id for name in "ab")
    for number in range(4):
        post(db, greedy, "x", ids=_user(str(number)))
    post(db, other, "x")

    got = [claim(db, tenant_cap=2) for _ in range(4)]

    assert [held.scope.project_id if held else None for held in got] == [greedy, greedy, other, None]
    change(db, "UPDATE scopes SET lease_until = clock_timestamp() - interval '1 s' WHERE project_id = %s", greedy)
    assert claim(db, tenant_cap=2) is not None


def test_a_hint_is_taken_first(db: Database, project_id: UUID) -> None:
    """The scope a bell names, if it is due."""
    scopes_made = [post(db, project_id, "x", ids=_user(name)).scope_id for name in "abc"]
    last = scopes_made[-1]
    assert last is not None

    assert _held(db, hint=ScopeRef(project_id, last)).scope.scope_id == last
    assert _held(db, hint=ScopeRef(project_id, last)).scope.scope_id == scopes_made[0]


def test_a_hint_overrides_no_policy(db: Database, project_id: UUID) -> None:
    """Snoozed, unknown, foreign or capped: the hint is passed over."""
    first = post(db, project_id, "x", ids=_user("a")).scope_id
    second = post(db, project_id, "x", ids=_user("b")).scope_id
    assert first is not None
    assert second is not None
    change(db, "UPDATE scopes SET available_live = clock_timestamp() + interval '9 s' WHERE id = %s", first)

    assert _held(db, hint=ScopeRef(project_id, first)).scope.scope_id == second
    assert claim(db, hint=ScopeRef(project_id, first)) is None
    third = post(db, project_id, "x", ids=_user("c")).scope_id
    assert third is not None
    assert claim(db, hint=ScopeRef(project_id, third), tenant_cap=1) is None
    assert claim(db, hint=ScopeRef(factories.project(db, "other").id, third), tenant_cap=1) is None


def test_a_snoozed_lane_is_not_due(db: Database, project_id: UUID) -> None:
    """Each lane has its own time."""
    post(db, project_id, "x")
    post(db, project_id, "x", lane="bulk")
    change(db, "UPDATE scopes SET available_live = clock_timestamp() + interval '30 s'")

    assert db.run(scopes.due_lanes) == (False, True)
    assert _held(db).lane == "bulk"


def test_an_expired_lease_is_taken_over_with_a_higher_fence(db: Database, project_id: UUID) -> None:
    """The former holder can neither hold, settle nor renew any more."""
    post(db, project_id, "x")
    first = _held(db, owner="w1")
    assert db.run(scopes.due_lanes) == (False, False)
    change(db, "UPDATE scopes SET lease_until = clock_timestamp() - interval '1 s'")
    assert db.run(scopes.due_lanes) == (True, False)

    second = _held(db, owner="w1")

    assert second.fence == first.fence + 1
    assert not db.run(lambda session: scopes.hold(session, first))
    assert not db.run(lambda session: scopes.settle(session, first, done=1, done_bytes=1))
    assert db.run(lambda session: scopes.heartbeat(session, [first], 30)) == 0
    assert column(db, "SELECT pending_live FROM scopes") == [1]
    assert db.run(lambda session: scopes.hold(session, second))


def test_an_expired_but_untaken_lease_still_commits(db: Database, project_id: UUID) -> None:
    """Late is not lost: as long as nobody took over, the work counts."""
    post(db, project_id, "x")
    held = _held(db)
    change(db, "UPDATE scopes SET lease_until = clock_timestamp() - interval '1 s'")

    assert db.run(lambda session: scopes.hold(session, held))
    assert db.run(lambda session: scopes.heartbeat(session, [held], 30)) == 1
    assert db.run(scopes.due_lanes) == (False, False)


def test_settling_gives_the_scope_back(db: Database, project_id: UUID) -> None:
    """Finished messages and bytes leave the lane; it is due at once, or after the pause asked for."""
    post(db, project_id, "abc", "de")
    held = _held(db)

    assert db.run(lambda session: scopes.settle(session, held, done=1, done_bytes=3))
    (scope,) = rows(db, "SELECT pending_live, pending_bytes, lease_owner, lease_until FROM scopes")
    assert scope == {"pending_live": 1, "pending_bytes": 2, "lease_owner": None, "lease_until": None}
    again = _held(db)
    assert db.run(lambda session: scopes.settle(session, again, done=0, done_bytes=0, delay=20))
    assert claim(db) is None
    (wait,) = column(db, "SELECT available_live - clock_timestamp() FROM scopes")
    assert 18 < wait.total_seconds() <= 20


def test_a_settled_claim_cannot_be_used_again(db: Database, project_id: UUID) -> None:
    """Without the lease the fence alone proves nothing."""
    post(db, project_id, "x")
    held = _held(db)
    db.run(lambda session: scopes.settle(session, held, done=0, done_bytes=0))

    assert not db.run(lambda session: scopes.hold(session, held))
    assert not db.run(lambda session: scopes.settle(session, held, done=1, done_bytes=1))


def test_one_heartbeat_renews_many(db: Database, project_id: UUID) -> None:
    """Held ones are prolonged, lost ones are not, in one statement."""
    for name in "abc":
        post(db, project_id, "x", ids=_user(name))
    held = [_held(db, lease=5) for _ in range(3)]
    db.run(lambda session: scopes.settle(session, held[1], done=0, done_bytes=0))

    assert db.run(lambda session: scopes.heartbeat(session, held, 60)) == 2
    left = column(db, "SELECT lease_until - clock_timestamp() FROM scopes WHERE lease_owner IS NOT NULL")
    assert all(value.total_seconds() > 50 for value in left)
    assert db.run(lambda session: scopes.heartbeat(session, [], 60)) == 0


def test_a_busy_scope_does_not_hold_up_the_heartbeat_of_others(db: Database, project_id: UUID) -> None:
    """A scope row locked by a long transaction is passed over; the other leases are renewed at once."""
    for name in "ab":
        post(db, project_id, "x", ids=_user(name))
    held = [_held(db, lease=5) for _ in range(2)]
    with db.transaction() as blocking, ThreadPoolExecutor(1) as pool:
        assert scopes.lock(blocking, held[0].scope)
        renewing = pool.submit(db.run, lambda session: scopes.heartbeat(session, held, 60))
        assert renewing.result(timeout=5) == 1

    assert db.run(lambda session: scopes.heartbeat(session, held, 60)) == 2


def test_eight_claimers_never_share_a_scope(db: Database, project_id: UUID) -> None:
    """50 scopes, 8 threads, each scope once; then nothing is left."""
    made = {post(db, project_id, "x", ids=_user(str(number))).scope_id for number in range(50)}
    barrier = threading.Barrier(8)

    def take(worker: int) -> list[UUID]:
        barrier.wait(10)
        mine = []
        misses = 0
        while misses < 3:
            found = claim(db, owner=f"w{worker}")
            misses += found is None
            if found is not None:
                mine.append(found.scope.scope_id)
        return mine

    with ThreadPoolExecutor(8) as pool:
        taken = [scope for part in pool.map(take, range(8)) for scope in part]

    assert len(taken) == 50
    assert set(taken) == made


def test_every_claimer_finds_work_while_there_is_some(db: Database, project_id: UUID) -> None:
    """A row locked by another claimer is passed over, never waited for."""
    for name in "ab":
        post(db, project_id, "x", ids=_user(name))
    with db.transaction() as session:
        first = scopes.claim(session, owner="w1", lease=30, tenant_cap=10)
        with ThreadPoolExecutor(1) as pool:
            second = pool.submit(claim, db, owner="w2").result(timeout=5)

    assert first is not None
    assert second is not None
    assert first.scope != second.scope


def test_a_claimer_waits_for_one_row_and_holds_none(db: Database, project_id: UUID) -> None:
    """All due rows are locked: a claimer waits for the first; when another takes that one, it locks no second."""
    first, second = (post(db, project_id, "x", ids=_user(name)).scope_id for name in "ab")
    assert first is not None
    assert second is not None
    with ThreadPoolExecutor(1) as pool, db.transaction() as kept:
        assert scopes.lock(kept, ScopeRef(project_id, second))
        with db.transaction() as session:
            assert scopes.lock(session, ScopeRef(project_id, first))
            claiming = pool.submit(claim, db, owner="late")
            wait_until(lambda: _waiting_for_locks(db), "the claimer to wait")
            lease = sa.text("UPDATE scopes SET lease_owner = 'w', lease_until = now() + interval '1 min' WHERE id = :s")
            session.execute(lease, {"s": first})
        assert claiming.result(timeout=5) is None


def _waiting_for_locks(db: Database) -> list[object]:
    return column(
        db, "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
