"""Requests and models for the chat and embedding suites."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from shared.llm.chat import ChatModel
from shared.llm.schema import JsonSchema
from shared.model.message import Message, Role, Window
from tests.fakes.openai_control import Control
from workers.pipeline.prompts.extract import SCHEMA, build

KEY = "sk-canary-key-5150"
SECRET = "Rome canary 8231"
SAID = datetime(2026, 5, 14, 10, 0, tzinfo=UTC)
EVENT = UUID(int=7)

__all__ = ["EVENT", "KEY", "SAID", "SCHEMA", "SECRET", "JsonSchema", "model", "request", "said", "window"]


def said(text: str, role: Role = "user", *, event: int = 7, speaker: str | None = None, at: datetime = SAID) -> Message:
    """A message; its id is of no interest to the extractor."""
    return Message(UUID(int=0), UUID(int=event), 1, 0, role, text, at, speaker)


def window(*texts: str) -> Window:
    """User messages of one event."""
    return Window(tuple(said(text) for text in texts or (f"I want to go to {SECRET} in July",)))


def request(*texts: str) -> list[dict[str, str]]:
    """The extraction call for these user messages."""
    return build(window(*texts), ())


def model(server: Control, *, timeout: float = 5.0, name: str = "fake-chat") -> ChatModel:
    """A chat model of the fake server."""
    return ChatModel(name, base_url=server.base_url, api_key=KEY, timeout=timeout)
