"""Imports, step by step: lines that wait become events of the bulk lane, a bounded number of messages at a time.

One worker at a time is at an import; what stands in Postgres after each step is all there is to resume from.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from shared.crashpoints import reach
from shared.db import accept, import_lines, imports, tenancy
from shared.db.engine import Database, Session
from shared.db.import_prepared import unpack
from shared.db.imports import Import

_STEP = 20  # groups in one transaction: it holds the locks of as many scopes
_SETTLE = 500
_QUIET = 30.0  # seconds without new lines after which an unfinished upload's last block is handed over, too


def feed(db: Database, in_work: int, stopping: Callable[[], bool]) -> int:
    """Bring every import as far as it may go now; returns how many groups were handed over or counted.

    `in_work`: messages of one import that may be with the workers at a time.
    """
    done = 0
    with tenancy.across(tenancy.Role.QUEUE):
        found = db.run(imports.open_ones)
    for project_id, import_id in found:
        with tenancy.tenant(project_id):
            while not stopping() and (moved := _step(db, in_work, project_id, import_id)):
                done += moved
    return done


def _step(db: Database, in_work: int, project_id: UUID, import_id: UUID) -> int:
    """One transaction; 0 = nothing to do for now."""
    with db.transaction() as session:
        job = imports.take(session, project_id, import_id)
        if job is None:
            return 0
        settled = import_lines.settle(session, project_id, import_id, _SETTLE)
        fed = 0
        if job.state == "RUNNING" and not _over(session, job):
            fed = _hand_over(session, job, in_work)
            if not fed:
                import_lines.finish(session, project_id, import_id)
    reach("feed.after")
    return settled + fed


def _over(session: Session, job: Import) -> bool:
    """Whether it spent what it may; the rest is kept."""
    most = job.options.get("max_tokens")
    now = imports.get(session, job.project_id, job.id)
    if not most or now is None or now.input_tokens + now.output_tokens < most:
        return False
    imports.stop(session, job.project_id, job.id, f"the ceiling of {most} tokens is reached")
    return True


def _hand_over(session: Session, job: Import, in_work: int) -> int:
    key = (job.project_id, job.id)
    room = in_work - import_lines.in_work(session, *key)
    if room <= 0:
        return 0
    waiting = import_lines.ready(session, *key, upto=_whole(session, job), limit=_STEP)
    # Scopes are locked in one order whoever hands over; within a scope the lines keep theirs.
    waiting.sort(key=lambda item: sorted(item.prepared["ids"].items()))
    handed = []
    for item in waiting:
        origin = {"import_id": str(item.import_id), "line": item.line}
        accepted = accept.accept(session, unpack(item.project_id, item.prepared, origin))
        handed.append((item, accepted.event_id))
    if handed:
        import_lines.fed(session, *key, handed)
        imports.begin(session, *key)
    return len(handed)


def _whole(session: Session, job: Import) -> int:
    """The last block in which no earlier line can turn up any more."""
    last = import_lines.last_line(session, job.project_id, job.id)
    if job.complete or imports.quiet(session, job.project_id, job.id, _QUIET):
        return last // import_lines.BLOCK
    return last // import_lines.BLOCK - 1
