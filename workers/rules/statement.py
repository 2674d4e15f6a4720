"""What passes between the rules: a clause of a message, a statement made of it, and whose voice it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shared.model.message import Message, Window
from shared.model.record import About, Kind

Act = Literal["say", "ended", "forget", "forget_last", "joke"]
Worth = Literal[0, 1, 2]  # nothing, only where the message has nothing better, worth keeping


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a message judged by itself: message[start:end], read behind `lead` ("I " for a shared subject)."""

    start: int
    end: int
    text: str
    question: bool = False
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks: `name` is written as the subject, "" leaves the subject out; `other` is whom "you" means."""

    name: str
    about: About
    speaker: Literal["user", "assistant", "named"]
    other: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """Something a message says, told in the third person with its dates written out; evidence included.

    act: what it does to what is known. `ended` says that it no longer holds, `forget` asks to drop it, `forget_last`
    and `joke` take back the statement before.
    """

    src: int
    quote: str
    text: str
    about: About = "user"
    kind: Kind = "knowledge"
    worth: Worth = 2
    weight: int = 2
    when: str | None = None
    until: str | None = None
    act: Act = "say"


def voice_of(message: Message, window: Window) -> Voice | None:
    """Whose facts a message states; None for system and tool, named or not."""
    if message.role in ("system", "tool"):
        return None
    if message.speaker and message.speaker.strip():
        name = " ".join(message.speaker.split())
        mine = message.role == "user" and window.subject in ("", name)
        return Voice(name, "user" if mine else "other", "named", _other(name, window))
    if message.role == "assistant":
        return Voice(window.assistant, "assistant", "assistant", window.subject or "the user")
    return Voice(window.subject, "user", "user")


def _other(name: str, window: Window) -> str:
    """The one other named speaker, if there is exactly one."""
    others = {
        " ".join(message.speaker.split())
        for message in (*window.earlier, *window.messages)
        if message.speaker and message.role in ("user", "assistant")
    } - {name}
    return others.pop() if len(others) == 1 else ""
