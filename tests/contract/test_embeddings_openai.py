"""The OpenAI-compatible embedder: what it sends, what it returns, and every way its server can fail."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from shared.embeddings.factory import make_embedder
from shared.embeddings.openai_embedder import MOST_CHARS, MOST_INPUTS, OpenAIEmbedder, batches
from shared.embeddings.rows import MOST_CHARS_OF_A_TEXT
from shared.errors import Narrow, Snooze, WorkError
from shared.settings import Settings
from tests.contract.llm_samples import KEY, SECRET
from tests.fakes.llm_vectors import vector
from tests.fakes.openai_control import FakeOpenAI
from tests.stack import wait_until

FAILURES: dict[str, tuple[dict[str, Any], type[WorkError], str]] = {
    "one short": ({"action": "one_short"}, Snooze, "embeddings_invalid"),
    "NaN": ({"action": "nan"}, Snooze, "embeddings_invalid"),
    "wrong dimension": ({"action": "wrong_dimension"}, Snooze, "embeddings_invalid"),
    "a login page": ({"action": "html"}, Snooze, "embeddings_invalid"),
    "hang": ({"action": "hang"}, Snooze, "embeddings_unavailable"),
    "drip": ({"action": "drip_head"}, Snooze, "embeddings_unavailable"),
    "reset": ({"action": "reset"}, Snooze, "embeddings_unavailable"),
    "broken body": ({"action": "broken_body"}, Snooze, "embeddings_unavailable"),
    "500": ({"action": "server_error"}, Snooze, "embeddings_unavailable"),
    "429": ({"action": "rate_limited", "headers": {"retry-after": "0.2"}}, Snooze, "rate_limited"),
    "quota gone": ({"action": "insufficient_quota"}, Snooze, "quota_exhausted"),
    "401": ({"action": "unauthorized"}, Snooze, "provider_auth"),
    "model not found": ({"action": "model_not_found"}, Snooze, "model_not_found"),
    "too long": ({"action": "context_length_exceeded"}, Narrow, "context_too_long"),
    "unknown 400": ({"action": "bad_request"}, Narrow, "provider_rejected"),
}


@pytest.fixture(scope="module")
def llm() -> Iterator[FakeOpenAI]:
    """One server for the module."""
    with FakeOpenAI() as server:
        yield server


@pytest.fixture
def embedder(llm: FakeOpenAI) -> Iterator[OpenAIEmbedder]:
    """An embedder that knows its size from an earlier answer."""
    llm.reset()
    made = OpenAIEmbedder("fake-embed", base_url=llm.base_url, api_key=KEY, timeout=0.7)
    assert made.dimensions == 256
    yield made
    made.close()


def test_vectors_come_in_the_order_of_the_texts(llm: FakeOpenAI, embedder: OpenAIEmbedder) -> None:
    """Float32, one row a text, equal to the server's; calls and tokens counted."""
    texts = ["I live in Rome", "I like tea", "Ich wohne in Köln"]
    found = embedder.embed(texts)
    assert found.vectors.dtype == np.float32
    assert np.array_equal(found.vectors, np.stack([vector(text, 256) for text in texts]))
    assert (found.calls, found.tokens) == (1, -(-sum(map(len, texts)) // 4))
    assert "encoding_format" in llm.log("embeddings")[-1]["params"]


def test_lists_of_floats_are_read_too(llm: FakeOpenAI, embedder: OpenAIEmbedder) -> None:
    """Servers that ignore `encoding_format` answer with lists."""
    llm.script({"match": "tea", "kind": "embeddings", "action": "not_base64"})
    assert np.allclose(embedder.embed(["I like tea"]).vectors[0], vector("I like tea", 256))


@pytest.mark.parametrize("kind", FAILURES)
def test_a_failure_is_typed_and_the_next_call_works(llm: FakeOpenAI, embedder: OpenAIEmbedder, kind: str) -> None:
    """Never a vector that was not given; everything that may pass is a wait."""
    rule, expected, code = FAILURES[kind]
    llm.script({"match": "tea", "kind": "embeddings", **rule})
    started = time.monotonic()
    with pytest.raises(WorkError) as caught:
        embedder.embed(["I like tea", "so do I"])
    assert (type(caught.value), caught.value.code, caught.value.provider) == (expected, code, "embeddings")
    assert caught.value.retry_after == (0.2 if kind == "429" else None)
    assert time.monotonic() - started < 3
    llm.release()
    wait_until(lambda: embeds(embedder), "the next call works")


def embeds(embedder: OpenAIEmbedder) -> bool:
    """Whether a call gives a vector; False while a `Retry-After` lasts."""
    try:
        return embedder.embed(["I like tea"]).vectors.shape == (1, 256)
    except Snooze:
        return False


def test_nobody_is_asked_while_retry_after_lasts(llm: FakeOpenAI, embedder: OpenAIEmbedder) -> None:
    """The seconds a provider asked for are kept without asking it again; then calls go on."""
    llm.script({"match": "tea", "kind": "embeddings", "action": "rate_limited", "headers": {"retry-after": "0.5"}})
    with pytest.raises(Snooze):
        embedder.embed(["I like tea"])
    asked = len(llm.log("embeddings"))
    with pytest.raises(Snooze) as caught:
        embedder.embed(["I like tea"])
    assert (caught.value.code, len(llm.log("embeddings"))) == ("rate_limited", asked)
    assert caught.value.retry_after is not None
    assert 0 < caught.value.retry_after <= 0.5
    wait_until(lambda: embeds(embedder), "the next call works")


@pytest.mark.parametrize("kind", FAILURES)
def test_no_failure_tells_content_or_key(
    llm: FakeOpenAI, embedder: OpenAIEmbedder, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    """Neither the error, its chain nor a log line holds the canaries."""
    rule, _, _ = FAILURES[kind]
    llm.script({"match": "Rome", "kind": "embeddings", "message": f"{SECRET} {KEY}", **rule})
    with caplog.at_level(logging.DEBUG), pytest.raises(WorkError) as caught:
        embedder.embed([SECRET])
    llm.release()
    text = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value)) + caplog.text
    assert SECRET not in text
    assert KEY not in text


def test_the_size_can_be_pinned(llm: FakeOpenAI) -> None:
    """It is asked for, names the vector space, and an answer of another size is refused."""
    llm.reset()
    pinned = OpenAIEmbedder("fake-embed", base_url=llm.base_url, dimensions=64)
    assert (pinned.dimensions, pinned.model) == (64, "fake-embed@64")
    assert llm.log() == []
    assert pinned.embed(["tea"]).vectors.shape == (1, 64)
    llm.settings(refuses=["dimensions"])
    with pytest.raises(Snooze, match="another size"):
        pinned.embed(["tea"])
    pinned.close()


def test_a_refused_encoding_is_left_out(llm: FakeOpenAI, embedder: OpenAIEmbedder) -> None:
    """Once for all calls."""
    llm.settings(refuses=["encoding_format"])
    embedder.embed(["tea"])
    embedder.embed(["tea"])
    assert [line["params"] for line in llm.log("embeddings")][-2:] == [["model"], ["model"]]


def test_many_texts_are_sent_in_batches(llm: FakeOpenAI, embedder: OpenAIEmbedder) -> None:
    """At most 2,048 inputs a request; the rows stay in order."""
    texts = [f"fact number {number}" for number in range(MOST_INPUTS + 3)]
    found = embedder.embed(texts)
    assert [line["inputs"] for line in llm.log("embeddings")[-2:]] == [MOST_INPUTS, 3]
    assert found.calls == 2
    assert np.array_equal(found.vectors[-1], vector(texts[-1], 256))


def test_batches_keep_to_the_limits() -> None:
    """Empty texts become a space, overlong ones are cut, and no request is above the character budget."""
    made = list(batches(["", " \n", *["x" * (MOST_CHARS_OF_A_TEXT + 5)] * 60]))
    assert made[0][:2] == [" ", " "]
    assert max(len(text) for batch in made for text in batch) == MOST_CHARS_OF_A_TEXT
    assert max(sum(map(len, batch)) for batch in made) <= MOST_CHARS
    assert sum(map(len, made)) == 62
    assert list(batches([])) == []


def test_nothing_to_embed_costs_nothing(llm: FakeOpenAI, embedder: OpenAIEmbedder) -> None:
    """No texts, no call."""
    before = len(llm.log())
    found = embedder.embed([])
    assert (found.vectors.shape, found.calls, len(llm.log())) == ((0, 256), 0, before)


def test_the_settings_choose_the_embedder(llm: FakeOpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    """Own address and size for embeddings; none without a chat model; a folder that is missing is refused."""
    assert make_embedder(Settings()) is None
    monkeypatch.setenv("FLUMES_EMBEDDINGS_BASE_URL", llm.base_url)
    monkeypatch.setenv("FLUMES_EMBEDDINGS_DIMENSIONS", "32")
    made = make_embedder(Settings())
    assert isinstance(made, OpenAIEmbedder)
    assert made.embed(["tea"]).vectors.shape == (1, 32)
    made.close()
    monkeypatch.setenv("FLUMES_EMBEDDINGS", "fastembed")
    monkeypatch.setenv("FLUMES_EMBEDDINGS_MODEL", "/nowhere/model")
    with pytest.raises(ValueError, match="FLUMES_EMBEDDINGS"):
        make_embedder(Settings())
