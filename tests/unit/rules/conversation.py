"""Windows of messages and numbered candidates for tests, in one line each."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from uuid import UUID

from shared.model.message import Message, Role, Window
from shared.model.record import Candidate

SAID_AT = datetime(2026, 5, 7, 10, 0, tzinfo=timezone(timedelta(hours=2)))  # a Thursday
_NOBODY = UUID(int=0)


def said(text: str, *, role: Role = "user", speaker: str | None = None, at: datetime = SAID_AT) -> Message:
    """One message, by default of the unnamed user."""
    return Message(_NOBODY, _NOBODY, 1, 0, role, text, at, speaker)


def window(*messages: Message | str, subject: str = "", assistant: str = "") -> Window:
    """A window of messages; strings are messages of the unnamed user."""
    whole = tuple(said(message) if isinstance(message, str) else message for message in messages)
    return Window(whole, subject=subject, assistant=assistant)


def known(*texts: str, kind: str = "profile", **fields: object) -> tuple[Candidate, ...]:
    """Candidates numbered from 0."""
    return tuple(Candidate(n, UUID(int=n + 1), 1, text, kind, **fields) for n, text in enumerate(texts))  # type: ignore[arg-type]
