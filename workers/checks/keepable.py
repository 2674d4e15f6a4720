"""Which messages are kept beside their statements: what a person or the assistant said, unless it must not be found."""

from __future__ import annotations

from shared.model.asked import index_text, question
from shared.model.message import Message, Window
from shared.model.sentences import phatic
from workers.checks.orders.found import gives_orders
from workers.checks.secrets import holds_secret
from workers.checks.visible import storable

_LONGEST = 4_000  # characters; beyond that a message is a document, and its statements stand for it


def keepable(message: Message) -> bool:
    """False for system and tool messages, courtesies, documents, and what holds a secret or an order to the memory."""
    text = message.text
    return (
        message.role in ("user", "assistant")
        and len(text) <= _LONGEST
        and not phatic(text)
        and not holds_secret(text)
        and not gives_orders(text)
    )


def searched(window: Window, index: int) -> str:
    """The index text of a message of the window."""
    message = window.messages[index]
    asked = asked_before(window, index)
    return index_text(storable(message.text), message.speaker, asked)


def asked_before(window: Window, index: int) -> str:
    """The question that a message of the window answers, "" where it must not be found."""
    message = window.messages[index]
    asked = question((*window.earlier, *window.messages[:index]), message.role, message.speaker)
    return "" if gives_orders(asked) or holds_secret(asked) else storable(asked)
