"""`happens_from` and `happens_to` of a list or search: what happens, or goes on, within [from, to)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from api.filters.values import span
from shared.errors import BadRequest
from shared.model.filters import Happens

FROM, TO = "happens_from", "happens_to"


def happening(given: Mapping[str, str]) -> Happens | None:
    """None where neither is given. Raises `BadRequest` naming the parameter, also for an empty stretch of time."""
    start, end = (_start(given[name], name) if name in given else None for name in (FROM, TO))
    if start is None and end is None:
        return None
    if start is not None and end is not None and end <= start:
        raise BadRequest(f"{TO} must lie after {FROM}: it is the first moment that no longer counts", field=TO)
    return Happens(start, end)


def _start(text: str, name: str) -> datetime:
    return span(text, name)[0]
