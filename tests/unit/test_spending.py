"""Ceilings as pure rules, and a reservation that no request of a window can exceed."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import orjson
from hypothesis import given
from hypothesis import strategies as st

from shared.db.spend import Ceilings, Spent
from shared.model.message import Message, Rules, Window
from shared.model.record import Candidate
from shared.settings import Settings
from workers.pipeline.prompts.extract import PROMPT, SCHEMA, build
from workers.spending import PROMPT_ROOM, most_tokens

NOBODY = UUID(int=0)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
DEFAULTS = Ceilings(day=100, month=1000)


def test_a_projects_own_ceilings_win() -> None:
    """Also its own 0, which lifts the default."""
    assert Ceilings.of({}, DEFAULTS) == DEFAULTS
    assert Ceilings.of({"tokens_per_day": 5}, DEFAULTS) == Ceilings(5, 1000)
    assert not Ceilings.of({"tokens_per_day": 0, "tokens_per_month": 0}, DEFAULTS)


def test_the_later_period_decides_how_long_work_waits() -> None:
    """A day that is used up ends at midnight, a month later; below both nothing waits."""
    spent = Spent(day=100, month=999, reserved=1, day_left=60, month_left=600)

    assert spent.pause(Ceilings(day=100)) == 60
    assert spent.pause(Ceilings(day=100, month=999)) == 600
    assert spent.pause(Ceilings(day=101, month=1000)) == spent.pause(Ceilings()) == 0
    assert spent.full(Ceilings(day=101))
    assert not spent.full(Ceilings(day=102))


def test_the_static_part_of_a_request_fits_its_room() -> None:
    """The prompt and the schema grow; the reservation must stay an upper bound."""
    assert len(PROMPT.encode()) + len(orjson.dumps(SCHEMA.schema)) < PROMPT_ROOM


TEXTS = st.text(alphabet=st.characters(codec="utf-8"), max_size=900)


@given(said=st.lists(TEXTS, min_size=1, max_size=16), known=st.lists(TEXTS, max_size=30), asked=TEXTS)
def test_no_request_is_larger_than_its_reservation(said: list[str], known: list[str], asked: str) -> None:
    """In bytes, which are at least as many as tokens, answers and the second asking included."""
    messages = tuple(Message(NOBODY, NOBODY, 1, at, "user", text, NOW) for at, text in enumerate(said))
    window = Window(messages, messages[:6], Rules(asked, asked, asked, (asked,)))
    candidates = [Candidate(at, NOBODY, 1, text, "profile", "2026-03-01", NOW) for at, text in enumerate(known)]
    settings = Settings()

    request = build(window, candidates, ["x" * 200] * 20)

    sent = sum(len(part["content"].encode()) for part in request) + len(orjson.dumps(SCHEMA.schema))
    assert 2 * (sent + settings.llm_max_output_tokens) <= most_tokens(window, settings)
