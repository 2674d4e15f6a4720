"""Holds what the service promised against what stands in Postgres, after every step and at the end."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.db.scopes import Claim
from tests.machine.gates import Run
from tests.machine.guest import KILLER, POISON
from tests.machine.oracle import Heard, Memory, Surprise
from tests.machine.rows import EMPTY, Rows, settled

_ENDED = ("SUCCEEDED", "FAILED")


class Judge:
    """`rows`: as they stood when it last looked."""

    def __init__(self) -> None:
        self.rows = EMPTY
        self.acknowledged: dict[UUID, list[str]] = {}  # event: its texts
        self.erased: set[UUID] = set()  # events behind a delete-all
        self.gone: set[UUID] = set()  # memories that a delete-all took
        self.reopened: set[UUID] = set()  # since the last look
        self.taken_over: Counter[UUID] = Counter()  # scope: leases that ended without an orderly end
        self.bugs = 0
        self.windows = self.stale = 0
        self.memories: defaultdict[UUID, Memory] = defaultdict(Memory)

    def look(
        self, rows: Rows, now: datetime, run: Run | None = None, then: Callable[[Rows], None] | None = None
    ) -> None:
        """`run`: who took a step since the last look. `then`: what a user did since, or after it."""
        before = self.rows
        if run is not None and run.claim is not None:
            self._fences(before, rows, run.claim)
        for scope in rows.scopes:
            self._window(before, rows, scope, run)
        if then is not None:
            then(rows)
        for scope in rows.scopes:
            stored = [row for row in rows.memories.values() if row.scope_id == scope and row.kind != "message"]
            self.memories[scope].compare(stored)
            self._leases(before, rows, scope, run, now)
        self._events(before, rows)
        self._kept(rows)
        self.reopened.clear()
        self.rows = rows

    # --- windows

    def _window(self, before: Rows, after: Rows, scope: UUID, run: Run | None) -> None:
        """What a commit did in a scope: the next messages of one lane, in order, once."""
        for lane in ("live", "bulk"):
            waiting = before.open_messages(scope, lane)
            done = [row for old in waiting if (row := after.messages.get(old.id)) is not None and settled(row)]
            if not done:
                continue
            left = [row for row in waiting if row.id in after.messages]
            if [row.id for row in left[: len(done)]] != [row.id for row in done]:
                raise Surprise(f"out of order in {lane}: {[row.text for row in done]} of {[row.text for row in left]}")
            if run is None or run.claim is None or (run.claim.scope.scope_id, run.claim.lane) != (scope, lane):
                raise Surprise("messages ended without a claim on their lane")
            applied = [row for row in done if row.failed_code is None]
            if applied:
                self._apply(before, applied, run, scope)

    def _apply(self, before: Rows, applied: Sequence[Any], run: Run, scope: UUID) -> None:
        assert run.answer is not None, "applied without asking"
        self.windows += 1
        groups: list[list[Any]] = []
        for message in applied:
            if message.id in run.answer:
                groups.append([message])
            else:
                assert groups, f"{message.text!r} was never shown"
                assert groups[-1][0].text == message.text, f"{message.text!r} was never shown"
                groups[-1].append(message)
        heard = [Heard(tuple(group), decision) for group in groups if (decision := run.answer[group[0].id]) is not None]
        versions = {row.id: row.version for row in before.memories.values()}
        self.memories[scope].apply(heard, versions, last_run=run.asked >= 3)

    # --- leases

    def _fences(self, before: Rows, after: Rows, claim: Claim) -> None:
        """Nothing of a scope changes by the hand of a worker whose claim is not the newest."""
        scope = claim.scope.scope_id
        row = before.scopes.get(scope)
        if row is not None and (row.fence, row.lease_owner) == (claim.fence, claim.owner):
            return
        self.stale += 1
        for kind in ("events", "messages", "memories"):
            old, new = (_of_scope(getattr(rows, kind), scope) for rows in (before, after))
            if kind != "events":
                new = {key: value for key, value in new.items() if key in old}
            if any(new.get(key, value) != value for key, value in old.items()):
                raise Surprise(f"a stale claim changed {kind}")

    def _leases(self, before: Rows, after: Rows, scope: UUID, run: Run | None, now: datetime) -> None:
        row, old = after.scopes[scope], before.scopes.get(scope)
        for lane in ("live", "bulk"):
            pending, waiting = getattr(row, f"pending_{lane}"), len(after.open_messages(scope, lane))
            if pending != waiting:
                raise Surprise(f"{pending} pending in {lane}, {waiting} open")
        if old is None:
            return
        if row.fence < old.fence:
            raise Surprise("a fence went back")
        if row.fence > old.fence and run is not None and row.lease_owner == run.owner:
            if row.fence > old.fence + 1:
                raise Surprise("claimed twice in one step")
            if old.lease_owner is not None:
                self.taken_over[scope] += 1
                if before.holder(scope, now) is not None:
                    raise Surprise(f"{run.owner} claimed what {old.lease_owner} holds")

    # --- events

    def _events(self, before: Rows, after: Rows) -> None:
        waiting = Counter(row.event_id for row in after.messages.values() if not settled(row))
        for event in after.events.values():
            if event.kind in ("add", "raw"):
                self._event(before.events.get(event.id), event, waiting[event.id])

    def _event(self, old: Any, event: Any, waiting: int) -> None:
        ended = event.status in _ENDED
        if event.pending != waiting or ended != (waiting == 0):
            raise Surprise(f"event {event.status} with {event.pending} pending, {waiting} open")
        if old is not None and old.status in _ENDED and event.id not in self.reopened:
            fixed = (old.status, old.error_code, old.completed_at)
            if (event.status, event.error_code, event.completed_at) != fixed and not event.erased:
                raise Surprise(f"an event ended twice: {fixed}, then {event.status} {event.error_code}")
        if event.erased and event.results:
            raise Surprise("an erased event has results")
        if event.kind == "add" and not event.erased and len(event.results) != event.versions:
            raise Surprise(f"{len(event.results)} results, {event.versions} versions of an event")
        if event.status == "FAILED":
            self._may_fail(event)

    def _may_fail(self, event: Any) -> None:
        texts = self.acknowledged.get(event.id, [])
        crashes = KILLER in texts  # no number of kills from outside ends an event
        reasons = {
            "content_filtered": POISON in texts,
            "partial": POISON in texts or crashes or self.bugs,
            "crashed": crashes,
            "internal": self.bugs,
        }
        if not reasons.get(event.error_code):
            raise Surprise(f"{texts} FAILED {event.error_code} for nothing")

    def _kept(self, rows: Rows) -> None:
        """Whatever was acknowledged is there, unless a delete-all came after it; what was erased is not."""
        for event_id in self.acknowledged:
            if event_id not in rows.events:
                raise Surprise("an acknowledged event is gone")
        said: defaultdict[UUID, list[str]] = defaultdict(list)
        for message in rows.messages.values():
            said[message.event_id].append(message.text)
        for event_id, texts in self.acknowledged.items():
            expected = [] if event_id in self.erased else texts
            if said[event_id] != expected:
                raise Surprise(f"messages {said[event_id]} of an event that brought {expected}")
        if back := self.gone & rows.memories.keys():
            raise Surprise(f"{len(back)} erased memories are back")


def _of_scope(rows: dict[UUID, Any], scope: UUID) -> dict[UUID, Any]:
    return {key: row for key, row in rows.items() if row.scope_id == scope}
