"""Exec wrapper that ties a program to the life of the process that started it.

Run as a script (`python -I -S tether.py`), so it uses the standard library only. It keeps the pid: the program replaces
the wrapper. Linux asks the kernel for a signal at the parent's death; elsewhere a detached watcher sends it when a pipe
that only the parent holds open ends.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import sys
import time
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
KILL_AFTER = 15.0  # seconds between the death signal and SIGKILL, pipe variant


def main(argv: list[str]) -> None:
    """Parse the options, tie, change the user, become the program."""
    options = _parse(argv)
    prctl = _kernel_call() if options.pipe is None else None  # found while we may still read Python's own folders
    if options.pipe is not None:
        _start_watcher(options.pipe, options.signal, options.parent)
    if options.uid is not None:
        os.setgroups([])
        os.setgid(options.gid)
        os.setuid(options.uid)
    if prctl is not None:
        _ask_kernel(prctl, options.signal, options.parent)  # after setuid, which would clear it
    os.execvpe(options.program[0], options.program, os.environ)  # noqa: S606


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--signal", type=int, required=True)
    parser.add_argument("--pipe", type=int)
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("program", nargs="+")
    return parser.parse_args(argv)


def _kernel_call() -> Callable[..., int]:
    import ctypes

    prctl: Callable[..., int] = ctypes.CDLL(None).prctl
    return prctl


def _ask_kernel(prctl: Callable[..., int], number: int, parent: int) -> None:
    if prctl(PR_SET_PDEATHSIG, number, 0, 0, 0) != 0:
        sys.exit("prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:  # it died before the request stood
        sys.exit("the parent is gone")


def _start_watcher(pipe: int, number: int, parent: int) -> None:
    """Fork twice, so that the watcher is not an unknown child of the program it watches."""
    program = os.getpid()
    os.set_inheritable(pipe, False)
    first = os.fork()
    if first:
        os.waitpid(first, 0)
        if os.getppid() != parent:
            sys.exit("the parent is gone")
        return
    if os.fork() == 0:
        os.setsid()
        _close_all_but(pipe)
        _watch(pipe, program, number)
    os._exit(0)


def _close_all_but(pipe: int) -> None:
    """A watcher must not keep the program's listening socket, log or locks open."""
    quiet = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(quiet, standard)
    os.closerange(3, pipe)
    os.closerange(pipe + 1, max(pipe + 1, 1024))


def _watch(pipe: int, program: int, number: int) -> None:
    while _alive(program):
        if select.select([pipe], [], [], 1.0)[0]:  # the pipe carries no data: readable means ended
            break
    deadline = time.monotonic() + KILL_AFTER
    _send(program, number)
    while _alive(program) and time.monotonic() < deadline:
        time.sleep(0.05)
    _send(program, signal.SIGKILL)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
