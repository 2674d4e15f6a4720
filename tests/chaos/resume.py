"""With the default lease and poll: how long work lies still whose worker was killed, until another has it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tests.chaos.recovery import Recovery
from tests.chaos.wired import Wired
from tests.stack import crash, wait_until

_EVENTS = 8  # in work at a worker when it dies
_RENEWED = 10.0  # seconds: a third of the default lease


@dataclass(frozen=True, slots=True)
class Resumed:
    """Seconds from each death to the next claim of each event it held, and what did not end well."""

    seconds: list[float]
    never: int
    not_succeeded: list[str]


def run(wired: Wired, kills: int) -> Resumed:
    """`kills` times: one worker has all work in hand and dies, another that waits must go on."""
    caller = wired.caller(wired.start_api())
    recovery = Recovery(wired.service.database_url)
    recovery.start()
    events: list[str] = []
    worker = wired.start_worker()
    for turn in range(kills):
        wired.llm.script({"match": f"turn {turn}", "action": "hang", "times": _EVENTS})
        new = [caller.post(f"I own book {number} of turn {turn}", user_id=f"u{number}") for number in range(_EVENTS)]
        wired.llm.wait_hanging(_EVENTS, 60)
        heir = wired.start_worker()
        time.sleep(_RENEWED * (turn + 0.5) / kills)  # deaths spread over the time between two renewals
        assert worker.child is not None
        pid = worker.child.pid
        crash(worker)
        recovery.watch(recovery.held_by(pid), alone=True)
        worker = heir
        wait_until(lambda: recovery.watched == 0, "all resumed", 120)
        wired.llm.release()
        events += new
    ended = [(event, caller.ended(event)["status"]) for event in events]
    never = recovery.stop()
    return Resumed(recovery.alone, never, [event for event, status in ended if status != "SUCCEEDED"])
