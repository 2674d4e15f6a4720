"""Conversations in LoCoMo's shape: dated sessions of two speakers, questions, and the turns that hold the evidence.

The data is not part of this repository; a file of this shape is read from where the caller says it lies.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

ADVERSARIAL = 5  # the category whose questions have no answer in the conversation
_SESSION = re.compile(r"session_(\d+)")
_TURN = re.compile(r"D:?(\d+):(\d+)")
_STEP = timedelta(minutes=1)  # turns carry no time of their own: they follow their session's, one a minute


class BadShape(ValueError):
    """The file is not of LoCoMo's shape; the message says where."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance. `id` as the questions name it (`D1:3`); `at` is aware and unique in its conversation."""

    id: str
    speaker: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the ids of the turns that answer it, at least one."""

    text: str
    evidence: frozenset[str]
    category: int


@dataclass(frozen=True, slots=True)
class Conversation:
    """Sessions in order, each a run of turns."""

    id: str
    sessions: tuple[tuple[Turn, ...], ...]
    questions: tuple[Question, ...]

    @property
    def turns(self) -> list[Turn]:
        """All turns in order."""
        return [turn for session in self.sessions for turn in session]


def load(path: Path, *, captions: bool = True) -> list[Conversation]:
    """The conversations of a file. `captions`: what a shared photo shows stands behind the text.

    Raises `FileNotFoundError`, `BadShape`.
    """
    try:
        raw = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise BadShape(f"{path.name} is not JSON: {error}") from None
    if not isinstance(raw, list) or not raw:
        raise BadShape(f"{path.name} is no list of conversations")
    return [_conversation(sample, index, captions=captions) for index, sample in enumerate(raw)]


def _conversation(sample: Any, index: int, *, captions: bool) -> Conversation:
    where = f"conversation {index}"
    try:
        name, talk, asked = str(sample.get("sample_id", index)), sample["conversation"], sample["qa"]
        numbers = sorted(int(match[1]) for key in talk if (match := _SESSION.fullmatch(key)))
        sessions = tuple(_session(talk, number, captions=captions) for number in numbers)
        known = {turn.id for session in sessions for turn in session}
        questions = tuple(question for item in asked if (question := _question(item, known)))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadShape(f"{where}: {type(error).__name__}: {error}") from None
    if not known or not questions:
        raise BadShape(f"{where} has no turns or no questions with evidence")
    return Conversation(name, sessions, questions)


def _session(talk: dict[str, Any], number: int, *, captions: bool) -> tuple[Turn, ...]:
    start = moment(talk[f"session_{number}_date_time"])
    return tuple(
        Turn(turn["dia_id"], turn["speaker"], _text(turn, captions=captions), start + place * _STEP)
        for place, turn in enumerate(talk[f"session_{number}"])
    )


def _text(turn: dict[str, Any], *, captions: bool) -> str:
    caption = turn.get("blip_caption") if captions else None
    return f"{turn['text']} [shares {caption}]" if caption else str(turn["text"])


def _question(item: dict[str, Any], known: set[str]) -> Question | None:
    """None for adversarial questions and for those whose evidence is not in the conversation."""
    named = {f"D{int(session)}:{int(turn)}" for text in item["evidence"] for session, turn in _TURN.findall(text)}
    evidence = frozenset(named & known)
    if item["category"] == ADVERSARIAL or not evidence:
        return None
    return Question(str(item["question"]), evidence, int(item["category"]))


def moment(text: str) -> datetime:
    """`1:56 pm on 8 May, 2023` as UTC. Raises ValueError."""
    return datetime.strptime(text.strip(), "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)
