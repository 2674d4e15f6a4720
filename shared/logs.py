"""Structured logs: JSON lines (or a console form on a terminal), never with keys or message content.

An exception is logged by kind and place: what it says may quote a row, a request or an answer, so its words are left
out, whoever logs it, and of other people's messages about exceptions only the constant part stays.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from types import TracebackType
from typing import Any

import structlog

from shared.errors import ServiceError
from shared.settings import Settings

_FRAMES = 12  # of each traceback, the innermost
_CHAIN = 4  # exceptions of a chain of causes


def get_logger(name: str) -> Any:
    """A bound logger; the first argument of a call is the event's name in snake_case."""
    return structlog.get_logger(name)


def configure(settings: Settings, process: str) -> None:
    """Route structlog, the standard library and uncaught exceptions through one formatter on stderr."""
    console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    renderer: Any = structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer()
    before: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_words,
    ]
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.log_level)),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            pass_foreign_args=True,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level)
    for noisy in (
        "httpx",
        "httpx2",
        "httpcore",
        "httpcore2",
        "openai",
        "kombu",
        "celery",
        "uvicorn.access",
        "qdrant_client",
        "alembic.runtime.migration",
        "sqlalchemy",
        "psycopg",
    ):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
    structlog.contextvars.bind_contextvars(process=process)
    _catch_uncaught()


def without_words(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    """A processor: exceptions become kinds and places; a foreign message about one keeps its constant first line."""
    found = _exception(event.pop("exc_info", None))
    record, arguments = event.get("_record"), event.pop("positional_args", ())
    if record is not None and (found is not None or _hold_exception(arguments)):
        event["event"] = str(record.msg).partition("\n")[0]
    event.pop("stack_info", None)
    if found is not None:
        event["exception"] = told(found)
    return event


def told(error: BaseException) -> list[str]:
    """An exception and its causes, outermost first: its kind, then the places it came through."""
    lines: list[str] = []
    link: BaseException | None = error
    for _ in range(_CHAIN):
        if link is None:
            break
        kind = type(link)
        frames = traceback.extract_tb(link.__traceback__)[-_FRAMES:]
        code = f" ({link.code})" if isinstance(link, ServiceError) else ""
        lines.append(f"{kind.__module__}.{kind.__qualname__}{code}")
        lines += [f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return lines


def _exception(exc_info: Any) -> BaseException | None:
    """Whatever form the caller gave it in."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if not exc_info:
        return None
    found: BaseException | None = exc_info[1] if isinstance(exc_info, tuple) else sys.exc_info()[1]
    return found


def _hold_exception(arguments: Any) -> bool:
    """A message put together from an exception without handing it over."""
    items = arguments.values() if isinstance(arguments, dict) else arguments or ()
    return any(isinstance(item, BaseException) for item in items)


def _catch_uncaught() -> None:
    """The interpreter would print an exception with its words."""
    log = get_logger("uncaught")

    def on_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            log.error("thread_failed", thread=args.thread.name if args.thread else None, exc_info=args.exc_value)

    def on_main(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:  # noqa: ARG001
        log.error("process_failed", exc_info=error)

    def on_unraisable(args: Any) -> None:
        log.error("exception_ignored", exc_info=args.exc_value)

    threading.excepthook, sys.excepthook, sys.unraisablehook = on_thread, on_main, on_unraisable
