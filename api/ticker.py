"""Background work of the API process: the same small step again and again, whatever a single one meets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from shared.logs import get_logger

_log = get_logger(__name__)


async def every(seconds: float, name: str, step: Callable[[], Awaitable[None]]) -> None:
    """Run `step`, pause, and so on until cancelled; a failed step is logged and tried again next time."""
    while True:
        try:
            await step()
        except Exception as error:  # noqa: BLE001 - Postgres restarts, migrations run; the loop must outlive them
            _log.warning("background_step_failed", step=name, reason=type(error).__name__)
        await asyncio.sleep(seconds)
