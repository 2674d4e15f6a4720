"""The extractor against the scripted server: one call, one re-ask naming the faults, then a typed failure."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest

from shared.errors import Narrow, Snooze
from shared.model.record import Record
from tests.contract.llm_samples import model, window
from tests.fakes.openai_control import FakeOpenAI
from workers.llm_extractor import LLMExtractor
from workers.pipeline.prompts.extract import PROMPT_VERSION


@pytest.fixture(scope="module")
def llm() -> Iterator[FakeOpenAI]:
    """One server for the module."""
    with FakeOpenAI() as server:
        yield server


@pytest.fixture
def extractor(llm: FakeOpenAI) -> Iterator[LLMExtractor]:
    """An extractor whose server was not probed."""
    llm.reset()
    chat = model(llm)
    yield LLMExtractor(chat)
    chat.close()


def fine(_records: tuple[Record, ...]) -> list[str]:
    """A check that finds no fault."""
    return []


def test_records_come_with_author_and_cost(llm: FakeOpenAI, extractor: LLMExtractor) -> None:
    """One call; the extraction names model and prompt version."""
    found = extractor.extract(window("I live in Rome. I like tea"), (), fine)
    assert [record.text for record in found.records] == ["I live in Rome.", "I like tea"]
    assert (found.extractor.name, found.extractor.model, found.extractor.prompt_version) == (
        "openai",
        "fake-chat",
        PROMPT_VERSION,
    )
    assert found.usage.calls == len(llm.log("chat")) == 1


def test_a_valid_empty_answer_is_a_result(llm: FakeOpenAI, extractor: LLMExtractor) -> None:
    """Nothing worth keeping is a success, without a second call."""
    assert extractor.extract(window("ok thanks"), (), fine).records == ()
    assert len(llm.log("chat")) == 1


def test_a_bad_answer_is_asked_again_once_with_its_faults(llm: FakeOpenAI, extractor: LLMExtractor) -> None:
    """The second request's last user message is the same object with the key `faults`; both calls are counted."""
    extractor.probe()
    llm.script({"match": "Rome", "action": "wrong_schema"})
    found = extractor.extract(window("I live in Rome"), (), fine)
    first, second = (orjson.loads(line["text"]) for line in llm.log("chat")[-2:])
    assert second.pop("faults")[0] == "the answer: records is missing"
    assert first == second
    assert (len(found.records), found.usage.calls) == (1, 2)


def test_records_all_at_fault_are_asked_again(llm: FakeOpenAI, extractor: LLMExtractor) -> None:
    """The check's faults reach the model word for word."""
    verdicts = [["records[0]: the quote is not in message 0"], []]
    found = extractor.extract(window("I live in Rome"), (), lambda _records: verdicts.pop(0))
    assert orjson.loads(llm.log("chat")[-1]["text"])["faults"] == ["records[0]: the quote is not in message 0"]
    assert (len(found.records), found.usage.calls) == (1, 2)


@pytest.mark.parametrize(
    ("action", "verdict", "code"),
    [("wrong_schema", [], "llm_invalid_output"), ("default", ["records[0]: no quote"], "llm_ungrounded")],
)
def test_at_fault_twice_is_a_failure_with_a_code(
    llm: FakeOpenAI, extractor: LLMExtractor, action: str, verdict: list[str], code: str
) -> None:
    """Two calls, no third, never an empty success; the error says what both cost."""
    llm.script({"match": "Rome", "action": action, "times": None})
    extractor.probe()
    with pytest.raises(Narrow) as caught:
        extractor.extract(window("I live in Rome"), (), lambda _records: verdict)
    assert caught.value.code == code
    assert len([line for line in llm.log("chat") if "Rome" in line["text"]]) == 2
    usage = caught.value.extra["usage"]
    assert isinstance(usage, dict)
    assert usage["calls"] == 2


def test_what_was_spent_before_an_outage_is_not_forgotten(llm: FakeOpenAI, extractor: LLMExtractor) -> None:
    """A re-ask that meets an outage snoozes the window and still reports the first call."""
    extractor.probe()
    llm.script({"match": "Rome", "action": "not_json"}, {"match": "faults", "action": "server_error"})
    with pytest.raises(Snooze) as caught:
        extractor.extract(window("I live in Rome"), (), fine)
    usage = caught.value.extra["usage"]
    assert isinstance(usage, dict)
    assert (caught.value.code, usage["calls"]) == ("provider_unavailable", 1)


def test_both_calls_share_one_limit(llm: FakeOpenAI) -> None:
    """The second call gets what the first has left; what is not ready then is no outage but a window too large."""
    llm.reset()
    chat = model(llm, timeout=5)
    hasty = LLMExtractor(chat, seconds=0.8)
    hasty.probe()
    llm.script({"match": "Rome", "action": "not_json", "delay": 0.3}, {"match": "Rome", "action": "hang"})
    with pytest.raises(Narrow) as caught:
        hasty.extract(window("I live in Rome"), (), fine)
    assert caught.value.code == "llm_invalid_output"
    assert sum(line["seconds"] or 0 for line in llm.log("chat")) < 3
    llm.release()
    chat.close()


def test_a_server_that_ignores_the_schema_is_found_out_without_a_boot_probe(
    llm: FakeOpenAI, extractor: LLMExtractor
) -> None:
    """When the server was away at boot, the first bad answer makes up for the probe and the re-ask uses its rung."""
    llm.settings(ignores=["json_schema"])
    found = extractor.extract(window("I live in Rome"), (), fine)
    assert [record.text for record in found.records] == ["I live in Rome"]
    assert llm.log("chat")[-1]["rung"] == "json_object"


def test_the_probe_is_an_ordinary_extraction_request(llm: FakeOpenAI, extractor: LLMExtractor) -> None:
    """The one message "ok thanks" in the request every window is sent with."""
    assert extractor.probe().proven
    (line,) = llm.log("chat")
    assert [message["text"] for message in orjson.loads(line["text"])["messages"]] == ["ok thanks"]
    assert line["params"] == ["max_completion_tokens", "model", "response_format", "store"]
