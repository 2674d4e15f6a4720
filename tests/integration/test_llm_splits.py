"""What a model says to one window, from the wire to the rows: too long, refused, filtered, at fault, without schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from shared.llm.chat import ChatModel
from shared.model.message import Window
from shared.model.record import Candidate, Extraction
from tests.fakes.openai_control import FakeOpenAI
from tests.integration.pipeline_bench import Bench
from workers.dispatch import Dispatcher
from workers.llm_extractor import LLMExtractor
from workers.parts import FaultsOf
from workers.pipeline.run import run

HOUSES = [f"I own house {number}" for number in range(4)]


@pytest.fixture(scope="module")
def server() -> Iterator[FakeOpenAI]:
    """One scripted model for the module."""
    with FakeOpenAI() as running:
        yield running


@pytest.fixture
def asked(make_bench: Callable[..., Bench], server: FakeOpenAI) -> Iterator[Bench]:
    """A worker's parts whose extractor asks the scripted model over HTTP."""
    server.reset()
    bench = make_bench()
    chat = ChatModel("gpt-test", base_url=server.base_url, api_key="sk-test", timeout=20)
    extractor = LLMExtractor(chat)

    def extract(window: Window, candidates: Sequence[Candidate], faults_of: FaultsOf) -> Extraction:
        return extractor.extract(window, candidates, faults_of)

    bench.parts = replace(bench.parts, extract=extract)
    bench.dispatcher = Dispatcher(bench.parts, bench.leases, run)
    yield bench
    chat.close()


def windows(server: FakeOpenAI) -> list[int]:
    """How many messages each call was about."""
    return [call["text"].count('"i":') for call in server.log("chat")]


@pytest.mark.parametrize("action", ["length", "refusal", "content_filter", "context_length_exceeded"])
def test_a_window_that_is_too_much_is_split(asked: Bench, server: FakeOpenAI, action: str) -> None:
    """Once is enough to halve it; nothing is lost and nothing fails."""
    server.script({"match": "", "action": action})
    made = [asked.post(text) for text in HOUSES]

    asked.drain()

    assert [asked.results(event_id) for event_id in made] == [[("ADD", text)] for text in HOUSES]
    assert windows(server) == [4, 2, 2]


@pytest.mark.parametrize(
    ("action", "code"),
    [("length", "output_too_long"), ("refusal", "llm_refused"), ("content_filter", "content_filtered")],
)
def test_the_message_that_is_too_much_fails_by_name(asked: Bench, server: FakeOpenAI, action: str, code: str) -> None:
    """Halved down to it; the others are kept, and none is shown it as what was said before."""
    server.script({"match": "house 2", "action": action, "times": None})
    made = [asked.post(text) for text in HOUSES]

    asked.drain()

    assert [asked.event(event_id).error_code for event_id in made] == [None, None, code, None]
    assert asked.texts() == [text for text in HOUSES if text != "I own house 2"]


def test_records_at_fault_are_asked_for_again_with_the_faults(asked: Bench, server: FakeOpenAI) -> None:
    """Number, quote and negation are named; the second answer is kept, both calls are counted."""
    wrong = [{"text": "Owns 7 boats"}, {"text": "Owns two boats", "quote": "two boats in Rome"},
             {"text": "Does not own two boats"}]  # fmt: skip
    server.script({"match": "", "action": "records", "records": wrong})
    event_id = asked.post("I own two boats")

    asked.drain()

    assert asked.results(event_id) == [("ADD", "I own two boats")]
    first, second = (call["text"] for call in server.log("chat"))
    assert '"faults"' not in first
    for words in ("number '7' is not in", "'two boats in Rome' does not stand in", "differ in a negation"):
        assert words in second
    assert asked.event(event_id).usage["calls"] == 2


def test_a_server_without_schemas_is_still_understood(asked: Bench, server: FakeOpenAI) -> None:
    """The next rung is tried at once and remembered."""
    settings: dict[str, Any] = {"supports": ["json_object"]}
    server.settings(**settings)
    event_id = asked.post("I own house 1")

    asked.drain()

    assert asked.results(event_id) == [("ADD", "I own house 1")]
    assert [call["rung"] for call in server.log("chat")] == ["json_object"]
