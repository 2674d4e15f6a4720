"""`flumes demo` shows everything, heeds nothing of the shell's services, and leaves nothing behind."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cli.embedded.temporary import TemporaryDataDir
from tests.stack import wait_until
from tests.up import run_flumes, spawn_flumes

SHELL = {
    "OPENAI_API_KEY": "wrong",
    "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
    "FLUMES_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x",
    "FLUMES_PORT": "1",
    "FLUMES_SLOTS": "none",
    "PGPORT": "1",
    "HTTP_PROXY": "http://127.0.0.1:1",
}


@pytest.fixture
def place() -> Iterator[Path]:
    """The temporary folder of the demo's shell."""
    with TemporaryDataDir("shell") as home:
        yield home.layout.data_dir


def left_in(place: Path) -> list[str]:
    """Folders of a demo, and processes that were told of one."""
    folders = [folder.name for folder in place.glob("flumes-demo-*")]
    mark = str(place / "flumes-demo-")
    return folders + [" ".join(p.info["cmdline"]) for p in psutil.process_iter(["cmdline"]) if _mentions(p, mark)]


def _mentions(process: psutil.Process, mark: str) -> bool:
    return any(mark in word for word in process.info["cmdline"] or [])


def test_demo_shows_the_whole_service(place: Path) -> None:
    """The seed's two memories, an update with history, a real log, a search, a source; exit code 0."""
    code, text = run_flumes("demo", env={**SHELL, "TMPDIR": str(place)}, folder=place, timeout=110)
    assert code == 0, text
    for shown in (
        "Wants to go to Rome in July",
        "Looking for tips for museums",
        '"status": "PENDING"',
        "no OPENAI_API_KEY",
    ):
        assert shown in text
    assert re.search(r"version 1 +ADD +Lives in Rome\n +version 2 +UPDATE +.*Milan", text)
    assert re.search(r"790 messages accepted in [\d.]+ s, \d{3} changes", text)
    assert re.search(r"[1-5] found in \d+ ms", text)
    assert re.search(r"User [12] said: .*dog", text)
    assert left_in(place) == []


def test_interrupted_demo_cleans_up(place: Path) -> None:
    """One Ctrl-C in the middle: a sentence instead of a traceback, no process and no folder."""
    log = place / "demo.log"
    child = spawn_flumes(("demo",), log, {**SHELL, "TMPDIR": str(place)})
    try:
        wait_until(lambda: log.exists() and "Not waiting" in log.read_text(), "the demo is at work", timeout=60)
        assert left_in(place) != []
        child.signal(signal.SIGINT)
        assert child.result(60) == 1
    finally:
        child.kill()
    text = log.read_text()
    assert "interrupted" in text
    assert "Traceback" not in text
    assert left_in(place) == []
