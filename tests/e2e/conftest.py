"""A service whose chat model is the scripted server: API and workers are real processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.flumes import Caller, make_key
from tests.fakes.openai_control import FakeOpenAI
from tests.stack import Service


@pytest.fixture
def llm() -> Iterator[FakeOpenAI]:
    """The scripted OpenAI-shaped server."""
    with FakeOpenAI() as fake:
        yield fake


@pytest.fixture
def model(llm: FakeOpenAI) -> dict[str, str]:
    """Settings that point a process at the scripted server, chat only."""
    return {"OPENAI_BASE_URL": llm.base_url, "OPENAI_API_KEY": "sk-test", "embeddings": "none"}


@pytest.fixture
def caller(service: Service, model: dict[str, str]) -> Iterator[Caller]:
    """A caller of a fresh API process; workers are started by the test."""
    api = service.start_api(**model)
    with Caller(api.url, make_key(service.database_url)) as made:
        yield made
