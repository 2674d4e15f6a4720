"""Where suspects are worked on: in processes of their own, one event at a time, so that a crash names its cause.

A worker that is killed takes the events in work with it, whoever's fault it was. Only the death of a room, seen by a
worker that lives, is held against an event.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

from shared.db import attempts, scopes
from shared.db.engine import Database, Session
from shared.db.scopes import Claim
from shared.logs import get_logger
from shared.settings import Settings
from workers.room import LoneCrash, Room, RoomGone
from workers.work import Done, Suspect

_ROOMS = 2  # at most, in a worker
_OPENING = 60.0  # seconds a room may need to open
_WAITING = 1.0  # seconds a suspect waits for a room
_TRIES = 5  # rooms in a row that do not open; then suspects are worked on without one
_MOMENT = 0.25  # seconds in which a kill meant for worker and room together has reached both
_NOTHING = Done((), ())

_log = get_logger(__name__)


class Quarantine:
    """Thread-safe. `without`: works on a claim where no room can be opened. `seconds`: what a room has for a claim."""

    def __init__(self, settings: Settings, db: Database, without: Callable[[Claim], Done]) -> None:
        self.seconds = settings.attempt_deadline
        self._db = db
        self._without = without
        self._idle: list[Room] = []
        self._rooms = 0
        self._opening = False
        self._failed = 0
        self._closed = False
        self._lock = threading.Lock()

    def __call__(self, claim: Claim, suspect: Suspect) -> Done:
        """One window of the suspect's; the claim is given back, at once when no room is free yet."""
        if self._failed >= _TRIES:
            return self._without(claim)
        room = self._enter()
        if room is None:
            self._db.run(lambda session: _give_back(session, claim, _WAITING))
            return _NOTHING
        try:
            done = room.work(claim, self.seconds)
        except LoneCrash as crash:
            self._leave(room)
            return self._crashed(claim, suspect, crash)
        except RoomGone:
            self._gone(room)
            self._db.run(lambda session: _give_back(session, claim, _WAITING))
            return _NOTHING
        except TimeoutError:
            self._gone(room)
            return self._overran(claim, suspect)
        except Exception:  # what the work raised: the room is as good as it was
            self._leave(room)
            raise
        self._leave(room)
        return done

    def idle(self) -> list[Room]:
        """Rooms that are open and empty."""
        with self._lock:
            return list(self._idle)

    def close(self) -> None:
        """No more rooms; what is in work there is given back by whoever stops the worker."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for room in idle:
            room.close()

    def _enter(self) -> Room | None:
        """A room that is open and empty; None while one is being opened."""
        with self._lock:
            while self._idle:
                room = self._idle.pop()
                if room.alive:
                    return room
                room.close()
                self._rooms -= 1
            if self._rooms < _ROOMS and not self._opening and not self._closed:
                self._rooms, self._opening = self._rooms + 1, True
                threading.Thread(target=self._open, name="flumes-room", daemon=True).start()
        return None

    def _open(self) -> None:
        room: Room | None = None
        try:
            room = Room()
            room.wait_ready(_OPENING)
        except (RoomGone, TimeoutError, OSError) as error:
            self._failed += 1
            self._gone(room)
            _log.error("room_not_opened", error=type(error).__name__, reason=str(error))
            return
        finally:
            self._opening = False
        self._failed = 0
        _log.info("room_opened", pid=room.pid)
        self._leave(room)

    def _leave(self, room: Room) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(room)
                return
        room.close()

    def _gone(self, room: Room | None) -> None:
        if room is not None:
            room.close()
        with self._lock:
            self._rooms -= 1

    def _crashed(self, claim: Claim, suspect: Suspect, crash: LoneCrash) -> Done:
        """Held against the event, by a worker that lives."""
        time.sleep(_MOMENT)
        crashes = self._db.run(partial(blame, claim=claim, suspect=suspect))
        _log.error("lone_crash", event_id=str(suspect.event_id), code=crash.code, crashes=crashes)
        return _NOTHING

    def _overran(self, claim: Claim, suspect: Suspect) -> Done:
        _log.error("room_overran", event_id=str(suspect.event_id), seconds=self.seconds)
        self._db.run(partial(_count_overrun, claim=claim, suspect=suspect))
        return _NOTHING


def _give_back(session: Session, claim: Claim, delay: float) -> None:
    scopes.settle(session, claim, done=0, done_bytes=0, delay=delay, cut=claim.cut)


def blame(session: Session, claim: Claim, suspect: Suspect) -> int:
    """How many lone crashes the event has now; later and later tries, so that a machine in need is no evidence."""
    if not scopes.hold(session, claim):
        return 0
    crashes = attempts.blame(session, claim.scope.project_id, suspect.event_id)
    _give_back(session, claim, float(5 ** max(0, crashes - 1)))
    return crashes


def _count_overrun(session: Session, claim: Claim, suspect: Suspect) -> None:
    if scopes.hold(session, claim):
        attempts.overran(session, claim.scope.project_id, suspect.event_id)
        _give_back(session, claim, _WAITING)
