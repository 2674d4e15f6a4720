"""What can go wrong on the way up, in words for the person at the terminal."""

from __future__ import annotations


class EmbeddedError(Exception):
    """An error whose text names what is wrong and what to do; shown without a traceback."""


class PartError(EmbeddedError):
    """A part ended or did not become ready; carries the last lines of its log."""

    def __init__(self, name: str, reason: str, log_tail: str = "") -> None:
        text = f"{name} {reason}"
        super().__init__(f"{text}\n{log_tail}".rstrip())
        self.name = name
        self.reason = reason
