"""What goes over the wire, and how the structure ladder is walked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.llm.capability import Capability, Rung
from shared.llm.chat import ChatModel
from shared.llm.request import build_body, openai_extras
from tests.contract.llm_samples import SCHEMA, model, request
from tests.fakes.openai_control import FakeOpenAI


@pytest.fixture(scope="module")
def llm() -> Iterator[FakeOpenAI]:
    """One server for the module."""
    with FakeOpenAI() as server:
        yield server


@pytest.fixture
def chat(llm: FakeOpenAI) -> Iterator[ChatModel]:
    """A model that knows nothing of the server yet."""
    llm.reset()
    asked = model(llm)
    yield asked
    asked.close()


def test_the_first_request_is_strict_and_plain(llm: FakeOpenAI, chat: ChatModel) -> None:
    """Strict schema, store=false, max_completion_tokens; nothing that only OpenAI knows; usage as reported."""
    answer = chat.complete(request(), SCHEMA, cache_key="v1", safety_identifier="someone")
    (line,) = llm.log("chat")
    assert line["rung"] == "json_schema"
    assert line["params"] == ["max_completion_tokens", "model", "response_format", "store"]
    assert (answer.usage.calls, answer.usage.prompt_tokens) == (1, line["tokens"])
    assert answer.usage.completion_tokens > 0


def test_openai_itself_gets_cache_key_and_safety_identifier() -> None:
    """They are added for OpenAI's own address only, and a refused one is left out."""
    extra = openai_extras("https://api.openai.com/v1", "v1", "u")
    assert extra == {"prompt_cache_key": "v1", "safety_identifier": "u"}
    assert openai_extras("https://eu.api.openai.com/v1", "v1", None) == {"prompt_cache_key": "v1"}
    assert openai_extras("https://evil-api.openai.com.example/v1", "v1", "u") == {}
    capability = Capability("e").without("safety_identifier")
    body = build_body("m", request(), SCHEMA, capability, max_tokens=5, extra=extra)
    assert (body["prompt_cache_key"], "safety_identifier" in body, body["store"]) == ("v1", False, False)


@pytest.mark.parametrize("rung", ["json_schema", "json_object", "tools"])
def test_the_user_message_is_the_same_on_every_rung(rung: Rung) -> None:
    """Only the system message may grow; the JSON object of the last message stays as it is."""
    messages = request()
    body = build_body("m", messages, SCHEMA, Capability("e", rung), max_tokens=5, extra={})
    assert body["messages"][-1] == messages[-1]
    assert body["messages"][0]["content"].startswith(messages[0]["content"])


@pytest.mark.parametrize("supported", ["json_object", "tools"])
def test_a_server_that_refuses_a_rung_is_asked_on_the_next(llm: FakeOpenAI, chat: ChatModel, supported: str) -> None:
    """The same call steps down on a 400 that names the structure, and later calls start there."""
    llm.settings(supports=[supported])
    assert chat.complete(request(), SCHEMA).data["records"]
    assert (chat.capability.rung, chat.capability.proven) == (supported, True)
    chat.complete(request(), SCHEMA)
    assert [line["rung"] for line in llm.log("chat")] == [supported] * 2


def test_parameters_a_server_refuses_are_left_out(llm: FakeOpenAI, chat: ChatModel) -> None:
    """`max_tokens` stands in for `max_completion_tokens`; the others are dropped, once for all calls."""
    llm.settings(refuses=["max_completion_tokens", "store"])
    assert chat.complete(request(), SCHEMA).data["records"]
    assert chat.capability.refused == ("max_completion_tokens", "store")
    assert llm.log("chat")[-1]["params"] == ["max_tokens", "model", "response_format"]


@pytest.mark.parametrize(
    ("ignored", "rung"),
    [([], "json_schema"), (["json_schema"], "json_object"), (["json_schema", "json_object"], "tools")],
)
def test_the_probe_finds_the_rung_that_works(llm: FakeOpenAI, chat: ChatModel, ignored: list[str], rung: str) -> None:
    """A schema ignored with status 200 shows in the answer, and the probe goes on to the next rung."""
    llm.settings(ignores=ignored)
    found = chat.probe(request("ok thanks"), SCHEMA)
    assert (found.rung, found.proven, found.problem) == (rung, True, None)
    assert chat.complete(request(), SCHEMA).data["records"]
    assert len(llm.log("chat")) == len(ignored) + 2


@pytest.mark.parametrize(
    ("action", "problem"),
    [("rate_limited", "rate_limited"), ("unauthorized", "provider_auth"), ("reset", "provider_unavailable")],
)
def test_a_probe_of_a_server_that_is_away_stops_nothing(
    llm: FakeOpenAI, chat: ChatModel, action: str, problem: str
) -> None:
    """It says why and leaves the ladder at its top; the next call works."""
    llm.script({"match": "ok thanks", "action": action})
    found = chat.probe(request("ok thanks"), SCHEMA)
    assert (found.rung, found.proven, found.problem) == ("json_schema", False, problem)
    assert len(llm.log("chat")) == 1
    chat.complete(request(), SCHEMA)
    assert (chat.capability.proven, chat.capability.problem) == (True, None)


def test_a_probe_that_nothing_satisfies_says_so(llm: FakeOpenAI, chat: ChatModel) -> None:
    """All rungs tried, none proven."""
    llm.settings(ignores=["json_schema", "json_object", "tools"])
    found = chat.probe(request("ok thanks"), SCHEMA)
    assert (found.rung, found.proven, found.problem) == ("json_schema", False, "llm_invalid_output")


def test_a_capability_is_kept_for_its_own_server_only(llm: FakeOpenAI, chat: ChatModel) -> None:
    """It survives as JSON, is adopted by a model of the same server and refused by another."""
    llm.settings(supports=["tools"], refuses=["store"])
    kept = chat.probe(request("ok thanks"), SCHEMA).as_dict()
    back = Capability.from_dict(kept)
    assert back == chat.capability
    assert model(llm).adopt(back)
    assert not model(llm, name="another").adopt(back)
    assert Capability.from_dict({"rung": "xml"}) is None


def test_a_fenced_answer_is_read(llm: FakeOpenAI, chat: ChatModel) -> None:
    """Servers without enforced structure often wrap the object in a code fence."""
    llm.script({"match": "Rome", "action": "fenced"})
    assert chat.complete(request(), SCHEMA).data["records"]
