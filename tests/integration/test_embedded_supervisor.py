"""The supervisor on real servers: starts, restarts, gives up politely, stops in order."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cli.embedded.child import Child, Command
from cli.embedded.engine import VectorEngine
from cli.embedded.errors import PartError
from cli.embedded.part import Part
from cli.embedded.postgres import Postgres
from cli.embedded.signals import StopAsked, StopSignals
from cli.embedded.supervisor import Supervisor
from cli.embedded.temporary import TemporaryDataDir
from cli.embedded.valkey import Valkey
from tests.stack import wait_until


class Script:
    """A part that runs a few lines of Python and is ready once it wrote its file."""

    url = ""

    def __init__(self, folder: Path, name: str, code: str) -> None:
        self.name = name
        self.child: Child | None = None
        self.stopped_at = 0.0
        self._mark = folder / f"{name}.ready"
        self._command = Command([sys.executable, "-c", code, str(self._mark)], dict(os.environ), folder / f"{name}.log")

    def start(self) -> None:
        self._mark.unlink(missing_ok=True)
        self.child = Child(self._command)

    def ready(self) -> bool:
        return self._mark.exists()

    def stop(self) -> None:
        if self.child is not None:
            self.child.stop(20)
        self.child = None
        self.stopped_at = time.monotonic()


SERVE = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(600)"
FAIL = "raise SystemExit('the reason is here')"


@pytest.fixture
def servers() -> Iterator[list[Part]]:
    """The three servers on a data directory of their own, not started."""
    with TemporaryDataDir("supervisor") as home:
        yield [Postgres(home.layout), Valkey(home.layout), VectorEngine(home.layout, api_key="k" * 20)]


def supervise(parts: list[Part], meanwhile: Callable[[], None]) -> list[str]:
    """Run the parts while `meanwhile` works in a thread, end with a SIGTERM; what the supervisor said."""
    said: list[str] = []

    def act() -> None:
        try:
            meanwhile()
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    with StopSignals() as signals, ThreadPoolExecutor(1) as pool:
        supervisor = Supervisor(signals, said.append)
        try:
            supervisor.spawn(parts)
            supervisor.wait(parts)
            acting = pool.submit(act)
            supervisor.watch()
            acting.result()
        finally:
            supervisor.shut_down()
    return said


def wait_restarted(part: Part, before: int) -> None:
    """Until the part runs under another pid and serves."""
    wait_until(lambda: pid_of(part) != before and part.ready(), f"{part.name} serves again")


def pid_of(part: Part) -> int:
    """The pid of a part that runs."""
    assert part.child is not None
    return part.child.pid


def test_each_killed_server_comes_back_at_its_address(servers: list[Part]) -> None:
    """After kill -9 of each in turn all serve again where they did, under new pids."""
    urls: list[str] = []

    def kill_each() -> None:
        urls.extend(part.url for part in servers)
        for part in servers:
            before = pid_of(part)
            os.kill(before, signal.SIGKILL)
            wait_restarted(part, before)
        urls.extend(part.url for part in servers)

    said = supervise(servers, kill_each)
    assert urls[:3] == urls[3:]
    assert [line.split()[0] for line in said] == ["postgres", "valkey", "vector-engine"]
    assert all(part.child is None for part in servers)


def test_parts_stop_last_first(tmp_path: Path) -> None:
    """What depends on others ends before them."""
    parts = [Script(tmp_path, name, SERVE) for name in ("first", "second", "third")]
    supervise([*parts], lambda: None)
    stopped = [part.stopped_at for part in parts]
    assert stopped == sorted(stopped, reverse=True)
    assert 0.0 not in stopped


def test_part_that_keeps_dying_is_started_ever_more_slowly(tmp_path: Path) -> None:
    """At once after the first death, then with pauses that double; the others are left alone."""
    healthy, weak = Script(tmp_path, "healthy", SERVE), Script(tmp_path, "weak", SERVE)
    pids: list[int] = []

    def kill_twice() -> None:
        pids.append(pid_of(healthy))
        for _ in range(2):
            before = pid_of(weak)
            os.kill(before, signal.SIGKILL)
            wait_restarted(weak, before)
        pids.append(pid_of(healthy))

    said = supervise([healthy, weak], kill_twice)
    assert said == ["weak ended (signal 9), starting it again", "weak ended (signal 9), starting it again in 0.5 s"]
    assert pids[0] == pids[1]


def test_part_that_cannot_start_is_reported_with_its_log(tmp_path: Path) -> None:
    """The one who reads the terminal sees the reason, and nothing stays behind."""
    good, bad = Script(tmp_path, "good", SERVE), Script(tmp_path, "bad", FAIL)
    with pytest.raises(PartError, match="bad ended with code 1 while it started\nthe reason is here"):
        supervise([good, bad], lambda: None)
    assert good.child is None
    assert bad.child is None


def test_signal_during_the_start_stops_it(tmp_path: Path) -> None:
    """Ctrl-C does not have to wait for a part that hangs."""
    hangs = Script(tmp_path, "hangs", "import time; time.sleep(600)")
    with StopSignals() as signals:
        supervisor = Supervisor(signals, lambda _: None)
        supervisor.spawn([hangs])
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(StopAsked):
            supervisor.wait([hangs])
        supervisor.shut_down()
    assert hangs.child is None


def test_second_signal_takes_the_grace_away(tmp_path: Path) -> None:
    """Ctrl-C twice ends a program that takes its time."""
    slow = "import pathlib, signal, sys, time; signal.signal(15, signal.SIG_IGN); " + SERVE
    part = Script(tmp_path, "slow", slow)

    def interrupt_twice() -> None:
        os.kill(os.getpid(), signal.SIGINT)

    started = time.monotonic()
    supervise([part], interrupt_twice)
    assert time.monotonic() - started < 15  # its grace is 20 s


def test_signals_are_given_back() -> None:
    """After the block Ctrl-C means what it meant before."""
    before = signal.getsignal(signal.SIGINT)
    with StopSignals() as signals:
        assert signal.getsignal(signal.SIGINT) != before
        assert not signals.asked
    assert signal.getsignal(signal.SIGINT) == before
