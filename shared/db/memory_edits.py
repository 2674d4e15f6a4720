"""What a user does to memories directly: change one, delete one. Always under the scope lock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared import clock
from shared.db import index_queue, memories, memory_writes, projects, scopes, source_rows
from shared.db.erasure import Erased, delete_all
from shared.db.index_queue import Change
from shared.errors import BadRequest, Conflict, NotFound
from shared.model.images import before_image
from shared.model.memory import Memory, VersionRow
from shared.model.record import RAW_KIND
from shared.model.redating import redated
from shared.model.scope import ScopeRef
from shared.model.text import raw_hash, text_hash

__all__ = ["Erased", "Keep", "Patch", "delete", "delete_all", "patch"]


class Keep(Enum):
    """Stands for a value that is not to be changed, where None is a value."""

    AS_IT_IS = "as it is"


@dataclass(frozen=True, slots=True)
class Patch:
    """What to change; None = leave as it is. `metadata={}` and `expires_on=None` clear. `said_at`: when it was said."""

    text: str | None = None
    metadata: dict[str, Any] | None = None
    said_at: datetime | None = None
    expires_on: date | Keep | None = Keep.AS_IT_IS


def _locked(session: Session, project_id: UUID, memory_id: UUID) -> Memory:
    """The memory, read after its scope row was locked. Raises `NotFound`."""
    found = memories.get(session, project_id, memory_id)
    if found is None or not scopes.lock(session, ScopeRef(project_id, found.scope_id)):
        raise NotFound("no memory has this id", code="memory_not_found", field="id")
    current = memories.get(session, project_id, memory_id)
    if current is None or current.state == "deleted":
        raise NotFound("no memory has this id", code="memory_not_found", field="id")
    return current


def patch(session: Session, project_id: UUID, memory_id: UUID, change: Patch) -> Memory:
    """Change a current memory; the new text counts as said now, and dates it names take the place of the old ones.

    Raises `NotFound`, `Conflict` (another current memory of the scope has this text, named in `extra["memory_id"]`; or
    the memory is no longer current), `BadRequest` on an empty text.
    """
    old = _locked(session, project_id, memory_id)
    if old.state != "current":
        raise Conflict(
            f"this memory is {old.state} and cannot be changed", code="memory_not_current", field="id",
            extra={"state": old.state, "replaced_by": str(old.replaced_by) if old.replaced_by else None},
        )  # fmt: skip
    if change.text is not None and not change.text.strip():
        raise BadRequest("the text must not be empty", field="memory")
    now = clock.now()
    new = replace(old, version=old.version + 1, updated_at=now)
    if change.metadata is not None:
        new = replace(new, metadata=change.metadata or None)
    if not isinstance(change.expires_on, Keep):
        new = replace(new, expires_on=change.expires_on)
    if change.text is not None and change.text != old.text:
        digest = (
            raw_hash(change.text, old.role or "user", old.speaker, None)
            if old.kind == RAW_KIND
            else text_hash(change.text)
        )
        new = replace(
            new,
            text=change.text,
            index_text=change.text,
            hash=digest,
            observed_at=now,
            valid_from=now,
            evidence_count=0,
            **redated(old, change.text, _here(session, project_id, now)),
        )
        _refuse_twin(session, new)
    if change.said_at is not None:
        new = replace(new, created_at=change.said_at, valid_from=change.said_at)
    if replace(new, version=old.version, updated_at=old.updated_at) == old:
        return old
    return _save(session, old, new, "PATCH")


def _here(session: Session, project_id: UUID, now: datetime) -> datetime:
    """Now, in the project's timezone."""
    project = projects.get(session, project_id)
    return now.astimezone(ZoneInfo(project.timezone)) if project and project.timezone else now


def _refuse_twin(session: Session, new: Memory) -> None:
    scope = ScopeRef(new.project_id, new.scope_id)
    twin = memories.by_hashes(session, scope, [new.hash]).get(new.hash)
    if twin is not None and twin.id != new.id:
        raise Conflict(
            f"memory {twin.id} has this text already", code="duplicate_text", field="memory",
            extra={"memory_id": str(twin.id)},
        )  # fmt: skip


def delete(session: Session, project_id: UUID, memory_id: UUID) -> Memory:
    """Hide a memory for good: out of the index, history kept for the audit, never served again. Raises `NotFound`."""
    old = _locked(session, project_id, memory_id)
    seq = scopes.take_seq(session, ScopeRef(project_id, old.scope_id))
    new = replace(old, state="deleted", version=old.version + 1, deleted_seq=seq, updated_at=clock.now())
    source_rows.hide_behind(session, ScopeRef(project_id, old.scope_id), [memory_id])
    return _save(session, old, new, "DELETE")


def _save(session: Session, old: Memory, new: Memory, op: str) -> Memory:
    scope = ScopeRef(new.project_id, new.scope_id)
    memory_writes.update(session, [new])
    gone = new.state != "current"
    memory_writes.log(
        session,
        scope,
        [
            VersionRow(
                new.id, new.version, op, old.text, None if gone else new.text, _marked(new) if gone else new.hash,
                valid_from=new.valid_from, before=before_image(old),
            )
        ],
    )  # fmt: skip
    if new.hash == old.hash and not gone:
        memory_writes.carry_sources(session, new.project_id, [(new.id, old.version, new.version)])
        _keep_vectors(session, new)
    change = Change(new.project_id, new.scope_id, new.id, new.version, "delete" if gone else "upsert")
    index_queue.put(session, [change])
    return new


def _marked(gone: Memory) -> bytes:
    """The hash of what must not come back: of a message stored as it is, as it would be remembered."""
    return text_hash(gone.text) if gone.kind == RAW_KIND else gone.hash


def _keep_vectors(session: Session, new: Memory) -> None:
    """The text stayed, so its embeddings are those of the new version too."""
    session.execute(
        sa.text("UPDATE memory_vectors SET version = :v WHERE project_id = :p AND memory_id = :id"),
        {"v": new.version, "p": new.project_id, "id": new.id},
    )
