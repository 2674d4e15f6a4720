"""One child process: own session, own log file, dies with this process, stoppable by pid."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cli.embedded.errors import PartError

_TETHER = Path(__file__).with_name("tether.py")
_LOG_LIMIT = 10_000_000  # bytes


@dataclass(frozen=True, slots=True)
class User:
    """The system user a child runs as."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Command:
    """What to run. `death_signal` reaches it when this process dies, `stop_signal` when it is asked to end."""

    argv: Sequence[str]
    env: Mapping[str, str]
    log: Path
    cwd: Path = Path("/")
    user: User | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    pass_fds: tuple[int, ...] = ()
    pipe: bool = sys.platform != "linux"  # how the tie to this process is made


class Child:
    """A running child."""

    def __init__(self, command: Command) -> None:
        """Start it. Raises RuntimeError off the main thread: the kernel's tie ends with the thread that spawned."""
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("children are spawned from the main thread only")
        self._command = command
        command.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        trim(command.log)
        with command.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*_wrapper(command), *command.argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=command.cwd,
                env=dict(command.env),
                start_new_session=True,
                pass_fds=(*command.pass_fds, *_tether_fds(command)),
            )

    @property
    def pid(self) -> int:
        """The pid of the program itself."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs; negative for a signal."""
        return self._process.poll()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program alone; nothing when it has ended."""
        if self._process.poll() is None:
            self._process.send_signal(number)

    def stop(self, grace: float) -> bool:
        """Ask it to end, kill its whole session after `grace` seconds. True when it ended by itself."""
        self.signal(self._command.stop_signal)
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        return True

    def result(self, timeout: float) -> int:
        """Wait for a program that ends by itself; its exit code. Raises PartError when it is not done in time."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise PartError(Path(self._command.argv[0]).name, f"took over {timeout:.0f} s", self.log_tail()) from None

    def kill(self) -> None:
        """SIGKILL to the program and everything in its session, and reap it."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def trim_log(self) -> None:
        """Set a log over the limit aside as `.1`. The program appends, so it goes on at the top of the emptied file."""
        trim(self._command.log)

    def log_tail(self, lines: int = 15) -> str:
        """The last lines of its log."""
        return tail(self._command.log, lines)


def trim(log: Path) -> None:
    """Copy and empty a log over the limit."""
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        shutil.copyfile(log, log.with_name(log.name + ".1"))
        os.truncate(log, 0)


def tail(log: Path, lines: int) -> str:
    """The last lines of a file; "" when there is none."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 8_192))
        return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])


def _wrapper(command: Command) -> list[str]:
    tie = [sys.executable, "-I", "-S", str(_TETHER), f"--parent={os.getpid()}", f"--signal={int(command.death_signal)}"]
    tie += [f"--pipe={fd}" for fd in _tether_fds(command)]
    if command.user is not None:
        tie += [f"--uid={command.user.uid}", f"--gid={command.user.gid}"]
    return [*tie, "--"]


def _tether_fds(command: Command) -> tuple[int, ...]:
    """The read end of the pipe this process holds open for life; nothing where the kernel does the job."""
    return (_life_pipe(os.getpid())[0],) if command.pipe else ()


@lru_cache(maxsize=1)
def _life_pipe(_owner: int) -> tuple[int, int]:
    """One pipe a process: its write end is closed by nothing but the process's death."""
    return os.pipe()
