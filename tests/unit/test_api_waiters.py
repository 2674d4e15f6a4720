"""Waiting requests: woken, snoozed, timed out, sent home."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

from api.wait import Outcome, Waiters
from shared.db.engine import ApiDatabase
from shared.wakeups import Wake

PROJECT, EVENT = uuid4(), uuid4()
NOWHERE = ApiDatabase("postgresql://nobody@127.0.0.1:1/none")  # never connected to: only wake-ups are tested here


def run(work: Callable[[Waiters], Awaitable[Outcome]]) -> Outcome:
    async def main() -> Outcome:
        return await work(Waiters(NOWHERE))

    return asyncio.run(main())


async def waiting(waiters: Waiters, count: int = 1, *, patient: bool = False) -> list[asyncio.Task[Outcome]]:
    tasks = [asyncio.create_task(waiters.wait(PROJECT, EVENT, 5, patient=patient)) for _ in range(count)]
    await asyncio.sleep(0)  # each task runs up to its wait
    assert len(waiters) == count
    return tasks


def test_a_wake_up_answers_every_waiter_of_the_event() -> None:
    """Two callers may wait for one event: a poster and a poller."""

    async def work(waiters: Waiters) -> Outcome:
        first, second = await waiting(waiters, 2)
        waiters.wake(Wake(uuid4()))
        waiters.wake(Wake(EVENT))
        assert await first == await second
        assert len(waiters) == 0
        return first.result()

    assert run(work) == Outcome("ended")


def test_a_wake_up_just_before_the_wait_is_not_lost() -> None:
    """The worker may be faster than the answer of the database."""

    async def work(waiters: Waiters) -> Outcome:
        waiters.wake(Wake(EVENT))
        return await waiters.wait(PROJECT, EVENT, 5)

    assert run(work) == Outcome("ended")


def test_a_snoozed_event_sends_the_poster_home() -> None:
    """With the seconds until it is due."""

    async def work(waiters: Waiters) -> Outcome:
        (task,) = await waiting(waiters)
        waiters.wake(Wake(EVENT, snoozed=12))
        return await task

    assert run(work) == Outcome("snoozed", 12)


def test_a_poller_waits_on_through_a_snooze() -> None:
    """Who asked for `?wait=N` gets the end or N seconds."""

    async def work(waiters: Waiters) -> Outcome:
        (task,) = await waiting(waiters, patient=True)
        waiters.wake(Wake(EVENT, snoozed=12))
        waiters.wake(Wake(EVENT))
        return await task

    assert run(work) == Outcome("ended")


def test_time_runs_out() -> None:
    """Nobody is kept longer than asked."""

    async def work(waiters: Waiters) -> Outcome:
        return await waiters.wait(PROJECT, EVENT, 0.01)

    assert run(work) == Outcome("timeout")


def test_stopping_answers_everybody_now_and_later() -> None:
    """On SIGTERM all are answered; whoever comes after is answered at once."""

    async def work(waiters: Waiters) -> Outcome:
        (task,) = await waiting(waiters)
        waiters.stop()
        assert await task == Outcome("stopping")
        return await waiters.wait(PROJECT, EVENT, 60)

    assert run(work) == Outcome("stopping")


def test_a_caller_who_leaves_is_forgotten() -> None:
    """A cancelled request holds nothing."""

    async def work(waiters: Waiters) -> Outcome:
        (task,) = await waiting(waiters)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert len(waiters) == 0
        return Outcome("ended")

    assert run(work) == Outcome("ended")
