"""A child lives no longer than its parent, and ends when told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from cli.embedded.child import Child, Command
from cli.embedded.errors import PartError
from tests.stack import wait_until

_PARENT = """
import os, sys, time
from pathlib import Path
from cli.embedded.child import Child, Command
folder, pipe = Path(sys.argv[1]), sys.argv[2] == "pipe"
program = [sys.executable, "-c", "import time; time.sleep(600)"]
child = Child(Command(program, dict(os.environ), folder / "log", pipe=pipe))
(folder / "pid.part").write_text(str(child.pid))
(folder / "pid.part").rename(folder / "pid")
time.sleep(600)
"""


def running(pid: int) -> bool:
    """Whether this process still does anything."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def python(code: str, tmp_path: Path) -> Child:
    """A child that runs this code."""
    return Child(Command([sys.executable, "-c", code], dict(os.environ), tmp_path / "log"))


@pytest.mark.parametrize("tie", ["kernel", "pipe"])
def test_child_dies_with_its_parent(tmp_path: Path, tie: str) -> None:
    """After kill -9 of the parent the child ends, whether the kernel or the watcher sees to it."""
    if sys.platform != "linux":
        tie = "pipe"
    parent = subprocess.Popen([sys.executable, "-c", _PARENT, str(tmp_path), tie])
    try:
        wait_until((tmp_path / "pid").exists, "the child's pid is written")
        pid = int((tmp_path / "pid").read_text())
        assert running(pid)
    finally:
        parent.kill()
        parent.wait()
    wait_until(lambda: not running(pid), "the child ends after its parent")


def test_watcher_ends_with_its_program(tmp_path: Path) -> None:
    """The pipe variant leaves no watcher behind once the program it watches has ended."""
    code = "import time; time.sleep(600)"
    child = Child(Command([sys.executable, "-c", code], dict(os.environ), tmp_path / "log", pipe=True))
    watcher = wait_until(lambda: [p for p in psutil.process_iter(["cmdline"]) if _watches(p, child)], "a watcher runs")
    child.kill()
    wait_until(lambda: not running(watcher[0].pid), "the watcher ends")


def _watches(process: psutil.Process, child: Child) -> bool:
    line = process.info["cmdline"] or []
    return process.pid != child.pid and f"--parent={os.getpid()}" in line and any(w.startswith("--pipe=") for w in line)


def test_child_has_its_own_session(tmp_path: Path) -> None:
    """A Ctrl-C at the terminal reaches the supervisor alone."""
    child = python("import time; time.sleep(600)", tmp_path)
    try:
        assert os.getsid(child.pid) == child.pid != os.getsid(0)
    finally:
        child.kill()


def test_stubborn_child_is_killed_after_the_grace(tmp_path: Path) -> None:
    """A program that ignores SIGTERM does not hold up the stop."""
    ready = tmp_path / "ready"
    ignore = "import pathlib, signal, time; signal.signal(15, signal.SIG_IGN)"
    child = python(f"{ignore}; pathlib.Path({str(ready)!r}).touch(); time.sleep(600)", tmp_path)
    wait_until(ready.exists, "it ignores SIGTERM")
    assert child.stop(0.2) is False
    assert child.exit_code() == -signal.SIGKILL


def test_log_tail_shows_why_it_ended(tmp_path: Path) -> None:
    """What the program wrote is at hand for the error message."""
    child = python("raise SystemExit('no disk')", tmp_path)
    assert child.result(20) == 1
    assert child.log_tail() == "no disk"


def test_slow_one_shot_program_is_an_error(tmp_path: Path) -> None:
    """A program that should end by itself and does not is killed and named."""
    child = python("import time; time.sleep(600)", tmp_path)
    with pytest.raises(PartError, match="took over"):
        child.result(0.2)
    assert child.exit_code() is not None


def test_large_log_is_set_aside_under_a_running_program(tmp_path: Path) -> None:
    """A service that runs for months does not fill the disk, and goes on writing to the same file."""
    code = "import sys, time; print('x' * 10_000_001, flush=True); time.sleep(600)"
    child = python(code, tmp_path)
    try:
        wait_until(lambda: (tmp_path / "log").stat().st_size > 10_000_001, "the log is large")
        child.trim_log()
        assert (tmp_path / "log.1").stat().st_size == 10_000_002
        assert (tmp_path / "log").stat().st_size == 0
        child.trim_log()
        assert (tmp_path / "log.1").stat().st_size == 10_000_002
    finally:
        child.kill()


def test_spawning_off_the_main_thread_is_refused(tmp_path: Path) -> None:
    """The kernel would end the child together with that thread."""
    caught: list[BaseException] = []

    def spawn() -> None:
        try:
            python("pass", tmp_path)
        except RuntimeError as error:
            caught.append(error)

    thread = threading.Thread(target=spawn)
    thread.start()
    thread.join()
    assert len(caught) == 1
