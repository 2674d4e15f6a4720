"""The extraction request: what measuring tools and caches rely on, to the byte."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from shared.model.message import Message, Role, Rules, Window
from shared.model.record import Candidate
from workers.pipeline.prompts.extract import PROMPT, PROMPT_VERSION, SCHEMA, Budget, build, fitting, has_room, minutes

SAID = datetime(2026, 5, 14, 10, 0, 59, tzinfo=UTC)
FROZEN = {"extract-1": "acba98d213ce00d6", "extract-2": "33860056c40f3175"}


def said(text: str, role: Role = "user", speaker: str | None = None, at: datetime = SAID) -> Message:
    """A message of an event of its own."""
    return Message(uuid4(), uuid4(), 1, 0, role, text, at, speaker)


def known(n: int, text: str) -> Candidate:
    """A candidate true since May."""
    return Candidate(n, UUID(int=n), 1, text, "knowledge", since="2026-05")


def payload(window: Window, *candidates: Candidate, **more: Any) -> dict[str, Any]:
    """The JSON object of the last user message."""
    messages = build(window, candidates, **more)
    assert [message["role"] for message in messages] == ["system", "user"]
    found = orjson.loads(messages[-1]["content"])
    assert isinstance(found, dict)
    return found


def test_prompt_and_schema_change_only_with_their_version() -> None:
    """Memories name the prompt version that wrote them: another text or schema needs another version."""
    both = PROMPT.encode() + orjson.dumps(SCHEMA.schema, option=orjson.OPT_SORT_KEYS)
    assert FROZEN[PROMPT_VERSION] == hashlib.sha256(both).hexdigest()[:16]


def test_the_fixed_part_is_small_and_cacheable() -> None:
    """Prompt and compact schema are at most 2,000 tokens, at least 1,024 of them the identical start of every call."""
    schema = orjson.dumps(SCHEMA.schema).decode()
    assert (len(PROMPT) + len(schema)) / 4 <= 2_000
    assert len(PROMPT) / 4 >= 1_024
    one = build(Window((said("I like tea"),)), ())
    other = build(
        Window((said("Me too", "assistant", "Ann"),), rules=Rules("Keep all")), [known(0, "Likes tea")], ["x"]
    )
    assert one[0] == other[0] == {"role": "system", "content": PROMPT}


def test_the_user_message_is_the_json_object_and_nothing_else() -> None:
    """Keys in a fixed order; `speaker` and `faults` only where there are any."""
    window = Window(
        (said("I moved to Milan"), said("Noted", "assistant", speaker="Bea")),
        earlier=(said("I live in Rome"),),
        rules=Rules("Only homes", "homes", "food", ("home", "work")),
        subject="Ann",
        assistant="Bot",
    )
    found = payload(window, known(0, "Lives in Rome"))
    assert list(found) == ["scope", "rules", "known", "earlier", "messages"]
    assert found == {
        "scope": {"subject": "Ann", "assistant": "Bot"},
        "rules": {
            "instructions": "Only homes",
            "includes": "homes",
            "excludes": "food",
            "categories": ["home", "work"],
        },
        "known": [{"n": 0, "text": "Lives in Rome", "since": "2026-05"}],
        "earlier": [{"role": "user", "at": "2026-05-14T10:00Z", "text": "I live in Rome"}],
        "messages": [
            {"i": 0, "role": "user", "at": "2026-05-14T10:00Z", "text": "I moved to Milan"},
            {"i": 1, "role": "assistant", "speaker": "Bea", "at": "2026-05-14T10:00Z", "text": "Noted"},
        ],
    }
    again = payload(window, known(0, "Lives in Rome"), faults=("records[0]: no quote",))
    assert again == {**found, "faults": ["records[0]: no quote"]}
    assert list(again)[-1] == "faults"


def test_a_bare_window_has_every_key() -> None:
    """Absent settings are empty strings and lists, never missing keys or null."""
    found = payload(Window((said("I like tea"),)))
    assert found["scope"] == {"subject": "", "assistant": ""}
    assert found["rules"] == {"instructions": "", "includes": "", "excludes": "", "categories": []}
    assert (found["known"], found["earlier"]) == ([], [])


@pytest.mark.parametrize(
    ("hours", "written"), [(0, "2026-05-14T10:00Z"), (2, "2026-05-14T12:00+02:00"), (-3.5, "2026-05-14T06:30-03:30")]
)
def test_a_time_keeps_the_offset_it_was_said_in(hours: float, written: str) -> None:
    """Minute precision; UTC is Z."""
    assert minutes(SAID.astimezone(timezone(timedelta(hours=hours)))) == written


def test_text_is_data_whatever_it_holds() -> None:
    """Quotes, line ends, braces and other scripts arrive as they were said."""
    text = 'He said "stop"}\n]} # Schema 我住在上海 \U0001f600'
    assert payload(Window((said(text),)))["messages"][0]["text"] == text


def test_known_and_earlier_keep_to_their_budget() -> None:
    """The first candidates that fit, the newest messages; long texts are capped; the window itself never is."""
    budget = Budget(known_tokens=250, earlier_tokens=20, known_chars=400, earlier_chars=40)
    window = Window((said("y" * 9000),), earlier=tuple(said(f"{n} " + "x" * 100) for n in range(5)))
    candidates = fitting([known(n, f"{n} " + "k" * 900) for n in range(9)], budget)
    found = payload(window, *candidates, budget=budget)
    assert not has_room(candidates, budget)
    assert has_room(candidates[:1], budget)
    assert [item["n"] for item in found["known"]] == [0, 1]
    assert all(len(item["text"]) <= 400 for item in found["known"])
    assert [item["text"][0] for item in found["earlier"]] == ["3", "4"]
    assert all(len(item["text"]) <= 40 and item["text"].endswith("…") for item in found["earlier"])
    assert len(found["messages"][0]["text"]) == 9000


def test_system_and_tool_messages_are_cut_short() -> None:
    """Nothing is ever kept of them; their index stays, their bulk does not cost."""
    found = payload(Window((said("s" * 5000, "system"), said("t" * 5000, "tool"), said("I like tea"))))
    assert [len(message["text"]) for message in found["messages"]] == [400, 400, 10]
    assert [message["i"] for message in found["messages"]] == [0, 1, 2]
