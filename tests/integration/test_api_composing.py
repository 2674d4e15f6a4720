"""Texts a chat model writes for a reader: one call, accounted and behind the breaker.

A summary falls back to a plain digest; a form is held to its schema and kept until the memories are others.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import orjson
import pytest

from shared.db import breakers, spend, usage
from shared.db.projects import Project
from tests.fakes.openai_control import FakeOpenAI
from tests.integration.api_support import LiveApi, assert_problem
from tests.integration.test_api_mem0 import kept, mem0
from tests.stack import Stack

ANNA = {"filters": {"user_id": "anna"}}


@pytest.fixture(scope="module")
def llm() -> Iterator[FakeOpenAI]:
    """The scripted chat server."""
    with FakeOpenAI() as server:
        yield server


@pytest.fixture(scope="module")
def live(stack: Stack, llm: FakeOpenAI) -> Iterator[LiveApi]:
    """An API process that has a chat model."""
    running = LiveApi(stack, OPENAI_BASE_URL=llm.base_url, OPENAI_API_KEY="any", embeddings="none")
    yield running
    running.close()


@pytest.fixture(autouse=True)
def fresh(llm: FakeOpenAI, live: LiveApi) -> None:
    """No script and no open breaker of an earlier test."""
    llm.reset()
    for one in live.db.run(lambda session: breakers.listing(session, only_open=False)):
        live.db.run(partial(breakers.reset, provider=one.provider))


def answers(llm: FakeOpenAI, **content: object) -> None:
    """Whatever is asked is answered by this object."""
    llm.script({"match": "", "action": "json", "json": content, "times": None}, replace=True)


def test_a_summary_is_one_call_over_the_memories_that_pass(live: LiveApi, llm: FakeOpenAI) -> None:
    """Oldest first, nobody else's; the answer is the model's, the cost is the project's."""
    answers(llm, summary="Anna mag Tee und wohnt in Bern.")
    project = live.project()
    caller = mem0(live, project)
    for text, user in (("Mag Tee", "anna"), ("Mag Kaffee", "ben"), ("Wohnt in Bern", "anna")):
        kept(caller, text, user_id=user)
    (found,) = caller.post("/v1/summary/", json=ANNA).json()
    (call,) = llm.log("chat")
    (spent,) = live.db.run(lambda session: usage.by_day(session, 1, project.name))

    assert (found["summary"], found["source"], found["covered"]) == ("Anna mag Tee und wohnt in Bern.", "model", 2)
    assert (found["total"], found["kinds"]) == (2, {"raw": 2})
    assert [item["text"] for item in orjson.loads(call["text"])["memories"]] == ["Mag Tee", "Wohnt in Bern"]
    assert (spent.usage.calls, spent.usage.completion_tokens > 0) == (1, True)


def test_a_project_at_its_ceiling_gets_the_digest(live: LiveApi, llm: FakeOpenAI) -> None:
    """As its extraction waits, so nothing is composed; what a call really cost is what is left of its reservation."""
    answers(llm, summary="Likes tea.")
    project = live.project()
    caller = mem0(live, project)
    kept(caller, "Likes tea", user_id="anna")
    live.db.run(partial(spend.set_ceilings, project_id=project.id, day=1, month=None))
    found = [caller.post("/v1/summary/", json=ANNA).json()[0] for _ in range(2)]

    assert [(one["source"], one.get("code")) for one in found] == [("model", None), ("digest", "spend_ceiling")]
    assert len(llm.log("chat")) == 1


def test_of_nothing_nothing_is_asked(live: LiveApi, llm: FakeOpenAI) -> None:
    """An empty list, without a call."""
    assert mem0(live).post("/v1/summary/", json=ANNA).json() == []
    assert llm.log("chat") == []


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"action": "unavailable"}, "provider_unavailable"),
        ({"action": "not_json"}, "llm_invalid_output"),
        ({"action": "json", "json": {"text": "in another schema"}}, "llm_invalid_output"),
        ({"action": "refusal"}, "llm_refused"),
    ],
)
def test_a_digest_where_the_model_cannot(live: LiveApi, llm: FakeOpenAI, rule: dict[str, object], code: str) -> None:
    """Flagged, with why; the model is not asked a second time."""
    llm.script({"match": "", "times": None, **rule})
    caller = mem0(live)
    kept(caller, "Likes tea", user_id="anna")
    (found,) = caller.post("/v1/summary/", json=ANNA).json()

    assert (found["degraded"], found["code"], found["source"]) == (True, code, "digest")
    assert "Likes tea" in found["summary"]
    assert len(llm.log("chat")) == 1


def test_a_long_list_is_summarised_from_its_newest(live: LiveApi, llm: FakeOpenAI) -> None:
    """What does not fit is left out, and the answer says how many were not."""
    answers(llm, summary="Much.")
    caller = mem0(live)
    for number in range(6):
        kept(caller, f"{number} " + "very " * 2_000, user_id="anna")
    (found,) = caller.post("/v1/summary/", json=ANNA).json()
    (call,) = llm.log("chat")
    told = [item["text"][0] for item in orjson.loads(call["text"])["memories"]]

    assert (found["covered"], found["total"]) == (3, 6)
    assert told == ["3", "4", "5"]


FORM = {
    "type": "object", "required": ["name"],
    "properties": {"name": {"type": "string"}, "age": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
}  # fmt: skip


def asked(caller: httpx.Client, form: Any = FORM, **more: Any) -> str:
    """A new export; its id."""
    answer = caller.post("/v1/exports/", json={"schema": form, **ANNA, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def fetched(caller: httpx.Client, **question: Any) -> httpx.Response:
    return caller.post("/v1/exports/get/", json=question or ANNA)


@pytest.fixture
def anna(live: LiveApi) -> tuple[httpx.Client, Project]:
    """A project with something to tell."""
    project = live.project()
    caller = mem0(live, project)
    kept(caller, "My name is Anna", user_id="anna")
    kept(caller, "My name is Ben", user_id="ben")
    return caller, project


def test_a_form_is_filled_in_once(
    live: LiveApi,
    llm: FakeOpenAI,
    anna: tuple[httpx.Client, Project],
) -> None:
    """From the memories that pass; read again it costs nothing; another memory makes it another answer."""
    answers(llm, name="Anna", age=None)
    caller, project = anna
    export_id = asked(caller, orjson.dumps(FORM).decode(), export_instructions="First names only.")
    first = fetched(caller, memory_export_id=export_id)
    again = fetched(caller)
    calls = llm.log("chat")
    (spent,) = live.db.run(lambda session: usage.by_day(session, 1, project.name))
    content = orjson.loads(calls[0]["text"])

    assert first.json() == again.json() == {"name": "Anna", "age": None}
    assert (len(calls), spent.usage.calls) == (1, 1)
    assert [item["text"] for item in content["memories"]] == ["My name is Anna"]
    assert content["instructions"] == "First names only."
    answers(llm, name="Anna", age=40)
    kept(caller, "I am 40 years old", user_id="anna")
    assert fetched(caller).json() == {"name": "Anna", "age": 40}
    assert len(llm.log("chat")) == 2


@pytest.mark.parametrize(
    ("rule", "status", "code"),
    [
        ({"action": "json", "json": {"name": None, "age": 1}}, 502, "llm_invalid_output"),
        ({"action": "json", "json": {"name": "Anna"}}, 502, "llm_invalid_output"),
        ({"action": "refusal"}, 502, "llm_refused"),
        ({"action": "unavailable"}, 503, "provider_unavailable"),
    ],
)
def test_what_does_not_fit_the_form_is_not_kept(
    llm: FakeOpenAI,
    anna: tuple[httpx.Client, Project],
    rule: dict[str, Any],
    status: int,
    code: str,
) -> None:
    """The caller is told why, in the shape of every error; the next read asks again."""
    caller, _ = anna
    export_id = asked(caller)
    llm.script({"match": "", "times": 1, **rule})
    assert_problem(fetched(caller, memory_export_id=export_id), status, code)
    answers(llm, name="Anna", age=1)
    assert fetched(caller, memory_export_id=export_id).json() == {"name": "Anna", "age": 1}


def test_an_erasure_removes_what_was_filled_in(
    live: LiveApi,
    llm: FakeOpenAI,
    anna: tuple[httpx.Client, Project],
) -> None:
    """Also of exports whose filters did not name who was erased."""
    answers(llm, name="Anna", age=None)
    caller, project = anna
    caller.post("/v1/exports/", json={"schema": FORM, "filters": {"user_id": "*"}})
    everyone = {"filters": {"user_id": "*"}}
    assert caller.post("/v1/exports/get/", json=everyone).json()["name"] == "Anna"
    caller.delete("/v1/memories/?user_id=anna")
    with live.db.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT filled FROM memory_exports WHERE project_id = %s", (project.id,)
        ).fetchall()

    assert rows == [(None,)]


def test_a_schema_that_cannot_be_filled_in_is_refused(anna: tuple[httpx.Client, Project]) -> None:
    """At once, by its place."""
    caller, _ = anna
    refused = caller.post("/v1/exports/", json={"schema": {"properties": {"a": {"enum": []}}}, **ANNA})

    assert_problem(refused, 400, "invalid_schema", ["schema.a.enum"])


def test_a_provider_that_asked_for_a_pause_has_it(live: LiveApi, llm: FakeOpenAI) -> None:
    """The breaker opens as it does for the workers; while it is open nobody calls. Last: this process rests."""
    llm.script({"match": "", "action": "rate_limited", "times": None, "headers": {"retry-after": "60"}})
    caller = mem0(live)
    kept(caller, "Likes tea", user_id="anna")
    codes = [caller.post("/v1/summary/", json=ANNA).json()[0]["code"] for _ in range(2)]
    (opened,) = live.db.run(breakers.listing)

    assert codes == ["rate_limited", "provider_unavailable"]
    assert (opened.code, opened.wait > 30) == ("rate_limited", True)
    assert len(llm.log("chat")) == 1
