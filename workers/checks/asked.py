"""The question a message answers: it joins the index text, so that "Lisbon" is found by "where do you live"."""

from __future__ import annotations

from shared.model.message import Message, Window
from shared.model.sentences import sentences

_MARKS = ("?", "？", "؟")
_MAX_CHARS = 300
_LOOK_BACK = 3


def question(window: Window, index: int) -> str:
    """The last question of the other speaker's turn right before `window.messages[index]`, else ""."""
    answer = window.messages[index]
    before = [
        message for message in (*window.earlier, *window.messages[:index]) if message.role in ("user", "assistant")
    ]
    for message in reversed(before[-_LOOK_BACK:]):
        if _voice(message) != _voice(answer):
            return _last_question(message.text)
    return ""


def _voice(message: Message) -> str:
    return message.speaker or message.role


def _last_question(text: str) -> str:
    asked = [sentence.text for sentence in sentences(text) if sentence.text.rstrip("\"'”’」』) ").endswith(_MARKS)]
    return asked[-1][-_MAX_CHARS:] if asked else ""
