"""Every way a chat server can fail has one typed outcome, and none of them tells the content or the key."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.errors import Narrow, Snooze, WorkError
from shared.llm.answers import InvalidAnswer
from shared.llm.chat import ChatModel
from tests.contract.llm_samples import KEY, SCHEMA, SECRET, model, request
from tests.fakes.openai_control import FakeOpenAI

WAITS: dict[str, tuple[dict[str, Any], str]] = {
    "429": ({"action": "rate_limited"}, "rate_limited"),
    "quota gone": ({"action": "insufficient_quota"}, "quota_exhausted"),
    "402": ({"action": "status", "status": 402, "message": "Insufficient Balance"}, "quota_exhausted"),
    "401": ({"action": "unauthorized", "message": f"Incorrect API key provided: {KEY}"}, "provider_auth"),
    "403": ({"action": "forbidden"}, "provider_auth"),
    "400 for a bad key": ({"action": "bad_request", "message": "API key not valid."}, "provider_auth"),
    "model not found": ({"action": "model_not_found"}, "model_not_found"),
    "a wrong path": ({"action": "status", "status": 404, "code": None, "message": "not found"}, "model_not_found"),
    "408": ({"action": "status", "status": 408}, "provider_timeout"),
    "409": ({"action": "conflict"}, "provider_unavailable"),
    "500": ({"action": "server_error"}, "provider_unavailable"),
    "502": ({"action": "bad_gateway"}, "provider_unavailable"),
    "503": ({"action": "unavailable"}, "provider_unavailable"),
    "redirect": ({"action": "status", "status": 307, "headers": {"location": "/elsewhere"}}, "provider_unavailable"),
    "reset": ({"action": "reset"}, "provider_unavailable"),
    "broken body": ({"action": "broken_body"}, "provider_unavailable"),
    "a login page": ({"action": "html"}, "provider_unavailable"),
    "error with 200": ({"action": "status", "status": 200, "code": "server_error"}, "provider_unavailable"),
    "429 inside 200": ({"action": "status", "status": 200, "code": 429}, "rate_limited"),
}
NARROWS: dict[str, tuple[dict[str, Any], str]] = {
    "context too long": ({"action": "context_length_exceeded"}, "context_too_long"),
    "context by words": (
        {"action": "bad_request", "message": "This model's maximum context length is 8192 tokens, max_tokens is 4000"},
        "context_too_long",
    ),
    "413": ({"action": "status", "status": 413}, "context_too_long"),
    "length stop": ({"action": "length"}, "output_too_long"),
    "refusal": ({"action": "refusal"}, "llm_refused"),
    "refusal as an error": ({"action": "bad_request", "code": "invalid_prompt"}, "llm_refused"),
    "content filter": ({"action": "content_filter"}, "content_filtered"),
    "content filter as an error": ({"action": "content_filter_400"}, "content_filtered"),
    "unknown 400": ({"action": "bad_request", "message": f"cannot process {SECRET}"}, "provider_rejected"),
}
INVALID: dict[str, tuple[dict[str, Any], str]] = {
    "not JSON": ({"action": "not_json"}, "the answer: not JSON"),
    "truncated JSON": ({"action": "truncated_json"}, "the answer: not JSON"),
    "empty": ({"action": "empty"}, "the answer: empty"),
    "no choices": ({"action": "no_choices"}, "the answer: empty"),
    "wrong schema": ({"action": "wrong_schema"}, "the answer: records is missing"),
    "a list": ({"action": "json", "json": []}, "the answer: not of type object"),
    "a wrong enum": (
        {"action": "records", "records": [{"text": "x y", "op": "DELETE"}]},
        "records[0].op: not one of ADD, REFINE, SUPERSEDE, RETRACT, SAME",
    ),
    "a wrong type": (
        {"action": "records", "records": [{"text": "x y", "weight": True}]},
        "records[0].weight: not of type integer",
    ),
}


@pytest.fixture(scope="module")
def llm() -> Iterator[FakeOpenAI]:
    """One server for the module."""
    with FakeOpenAI() as server:
        yield server


@pytest.fixture
def chat(llm: FakeOpenAI) -> Iterator[ChatModel]:
    """A model on a server without rules."""
    llm.reset()
    asked = model(llm)
    yield asked
    asked.close()


def outcome(chat: ChatModel, *texts: str) -> WorkError:
    """The failure of one call."""
    with pytest.raises(WorkError) as caught:
        chat.complete(request(*texts), SCHEMA)
    return caught.value


@pytest.mark.parametrize("kind", WAITS)
def test_a_provider_that_is_away_makes_the_work_wait(llm: FakeOpenAI, chat: ChatModel, kind: str) -> None:
    """Snooze with the code of the cause; the next call succeeds."""
    rule, code = WAITS[kind]
    llm.script({"match": "Rome", **rule})
    error = outcome(chat)
    assert (type(error), error.code, error.provider) == (Snooze, code, "llm")
    assert chat.complete(request(), SCHEMA).data["records"]


@pytest.mark.parametrize("kind", NARROWS)
def test_content_at_fault_narrows_the_window(llm: FakeOpenAI, chat: ChatModel, kind: str) -> None:
    """Narrow with the code of the cause."""
    rule, code = NARROWS[kind]
    llm.script({"match": "Rome", **rule})
    error = outcome(chat)
    assert (type(error), error.code, error.provider) == (Narrow, code, "llm")


@pytest.mark.parametrize("kind", INVALID)
def test_an_answer_outside_the_schema_names_its_faults(llm: FakeOpenAI, chat: ChatModel, kind: str) -> None:
    """InvalidAnswer carries faults to show to the model, and what the answer cost; it is never an empty success."""
    rule, fault = INVALID[kind]
    llm.script({"match": "Rome", **rule})
    error = outcome(chat)
    assert isinstance(error, InvalidAnswer)
    assert error.faults[0] == fault
    assert error.usage.calls == 1


@pytest.mark.parametrize("action", ["hang", "drip", "drip_head"])
def test_one_limit_bounds_the_whole_call(llm: FakeOpenAI, chat: ChatModel, action: str) -> None:
    """A server that hangs, drips its head or drips its body byte by byte ends at the limit, not later."""
    chat.close()
    quick = model(llm, timeout=0.5)
    llm.script({"match": "Rome", "action": action})
    started = time.monotonic()
    error = outcome(quick)
    assert (type(error), error.code) == (Snooze, "provider_timeout")
    assert 0.4 < time.monotonic() - started < 3
    llm.release()
    assert quick.complete(request(), SCHEMA).data["records"]
    quick.close()


def test_a_caller_may_shorten_the_limit(llm: FakeOpenAI, chat: ChatModel) -> None:
    """The window's remaining time bounds a call below the model's own limit."""
    llm.script({"match": "Rome", "action": "hang"})
    started = time.monotonic()
    with pytest.raises(Snooze, match="in time"):
        chat.complete(request(), SCHEMA, timeout=0.3)
    assert time.monotonic() - started < 3
    llm.release()


def test_nobody_listening_is_a_wait() -> None:
    """A closed port is an outage, not a crash."""
    with FakeOpenAI() as gone:
        chat = model(gone)
    assert outcome(chat).code == "provider_unavailable"
    chat.close()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
        ({"retry-after": "Fri, 31 Dec 2100 23:59:59 GMT"}, 3600.0),
        ({"retry-after": "999999"}, 3600.0),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_every_form(
    llm: FakeOpenAI, chat: ChatModel, headers: dict[str, str], seconds: float | None
) -> None:
    """Seconds, milliseconds or a date; nonsense counts as no word."""
    llm.script({"match": "Rome", "action": "rate_limited", "headers": headers})
    assert outcome(chat).retry_after == seconds


@pytest.mark.parametrize("rule", [rule for rule, _ in (*WAITS.values(), *NARROWS.values(), *INVALID.values())])
def test_no_failure_tells_content_key_or_prompt(
    llm: FakeOpenAI, chat: ChatModel, caplog: pytest.LogCaptureFixture, rule: dict[str, Any]
) -> None:
    """Neither the message, the chained errors nor a log line at any level hold the canaries."""
    told = {"message": f"{rule.get('message', '')} you said {SECRET} with {KEY}"} if "message" not in rule else {}
    llm.script({"match": "Rome", **rule, **told})
    with caplog.at_level(logging.DEBUG):
        error = outcome(chat)
    text = "".join(traceback.format_exception(error)) + repr(error.__context__) + repr(vars(error)) + caplog.text
    for canary in (SECRET, KEY, "long-term memory"):
        assert canary not in text


def test_hundreds_of_callers_share_one_model(llm: FakeOpenAI, chat: ChatModel) -> None:
    """Each thread gets the answer to its own question."""

    def ask(number: int) -> str:
        data = chat.complete(request(f"My favourite number is {number}"), SCHEMA).data
        return str(data["records"][0]["text"])

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(ask, range(200)))
    assert answers == [f"My favourite number is {number}" for number in range(200)]
