"""The play and its oracle: no answer holds another's canary or id, and nobody else's row or point has changed."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

from tests.walls.moves import BAD, CREWS, GOOD, Call, Move, moves, request
from tests.walls.stage import Stage, Tenant

EXAMPLE = 50  # calls between two looks at all tenants' rows
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(slots=True)
class Tally:
    """What was tried."""

    calls: int = 0
    foreign: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    keys: Counter[str] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)


class Matrix:
    """One stage, played on until enough calls were made."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.tally = Tally()
        self._ids = [{str(value) for value in known["any"]} for known in stage.known.ids]
        self._canaries = [
            {canary: cell for cell, canary in tenant.cells.items()} | {tenant.canary: None} for tenant in stage.tenants
        ]

    def play(self, calls: int, number: int) -> Tally:
        """At least this many calls, chosen by Hypothesis from the seed `number`. Raises AssertionError at a breach."""
        tenants = self.stage.tenants

        @seed(number)
        @settings(
            max_examples=-(-calls // EXAMPLE), deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck), verbosity=Verbosity.quiet, print_blob=False,
        )  # fmt: skip
        @given(
            st.sampled_from(tenants),
            st.sampled_from(CREWS),
            st.lists(moves(self.stage.ways, len(tenants)), min_size=EXAMPLE, max_size=EXAMPLE),
        )
        def example(tenant: Tenant, crew: tuple[str, ...], chosen: list[Move]) -> None:
            self._example(tenant, crew, chosen)

        self._round()
        while self.tally.calls < calls:  # Hypothesis may find fewer examples distinct than asked for
            example()
            number += 1
        assert self.stage.all_points() == self.stage.points, "callers changed the engine"
        return self.tally

    def _round(self) -> None:
        """Each route once with another tenant's ids and every right, and each kind of key: none is left to chance."""
        chosen = [Move(way, who=0, aim=1, pick=0, shape=1, repeat=5) for way in self.stage.ways]
        self._example(self.stage.tenants[0], ("admin",), chosen)
        every = (*GOOD, *BAD)
        own = [Move(self.stage.ways[0], who=who, aim=1, pick=0, shape=1, repeat=5) for who in range(len(every))]
        self._example(self.stage.tenants[0], every, own)

    def _example(self, tenant: Tenant, crew: tuple[str, ...], chosen: list[Move]) -> None:
        try:
            self.stage.run(self._all(tenant, crew, chosen))
            self._rows(tenant, set(crew), chosen)
        finally:
            self.stage.restore(tenant)

    async def _all(self, tenant: Tenant, crew: tuple[str, ...], chosen: list[Move]) -> None:
        for move in chosen:
            await self.call(tenant, crew[move.who % len(crew)], move)

    async def call(self, tenant: Tenant, key: str, move: Move) -> None:
        """One call and what it must not show. Raises AssertionError at a breach."""
        call = request(move, tenant.number, self.stage.known)
        token = tenant.keys[key]
        if token:
            scheme = ("Bearer", "Token")[move.pick % 2] if move.shape % 8 else None
            call.headers |= {"X-API-Key": token} if scheme is None else {"Authorization": f"{scheme} {token}"}
        answer = await self.stage.http.request(
            call.method, call.path, params=call.query, json=call.body, headers=call.headers
        )
        self.tally.calls += 1
        self.tally.foreign += move.aim != 0
        self.tally.statuses[answer.status_code] += 1
        self.tally.keys[key] += 1
        self.tally.ways[move.way.label] += 1
        what = f"{tenant.number}/{key}: {call} -> {answer.status_code} {answer.text[:600]}"
        assert answer.status_code < 500 or answer.status_code == 501, what  # 501: nothing here has a chat model
        if key in BAD:
            assert answer.status_code in (401, 429), what
        elif call.foreign:
            assert answer.status_code >= 400, f"an id of another tenant was served: {what}"
        self._read(tenant, key, call, answer.text, what)

    def _read(self, tenant: Tenant, key: str, call: Call, text: str, what: str) -> None:
        asked = f"{call.path} {call.query} {call.body}"
        told = set(_ID.findall(text)) - set(_ID.findall(asked))
        for other, canaries in enumerate(self._canaries):
            mine = other == tenant.number
            for canary, cell in canaries.items():
                allowed = mine and key not in BAD and (cell is None or tenant.sees(key, cell))
                assert allowed or canary not in text, f"{canary} was read by {what}"
            assert mine or not told & self._ids[other], f"ids of tenant {other} were read by {what}"

    def _rows(self, tenant: Tenant, keys: set[str], chosen: list[Move]) -> None:
        """Another tenant's rows never change; a tenant's own only where one of the keys may write."""
        now = self.stage.digests()
        writers = keys - {*BAD, "read"}
        for (number, cell), digest in self.stage.before.items():
            user, _, agent = cell.partition("/")
            whole = not cell.strip("/") and bool(keys - set(BAD))  # exports and settings, say
            mine = number == tenant.number and (whole or any(tenant.sees(key, (user, agent)) for key in writers))
            assert mine or now.get((number, cell)) == digest, (
                f"rows of {number} {cell} were changed by {sorted(keys)} of {tenant.number}: {chosen}"
            )
