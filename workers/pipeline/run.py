"""The whole story of a window: claim -> load -> recall -> extract -> check -> embed -> commit -> index -> notify."""

from __future__ import annotations

import time
from dataclasses import replace

from shared.db import tenancy
from shared.db.scopes import Claim
from shared.model.plan import TargetChanged, TellApart
from shared.model.record import Usage
from shared.provider.deadline import remaining
from workers.counting import count_answer, count_ended
from workers.outcomes import attempt
from workers.parts import Parts
from workers.pipeline.check import check, faults
from workers.pipeline.commit import commit
from workers.pipeline.embed import embed
from workers.pipeline.extract import extract
from workers.pipeline.index import index_soon
from workers.pipeline.load import load
from workers.pipeline.notify import notify
from workers.pipeline.recall import recall
from workers.spending import Bill, billed
from workers.work import Done, Shorter, Suspect, Work

RERUNS = 2  # a window whose targets changed meanwhile is run again this often, then changes turn into ADDs


def run(parts: Parts, claim: Claim) -> Done:
    """Work on one claimed lane of a scope until the claim is given back, then tell index and waiters."""
    with tenancy.tenant(claim.scope.project_id):
        done = work_on(parts, claim)
    index_soon(parts, done.memories)
    notify(parts, done)
    count_ended(done)
    return done


def work_on(parts: Parts, claim: Claim) -> Done:
    """One window, from the claim to what stands in Postgres."""
    work = load(parts, claim)
    if isinstance(work, Suspect):
        assert parts.apart is not None  # noqa: S101 - nobody is a suspect without a place to be apart
        return parts.apart(claim, work)
    return work if isinstance(work, Done) else attempt(parts, work, remember)


def remember(parts: Parts, work: Work) -> Done:
    """Memories from a loaded window. Raises what its stages raise; `attempt` decides what that means."""
    with billed(parts, work) as bill:
        return _remember(parts, work, bill)


def _remember(parts: Parts, work: Work, bill: Bill) -> Done:
    rerun = 0
    while True:
        began = time.monotonic()
        bill.reserve(work.window)
        recalled = recall(parts, work)
        bill.note(recalled.usage)
        extraction = extract(parts, work, recalled.candidates, faults)
        bill.note(extraction.usage)
        checked = check(work, recalled.candidates, extraction, records_cap=_cap(parts, work))
        checked = embed(parts, work, recalled.candidates, replace(checked, usage=Usage()))
        bill.note(checked.usage)
        count_answer(extraction, checked)
        last = rerun == RERUNS or not _time_for_another(time.monotonic() - began)
        try:
            done = commit(parts, work, recalled, replace(checked, usage=bill.unpaid), insist=last)
        except TargetChanged:
            rerun += 1
        except TellApart as apart:
            raise Shorter(work.place_of(apart.message_id), bill.unpaid) from None
        else:
            bill.paid()
            return done


def _time_for_another(seconds: float) -> bool:
    """Whether one more round like the last one ends while the claim is sure to be ours."""
    left = remaining()
    return left is None or left > 1.5 * seconds


def _cap(parts: Parts, work: Work) -> int:
    """A window grown under backlog may hold as many records a message as an ordinary one."""
    settings = parts.settings
    return settings.records_cap * max(len(work.window.messages), settings.window_messages) // settings.window_messages
