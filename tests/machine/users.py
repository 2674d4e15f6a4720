"""What callers do, through the query functions that the routes call, and what they may expect of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.db import accept, memory_edits, retry
from shared.db.accept import Accepted, NewEvent, NewMessage
from shared.db.engine import Session
from shared.db.erasure import UNSEALED
from shared.db.idempotency import Key
from shared.db.memory_edits import Patch
from shared.errors import Conflict, NotFound, Unprocessable
from shared.model.scope import Lane, ScopeIds, ScopeRef
from tests.machine.judge import Judge
from tests.machine.oracle import Surprise
from tests.machine.rows import Rows
from tests.machine.world import World


@dataclass(frozen=True, slots=True)
class Post:
    """A write as a caller sends it. `ago`: seconds since it was said, None: the caller does not tell."""

    project_id: UUID
    ids: ScopeIds
    texts: tuple[str, ...]
    lane: Lane = "live"
    infer: bool = True
    key: str | None = None
    ago: float | None = None


class Lost(Exception):
    """The API died before its transaction was committed."""


class Users:
    """All callers; `keys`: what was sent under an Idempotency-Key first; `bells`: rung, not yet heard."""

    def __init__(self, world: World, judge: Judge) -> None:
        self._world, self._judge = world, judge
        self.keys: dict[tuple[UUID, str], tuple[Post, UUID]] = {}
        self.bells: list[ScopeRef] = []

    # --- posting

    def post(self, post: Post) -> None:
        """Accept it, or answer what the key stands for; the bell rings when the lane was idle."""
        known = self.keys.get((post.project_id, post.key)) if post.key else None
        if known is None:
            self._accept(post)
        elif known[1] in self._judge.erased or _body(known[0]) == _body(post):
            accepted = self._world.db.run(lambda session: accept.accept(session, self._event(post)))
            if not accepted.replayed or accepted.event_id != known[1]:
                raise Surprise("a repeated key made another event")
        else:
            self._refused(post, known[1])

    def post_in_vain(self, post: Post) -> None:
        """The API dies before the commit: nothing happened, the key is free."""
        try:
            self._world.db.run(lambda session: self._dying(session, post))
        except Lost:
            return

    def _dying(self, session: Session, post: Post) -> None:
        accept.accept(session, self._event(post))
        raise Lost

    def _accept(self, post: Post) -> None:
        accepted = self._world.db.run(lambda session: accept.accept(session, self._event(post)))
        if accepted.replayed:
            raise Surprise("a new key was taken for a known one")
        self.kept(post, accepted)

    def kept(self, post: Post, accepted: Accepted) -> None:
        """The caller was told so."""
        assert accepted.scope_id is not None
        self._judge.acknowledged[accepted.event_id] = list(post.texts)
        if post.key:
            self.keys[post.project_id, post.key] = (post, accepted.event_id)
        if accepted.ring:
            self.bells.append(ScopeRef(post.project_id, accepted.scope_id))

    def _refused(self, post: Post, event_id: UUID) -> None:
        try:
            self._world.db.run(lambda session: accept.accept(session, self._event(post)))
        except Unprocessable as error:
            if error.extra["event_id"] != str(event_id):
                raise Surprise("a reused key names another event") from error
            return
        raise Surprise("a key was used for two bodies")

    def _event(self, post: Post) -> NewEvent:
        said_at = None if post.ago is None else self._world.clock.now() - timedelta(seconds=post.ago)
        messages = tuple(NewMessage("user", text, said_at) for text in post.texts)
        key = self._key(post.project_id, post.key, _body(post)) if post.key else None
        return NewEvent(
            post.project_id, post.ids, messages, infer=post.infer, lane=post.lane, reply_to="api", idempotency=key
        )

    @staticmethod
    def _key(project_id: UUID, key: str, body: str) -> Key:
        sealed = UNSEALED.request(project_id, "add", key)
        return Key("add", key, hashlib.sha256(body.encode()).digest(), sealed=sealed)

    def raw_kept(self, post: Post, rows: Rows) -> None:
        """Messages stored as they are, by what their event answered."""
        known = {row.id for row in self._judge.rows.events.values()}
        for event in rows.events.values():
            if event.kind == "raw" and event.id not in known:
                for result in event.results:
                    row = rows.memories[UUID(result["id"])]
                    self._judge.memories[row.scope_id].keep_raw(row.id, row.text, row.observed_at)

    # --- changing

    def patch(self, project_id: UUID, memory_id: UUID, text: str) -> str:
        """What the service answers."""
        try:
            self._world.db.run(lambda session: memory_edits.patch(session, project_id, memory_id, Patch(text=text)))
        except NotFound:
            return "missing"
        except Conflict:
            return "conflict"
        return "done"

    def patched(self, row: Any, text: str, now: datetime, answer: str) -> None:
        """Hold it against what should come of it."""
        expected = self._judge.memories[row.scope_id].patch(row.id, text, now)
        if answer != expected:
            raise Surprise(f"PATCH {row.text!r} to {text!r}: {answer}, not {expected}")

    def delete(self, project_id: UUID, memory_id: UUID) -> bool:
        """Whether the service deleted it."""
        try:
            self._world.db.run(lambda session: memory_edits.delete(session, project_id, memory_id))
        except NotFound:
            return False
        return True

    def deleted(self, row: Any, answer: bool, rows: Rows) -> None:  # noqa: FBT001 - an answer
        """Hold it against what should come of it."""
        stored = rows.memories.get(row.id)
        seq = -1 if stored is None or stored.deleted_seq is None else stored.deleted_seq
        if answer != self._judge.memories[row.scope_id].delete(row.id, seq):
            raise Surprise(f"DELETE of {row.text!r} answered {answer}")
        accepted = [event.seq for event in self._judge.rows.events.values() if event.scope_id == row.scope_id]
        if answer and seq <= max(accepted, default=0):
            raise Surprise("a deletion is older than what was accepted before it")

    def delete_all(self, project_id: UUID, ids: ScopeIds) -> None:
        """Erase everything of these ids."""
        self._world.db.run(lambda session: memory_edits.delete_all(session, project_id, ids))

    def erased(self, project_id: UUID, ids: ScopeIds, rows: Rows) -> None:
        """Scopes concerned begin anew; what was accepted there before is behind the deletion."""
        old = self._judge.rows
        touched = {
            row.id
            for row in old.scopes.values()
            if row.project_id == project_id and row.user_id == ids.user_id and ids.agent_id in (None, row.agent_id)
        }
        for scope in touched:
            self._judge.memories.pop(scope, None)
        self._judge.gone |= {row.id for row in old.memories.values() if row.scope_id in touched}
        for event in old.events.values():
            if event.scope_id in touched:
                self._judge.erased.add(event.id)
                if not rows.events[event.id].erased:
                    raise Surprise("a delete-all left an event")

    def retry(self, event: Any) -> None:
        """Work again on what failed."""
        done = self._world.db.run(lambda session: retry.reopen(session, event.project_id, event.id))
        if done.messages != len(event.failed):
            raise Surprise(f"{done.messages} messages are tried again, {len(event.failed)} failed")
        self._judge.reopened.add(event.id)
        if done.ring:
            self.bells.append(done.scope)


def _body(post: Post) -> str:
    return repr((post.ids, post.texts, post.lane, post.infer, post.ago))
