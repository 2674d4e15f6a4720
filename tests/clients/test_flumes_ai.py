"""flumes-ai 0.1.1 as published, against a real API and worker with the rules extractor."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.clients.accounting import LEFT_OUT
from tests.clients.foreign import ClientError, ForeignClient, python_client
from tests.fakes.openai_control import FakeOpenAI
from tests.stack import wait_until


@pytest.fixture(params=["flumes.client.MemoryClient", "flumes.aio_client.AsyncMemoryClient"], ids=["sync", "async"])
def client(running: tuple[str, str], request: pytest.FixtureRequest) -> Iterator[ForeignClient]:
    """Each of the package's two clients."""
    url, key = running
    module, _, kind = request.param.rpartition(".")
    with python_client("flumes-ai", module, kind, api_key=key, base_url=url) as made:
        yield made


ROME = [{"role": "user", "content": "I want to go to Rome in July. give me tips for museums"}]


def test_every_public_method_is_accounted_for(client: ForeignClient) -> None:
    """Whatever the client offers is called below."""
    called = {"add", "get", "search", "update", "delete"}

    assert client.call(".methods") == sorted(called | LEFT_OUT["flumes-ai"].keys())


def test_add_waits_for_the_two_memories(client: ForeignClient) -> None:
    """The documented request has the documented answer."""
    answer = client.call("add", ROME, agent_id=str(uuid4()))

    assert [(item["memory"], item["event"]) for item in answer["results"]] == [
        ("Wants to go to Rome in July", "ADD"),
        ("Looking for tips for museums", "ADD"),
    ]
    assert client.call("get", answer["results"][0]["id"])["memory"] == "Wants to go to Rome in July"


def test_raw_messages_come_back_as_they_are(client: ForeignClient) -> None:
    """`infer=False` with metadata, read back by id."""
    user = str(uuid4())
    message = {"role": "assistant", "content": "as it is"}
    answer = client.call("add", [message], user_id=user, infer=False, metadata={"k": 1})
    memory = client.call("get", answer["results"][0]["id"])

    assert (memory["memory"], memory["metadata"], memory["user_id"]) == ("as it is", {"k": 1}, user)


def test_list_and_search(client: ForeignClient) -> None:
    """Without a query newest first, with one best first, scores included."""
    user = str(uuid4())
    for text in ("I love hiking in the Dolomites.", "My sister is called Clara."):
        client.call("add", [{"role": "user", "content": text}], user_id=user)
    listed = client.call("search", user_id=user)["results"]

    assert len(listed) == 2
    assert listed[0]["created_at"] >= listed[1]["created_at"]
    assert "Clara" in listed[0]["memory"]

    def found() -> list[dict[str, object]]:
        results: list[dict[str, object]] = client.call("search", user_id=user, query="hiking", limit=5)["results"]
        return results

    best = wait_until(found, "the index to hear of it")[0]
    assert "hiking" in str(best["memory"])
    assert isinstance(best["score"], float)


def test_update_and_delete(client: ForeignClient) -> None:
    """A change is read back; a deletion is a 404 the client knows."""
    answer = client.call("add", ROME, user_id=str(uuid4()), infer=False)
    memory_id = answer["results"][0]["id"]
    changed = client.call("update", memory_id, memory="Wants to go to Rome in August", metadata={"by": "hand"})

    assert changed["id"] == memory_id
    assert client.call("get", memory_id)["memory"] == "Wants to go to Rome in August"
    assert isinstance(client.call("delete", memory_id), dict)
    with pytest.raises(ClientError) as caught:
        client.call("get", memory_id)
    assert caught.value.kind == "NotFoundError"


def test_errors_arrive_as_the_client_expects(running: tuple[str, str], client: ForeignClient) -> None:
    """A wrong key, an unknown id, a body that is refused."""
    url, _ = running
    bad = python_client("flumes-ai", "flumes.client", "MemoryClient", api_key="wrong", base_url=url)
    with bad, pytest.raises(ClientError) as unknown:
        bad.call("search", user_id="u")
    with pytest.raises(ClientError) as missing:
        client.call("update", str(uuid4()), memory="x")
    with pytest.raises(ClientError) as refused:
        client.call("add", ROME)

    assert (unknown.value.kind, missing.value.kind, refused.value.kind) == (
        "AuthenticationError", "NotFoundError", "TransportError",
    )  # fmt: skip
    assert "agent_id" in refused.value.text


@pytest.mark.parametrize(("kind", "memories"), [("Agent", "MemoryClient"), ("AsyncAgent", "AsyncMemoryClient")])
def test_the_packages_agents_remember_and_chat(running: tuple[str, str], kind: str, memories: str) -> None:
    """Each of their methods, with the package's own backend: both sides of a chat are kept and listed."""
    url, key = running
    agent = str(uuid4())
    memory_client = {"__class__": f"flumes.{memories}", "api_key": key, "base_url": url}
    reader = python_client("flumes-ai", "flumes", "MemoryClient", api_key=key, base_url=url)
    with FakeOpenAI() as llm, reader:
        llm.script({"match": "", "action": "text", "text": "I will book the flight.", "times": None})
        env = {"OPENAI_BASE_URL": llm.base_url, "OPENAI_API_KEY": "any"}
        with python_client("flumes-ai", "flumes", kind, env, agent_id=agent, memory_client=memory_client) as made:
            assert made.call(".methods") == sorted({"chat", "remember"} | LEFT_OUT["flumes-ai agents"].keys())
            made.call("remember", "The client likes Dolomite hikes.", metadata={"k": 1})
            assert made.call("chat", "I love hiking in the Dolomites.") == "I will book the flight."
        (call,) = llm.log("chat")
        listed = [item["memory"] for item in reader.call("search", agent_id=agent)["results"]]

    assert call["text"] == "I love hiking in the Dolomites."
    assert any("hiking" in text for text in listed)
    assert any("book the flight" in text for text in listed)
