"""A process that has imported everything once and forks API and worker processes: a start takes a moment, not seconds.

What is forked is what the embedded deployment runs, in a session of its own with its own environment and log; only the
imports are done before. `python -m tests.chaos.nursery SOCKET` serves one runner.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from cli.embedded.child import Child, Command
from cli.embedded.tether import PR_SET_PDEATHSIG
from tests.stack import wait_until

_IMPORTED = (
    *("api.app", "uvicorn.lifespan.on", "uvicorn.loops.auto", "uvicorn.protocols.http.auto"),
    *("celery.bin.celery", "celery.apps.worker", "celery.concurrency.thread", "celery.app.amqp", "celery.worker"),
    *("kombu.transport.redis", "workers.lifecycle", "workers.tasks"),
)
_MOST = 1 << 18  # bytes of a message
_READY = 180.0  # seconds for the imports on a busy machine


class Nursery:
    """The runner's side. `spawn` takes the place of `Child` for Python programs."""

    def __init__(self, address: Path, command: Command) -> None:
        """`command`: environment, log and folder of the nursery; its words are put in here."""
        argv = [sys.executable, "-m", "tests.chaos.nursery", str(address)]
        self._child = Child(Command(argv, command.env, command.log, command.cwd))
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        wait_until(lambda: self._connects(address), "the nursery listens", _READY)

    def spawn(self, command: Command) -> Child:
        """Fork `python -m MODULE WORDS`."""
        return _Forked(self, command)

    def ask(self, message: dict[str, Any], descriptors: tuple[int, ...] = ()) -> Any:
        """One question, one answer."""
        socket.send_fds(self._socket, [json.dumps(message).encode()], descriptors)
        return json.loads(self._socket.recv(_MOST))

    def close(self) -> None:
        """Everything it forked dies with it."""
        self._child.kill()
        self._socket.close()

    def _connects(self, address: Path) -> bool:
        try:
            self._socket.connect(str(address))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True


class _Process:
    """What `Child` needs of a process that is another one's child."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self.pid = pid
        self._nursery = nursery
        self._code: int | None = None

    def poll(self) -> int | None:
        if self._code is None:
            self._code = self._nursery.ask({"poll": self.pid})
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(0.005)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


class _Forked(Child):
    def __init__(self, nursery: Nursery, command: Command) -> None:
        words = list(command.argv)[2:]  # after `python -m`
        message = {"words": words, "env": dict(command.env), "log": str(command.log), "fds": command.pass_fds}
        self._command = command
        self._process: Any = _Process(nursery, nursery.ask(message, command.pass_fds))


def main(address: str) -> None:
    """Import, then fork on demand until the runner hangs up."""
    for name in _IMPORTED:
        importlib.import_module(name)
    assert threading.active_count() == 1, "only a process of one thread may be forked"
    gc.freeze()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(address)
        listening.listen(1)
        runner, _ = listening.accept()
    codes: dict[int, int | None] = {}
    while True:
        data, descriptors, _, _ = socket.recv_fds(runner, _MOST, 4)
        if not data:
            return
        message = json.loads(data)
        if "poll" in message:
            answer = _code(message["poll"], codes)
        else:
            answer = os.fork()
            if answer == 0:
                runner.close()
                _become(message, descriptors)
                return
            _wait_own_session(answer)
            codes[answer] = None
        for descriptor in descriptors:
            os.close(descriptor)
        runner.send(json.dumps(answer).encode())


def _code(pid: int, codes: dict[int, int | None]) -> int | None:
    if codes[pid] is None:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            codes[pid] = os.waitstatus_to_exitcode(status)
    return codes[pid]


def _wait_own_session(pid: int) -> None:
    while os.getpgid(pid) != pid:
        time.sleep(0.001)


def _become(message: dict[str, Any], descriptors: list[int]) -> None:
    """The program itself; returns when it ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.setsid()
    for descriptor, wanted in zip(descriptors, message["fds"], strict=True):
        os.dup2(descriptor, wanted)
    log = os.open(message["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for standard in (1, 2):
        os.dup2(log, standard)
    os.environ.clear()
    os.environ.update(message["env"])
    module, *sys.argv[1:] = message["words"]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1])
