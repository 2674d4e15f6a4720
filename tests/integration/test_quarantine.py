"""Suspects in a process of their own: its death is held against the event, the worker's and the room's are not."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import UUID

import pytest

from shared.db.scopes import Claim
from tests.factories import change, column, rows
from tests.integration.pipeline_bench import Bench
from tests.stack import Stack, wait_until
from workers.dispatch import Dispatcher
from workers.pipeline.run import run, work_on
from workers.quarantine import Quarantine
from workers.work import Done


class Rooms:
    """A bench whose suspects go to real rooms, which work by rules."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.without: list[Claim] = []
        here = bench.parts
        self.quarantine = Quarantine(bench.parts.settings, bench.db, self._without)
        self._here = here
        bench.parts = replace(here, apart=self.quarantine)
        bench.dispatcher = Dispatcher(bench.parts, bench.leases, run)

    def _without(self, claim: Claim) -> Done:
        self.without.append(claim)
        return work_on(self._here, claim)

    def suspect(self, text: str) -> UUID:
        """An event that was in work at two crashes."""
        event_id = self.bench.post(text)
        change(self.bench.db, "UPDATE events SET crash_count = 2 WHERE id = %s", event_id)
        return event_id

    def work(self) -> bool:
        """Whatever is due, pauses skipped; whether nothing is left."""
        change(self.bench.db, "UPDATE scopes SET available_live = clock_timestamp()")
        self.bench.drain()
        return column(self.bench.db, "SELECT sum(pending_live) FROM scopes") == [0]


@pytest.fixture
def rooms(
    make_bench: Callable[..., Bench], stack: Stack, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Rooms]:
    """Rooms read their settings from the environment, like the worker beside them."""
    for name, value in stack.environment(database_url, extractor="rules", chaos=1, index_raw=0).items():
        monkeypatch.setenv(name, value)
    made = Rooms(make_bench())
    yield made
    made.quarantine.close()


def test_a_suspect_is_worked_on_apart(rooms: Rooms) -> None:
    """Its process does it, this one does not; then the event is no suspect any more."""
    event_id = rooms.suspect("I live in Rome.")
    wait_until(rooms.work, "the suspect's end", 150)

    assert len(rooms.bench.results(event_id)) == 1
    assert rooms.bench.script.windows == []
    assert rows(rooms.bench.db, "SELECT crash_count, lone_crashes FROM events") == [
        {"crash_count": 0, "lone_crashes": 0}
    ]
    assert rooms.without == []


def test_who_ends_three_rooms_is_crashed(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker lives on and does what comes behind."""
    monkeypatch.setenv("FLUMES_CRASH_AT", "extract.before:bomb")
    bomb, house = rooms.suspect("I own a bomb."), rooms.suspect("I own a house.")
    wait_until(rooms.work, "the suspects' end", 150)

    event = rooms.bench.event(bomb)
    assert (event.status, event.error_code, event.failed) == ("FAILED", "crashed", [0])
    assert "3 times" in (event.error_detail or "")
    assert len(rooms.bench.results(house)) == 1


def test_an_empty_room_that_dies_blames_nobody(rooms: Rooms) -> None:
    """Killed between two suspects: another room is opened."""
    rooms.suspect("I live in Rome.")
    wait_until(rooms.work, "the suspect's end", 150)
    (room,) = rooms.quarantine.idle()
    os.kill(room.pid, signal.SIGKILL)
    wait_until(lambda: not room.alive, "the room's death")
    event_id = rooms.suspect("I work in Turin.")
    wait_until(rooms.work, "the suspect's end", 150)

    assert len(rooms.bench.results(event_id)) == 1
    assert column(rooms.bench.db, "SELECT max(lone_crashes) FROM events") == [0]


def test_rooms_that_do_not_open_stop_nothing(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no process can be started, suspects are worked on here after all."""
    monkeypatch.setattr("workers.room.sys.executable", "/nowhere/python")
    event_id = rooms.suspect("I live in Rome.")
    wait_until(rooms.work, "the suspect's end", 150)

    assert len(rooms.bench.results(event_id)) == 1
    assert len(rooms.without) == 1


def test_work_that_does_not_end_is_an_attempt(rooms: Rooms) -> None:
    """The room is closed at the deadline; the event stays a suspect and its attempt counts."""
    event_id = rooms.suspect("I live in Rome.")
    wait_until(rooms.work, "the suspect's end", 150)
    assert len(rooms.bench.results(event_id)) == 1
    (room,) = rooms.quarantine.idle()
    os.kill(room.pid, signal.SIGSTOP)
    rooms.quarantine.seconds = 0.2
    rooms.suspect("I work in Turin.")
    rooms.work()

    assert rows(rooms.bench.db, "SELECT attempts, crash_count, lone_crashes FROM events ORDER BY seq")[-1] == {
        "attempts": 1, "crash_count": 2, "lone_crashes": 0,
    }  # fmt: skip
    assert not room.alive
