"""What is logged of an exception: its kind and its places, never its words, whoever logs it and however."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from shared import logs
from shared.errors import Snooze
from shared.settings import Settings

CANARY = "canary4711"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Everything logged at DEBUG; what was configured before is put back."""
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    root = logging.getLogger()
    before = root.handlers, root.level, structlog.get_config()
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    logs.configure(Settings(log_level="DEBUG", log_format="json"), "test")
    yield stream
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    root.handlers, structlog_config = before[0], before[2]
    root.setLevel(before[1])
    structlog.configure(**structlog_config)
    structlog.contextvars.clear_contextvars()


def _fail() -> None:
    try:
        dict[str, str]()[CANARY]
    except KeyError as error:
        raise ValueError(f"no such thing: {CANARY}") from error


def _entries(stream: io.StringIO) -> list[dict[str, Any]]:
    text = stream.getvalue()
    assert CANARY not in text
    return [json.loads(line) for line in text.splitlines()]


def test_our_own_exceptions_keep_kind_and_place(written: io.StringIO) -> None:
    """With their causes; an error of ours also its code."""
    try:
        _fail()
    except ValueError:
        structlog.get_logger("ours").exception("window_failed")
    structlog.get_logger("ours").error("away", exc_info=Snooze(CANARY, code="rate_limited"))

    failed, away = _entries(written)
    assert (failed["event"], failed["level"]) == ("window_failed", "error")
    assert failed["exception"][0] == "builtins.ValueError"
    assert "builtins.KeyError" in failed["exception"]
    assert any(line.endswith(" _fail") for line in failed["exception"])
    assert away["exception"] == ["shared.errors.Snooze (rate_limited)"]


def test_other_peoples_messages_about_exceptions_lose_their_arguments(written: io.StringIO) -> None:
    """With or without the exception attached; messages about anything else stay whole."""
    other = logging.getLogger("library")
    try:
        _fail()
    except ValueError as error:
        other.exception("raised unexpected: %s", error)
        other.error("could not: %r", error)
        other.error("several\nlines %s", CANARY, exc_info=True)
    other.warning("started %d workers", 3)

    assert [entry["event"] for entry in _entries(written)] == [
        "raised unexpected: %s", "could not: %r", "several", "started 3 workers",
    ]  # fmt: skip


def test_exceptions_nobody_caught_are_logged_without_their_words(written: io.StringIO) -> None:
    """Of a thread, of a task nobody awaited, of a destructor, of the process."""
    thread = threading.Thread(target=_fail)
    thread.start()
    thread.join()

    async def fail() -> None:
        _fail()

    async def forget() -> None:
        task = asyncio.create_task(fail())
        await asyncio.wait([task])
        del task
        gc.collect()

    asyncio.run(forget())

    class Broken:
        def __del__(self) -> None:
            _fail()

    Broken().__doc__  # noqa: B018 - gone at once
    gc.collect()

    events = [entry["event"] for entry in _entries(written)]
    assert {"thread_failed", "Task exception was never retrieved", "exception_ignored"} <= set(events)


def test_a_process_that_dies_says_no_more_than_where() -> None:
    """The interpreter's own way of printing would quote the exception."""
    program = (
        "from shared import logs; from shared.settings import Settings\n"
        "logs.configure(Settings(log_format='json'), 'test')\n"
        f"raise ValueError('{CANARY}')"
    )
    died = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert died.returncode == 1
    assert "builtins.ValueError" in died.stderr
    assert CANARY not in died.stderr
