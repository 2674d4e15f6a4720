"""What row-level security costs: the same work with and without it, in turns of one run, as a ratio.

`python -m tests.walls.cost` prints medians and the fastest tenth. The walls' BEGIN carries role and tenant, the other
one is plain.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cli.embedded import environment

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Side:
    """One database object and how a tenant is said to it."""

    db: Any
    tenant: Callable[[], AbstractContextManager[None]]
    queue: Callable[[], AbstractContextManager[None]]


def main() -> None:
    """Start Postgres, fill it, measure, print."""
    parser = argparse.ArgumentParser(prog="tests.walls.cost", description=__doc__)
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--memories", type=int, default=20_000)
    options = parser.parse_args()
    for name in set(os.environ) - set(environment.isolated(os.environ)):
        del os.environ[name]
    from tests.stack import Stack

    stack = Stack()
    try:
        measure(stack.new_database(), options.rounds, options.memories)
    finally:
        stack.close()


def measure(url: str, rounds: int, memories: int) -> None:
    """Every subject with both sides by turns."""
    from shared.db import tenancy
    from shared.db.engine import Database

    walled, plain = Database(url, pool_size=1, walls=True), Database(url, pool_size=1)
    project_id, ids = _fill(plain, memories)
    sides = {
        "on": Side(walled, lambda: tenancy.tenant(project_id), lambda: tenancy.across(tenancy.Role.QUEUE)),
        "off": Side(plain, nullcontext, nullcontext),
    }
    print(f"{rounds} rounds, {memories} memories; ms with the walls / without = ratio")
    for title, make in _subjects(project_id, ids).items():
        works = {name: make(side) for name, side in sides.items()}
        took: dict[str, list[float]] = {"on": [], "off": []}
        for turn in range(rounds + 20):
            for name in ("on", "off") if turn % 2 else ("off", "on"):
                began = time.perf_counter()
                works[name]()
                if turn >= 20:
                    took[name].append((time.perf_counter() - began) * 1_000)
        on, off = (statistics.median(took[name]) for name in ("on", "off"))
        best_on, best_off = (statistics.quantiles(took[name], n=10)[0] for name in ("on", "off"))
        print(f"{title:<20} median {on:.2f} / {off:.2f} = {on / off:.2f}", end="   ")
        print(f"fastest tenth {best_on:.2f} / {best_off:.2f} = {best_on / best_off:.2f}", flush=True)
    walled.close()
    plain.close()


_MANY = """
    INSERT INTO memories (project_id, id, scope_id, user_id, text, index_text, hash, kind, metadata, observed_at)
    SELECT project_id, gen_random_uuid(), scope_id, 'u' || n %% 100, 'I keep thing ' || n, 'I keep thing ' || n,
           decode(md5(n::text), 'hex'), kind, jsonb_build_object('place', 'room ' || n %% 100), observed_at
    FROM memories m, generate_series(1, %s) n WHERE m.text = 'The first'
"""


def _fill(db: Any, memories: int) -> tuple[UUID, list[UUID]]:
    """A project with this many memories among a hundred users, and another of the same size beside it."""
    from tests import factories

    for name in ("one", "two"):
        project_id = factories.project(db, name).id
        factories.post(db, project_id, "The first", infer=False)
    factories.change(db, _MANY, memories)
    factories.change(db, "ANALYZE")
    found = factories.column(db, "SELECT id FROM memories WHERE project_id = %s LIMIT 500", project_id)
    return project_id, found


def _subjects(project_id: UUID, ids: list[UUID]) -> dict[str, Callable[[Side], Work]]:
    from itertools import count

    from shared.db import filtered, memories, scopes
    from shared.db.accept import accept
    from shared.db.filtered import Asked
    from shared.db.memories import Page
    from shared.model.filters import MetaEquals
    from shared.model.scope import ScopeIds
    from tests import factories

    numbers = count()

    def post(side: Side) -> Work:
        def work() -> object:
            new = factories.new_event(project_id, "I moved", ids=ScopeIds(user_id=f"n{next(numbers)}"))
            with side.tenant():
                return side.db.run(lambda session: accept(session, new))

        return work

    def claim(side: Side) -> Work:
        def work() -> object:
            with side.queue():
                found = side.db.run(lambda s: scopes.claim(s, owner="cost", lease=30, tenant_cap=10**6))
            with side.tenant(), side.db.transaction() as session:
                assert scopes.hold(session, found)
                return scopes.settle(session, found, done=0, done_bytes=0)

        return work

    def within(query: Callable[[Any], object]) -> Callable[[Side], Work]:
        def make(side: Side) -> Work:
            def work() -> object:
                with side.tenant():
                    return side.db.run(query)

            return work

        return make

    chosen = Asked(project_id, filter=MetaEquals("place", ("room 7",)))
    return {
        "accept": post,
        "claim, hold, settle": claim,
        "GET by id": within(lambda s: memories.get(s, project_id, ids[next(numbers) % len(ids)])),
        "list of a user": within(lambda s: memories.newest(s, project_id, ScopeIds(user_id="u7"), Page(50))),
        "ids by metadata": within(lambda s: filtered.ids(s, chosen, 2_001)),
    }


if __name__ == "__main__":
    main()
