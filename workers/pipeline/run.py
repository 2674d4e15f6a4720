"""The whole story of a window: claim -> load -> recall -> extract -> check -> embed -> commit -> index -> notify."""

from __future__ import annotations

from dataclasses import replace

from shared.db import tenancy
from shared.db.scopes import Claim
from shared.model.plan import TargetChanged, TellApart
from shared.model.record import Usage
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
from workers.work import Done, Work

RERUNS = 2  # a window whose targets changed meanwhile is run again this often, then changes turn into ADDs


def run(parts: Parts, claim: Claim) -> Done:
    """Work on one claimed lane of a scope until the claim is given back."""
    with tenancy.tenant(claim.scope.project_id):
        work = load(parts, claim)
        done = work if isinstance(work, Done) else attempt(parts, work, remember)
    index_soon(parts, done.memories)
    notify(parts, done)
    count_ended(done)
    return done


def remember(parts: Parts, work: Work) -> Done:
    """Memories from a loaded window. Raises what its stages raise; `attempt` decides what that means."""
    with billed(parts, work) as bill:
        return _remember(parts, work, bill)


def _remember(parts: Parts, work: Work, bill: Bill) -> Done:
    rerun = 0
    while True:
        bill.reserve(work.window)
        recalled = recall(parts, work)
        bill.note(recalled.usage)
        extraction = extract(parts, work, recalled.candidates, faults)
        bill.note(extraction.usage)
        checked = check(work, recalled.candidates, extraction, records_cap=_cap(parts, work))
        checked = embed(parts, work, recalled.candidates, replace(checked, usage=Usage()))
        bill.note(checked.usage)
        count_answer(extraction, checked)
        try:
            done = commit(parts, work, recalled, replace(checked, usage=bill.unpaid), insist=rerun == RERUNS)
        except TargetChanged:
            rerun += 1
        except TellApart as apart:
            work = work.before(apart.message_id)
        else:
            bill.paid()
            return done


def _cap(parts: Parts, work: Work) -> int:
    """A window grown under backlog may hold as many records a message as an ordinary one."""
    settings = parts.settings
    return settings.records_cap * max(len(work.window.messages), settings.window_messages) // settings.window_messages
