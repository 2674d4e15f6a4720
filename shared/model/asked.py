"""The question a message answers: it joins the index text, so that "Lisbon" is found by "where do you live"."""

from __future__ import annotations

from collections.abc import Sequence

from shared.model.message import Message
from shared.model.sentences import sentences

LOOK_BACK = 3
_MARKS = ("?", "？", "؟")
_MAX_CHARS = 300


def question(before: Sequence[Message], role: str, speaker: str | None) -> str:
    """The last question of the other speaker's turn right before what this one says, else "".

    before: the messages before it, oldest first; system and tool messages ask nothing.
    """
    spoken = [message for message in before if message.role in ("user", "assistant")]
    for message in reversed(spoken[-LOOK_BACK:]):
        if (message.speaker or message.role) != (speaker or role):
            return _last_question(message.text)
    return ""


def index_text(text: str, speaker: str | None, asked: str) -> str:
    """What search looks through: who says it, the question answered, the text itself."""
    return " ".join(part for part in (f"{speaker}:" if speaker else "", asked, text) if part)


def _last_question(text: str) -> str:
    asked = [sentence.text for sentence in sentences(text) if sentence.text.rstrip("\"'”’」』) ").endswith(_MARKS)]
    return asked[-1][-_MAX_CHARS:] if asked else ""
