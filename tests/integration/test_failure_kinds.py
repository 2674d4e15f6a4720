"""Every way in which the chat model and the embeddings fail, through a worker's own parts to the event's end.

A fault that passes costs nothing but time; one that stays ends with a code that says why, or waits without end where
only the provider is at fault. Never an empty success.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from shared.db import events
from shared.db.engine import Database
from shared.db.events import Event
from shared.settings import Settings
from tests import factories
from tests.factories import change, rows
from tests.fakes.openai_control import FakeOpenAI
from tests.stack import QDRANT_KEY, drop_collections, wait_until
from workers.assembly import make_parts
from workers.dispatch import Dispatcher
from workers.leases import Leases
from workers.pipeline.index import index
from workers.pipeline.run import run

FACT = "I live in Rome"
OUT_OF_TIME = 0.6  # seconds a call may take here

WAITS: dict[str, tuple[dict[str, Any], str]] = {
    "429 with Retry-After": ({"action": "rate_limited", "headers": {"retry-after": "0.1"}}, "rate_limited"),
    "429 without": ({"action": "rate_limited"}, "rate_limited"),
    "quota gone": ({"action": "insufficient_quota"}, "quota_exhausted"),
    "401": ({"action": "unauthorized"}, "provider_auth"),
    "model not found": ({"action": "model_not_found"}, "model_not_found"),
    "500": ({"action": "server_error"}, "provider_unavailable"),
    "502": ({"action": "bad_gateway"}, "provider_unavailable"),
    "503": ({"action": "unavailable"}, "provider_unavailable"),
    "hang": ({"action": "hang"}, "provider_timeout"),
    "slow drip": ({"action": "drip"}, "provider_timeout"),
    "slow head": ({"action": "drip_head"}, "provider_timeout"),
    "reset": ({"action": "reset"}, "provider_unavailable"),
    "broken body": ({"action": "broken_body"}, "provider_unavailable"),
    "a login page": ({"action": "html"}, "provider_unavailable"),
}
FAILS: dict[str, tuple[dict[str, Any], str]] = {
    "not JSON": ({"action": "not_json"}, "llm_invalid_output"),
    "truncated": ({"action": "truncated_json"}, "llm_invalid_output"),
    "wrong schema": ({"action": "wrong_schema"}, "llm_invalid_output"),
    "empty": ({"action": "empty"}, "llm_invalid_output"),
    "no choices": ({"action": "no_choices"}, "llm_invalid_output"),
    "made up": ({"action": "records", "records": [{"text": "Owns 9 yachts", "quote": "never said"}]}, "llm_ungrounded"),
    "refusal": ({"action": "refusal"}, "llm_refused"),
    "length stop": ({"action": "length"}, "output_too_long"),
    "content filter": ({"action": "content_filter"}, "content_filtered"),
    "content filter as an error": ({"action": "content_filter_400"}, "content_filtered"),
    "context too long": ({"action": "context_length_exceeded"}, "context_too_long"),
    "unknown 400": ({"action": "bad_request"}, "provider_rejected"),
}
ASKED_AGAIN = ("llm_invalid_output", "llm_ungrounded")
EMBEDDINGS = (
    "one_short", "nan", "wrong_dimension", "html", "hang", "drip_head", "reset", "broken_body", "server_error",
    "rate_limited", "insufficient_quota", "unauthorized", "model_not_found",
)  # fmt: skip
REFUSED = ("context_length_exceeded", "bad_request")


class Service:
    """One worker's parts as they are made from settings, moved by the test; pauses are skipped, never slept."""

    def __init__(self, database_url: str, redis_url: str, qdrant_url: str, llm: FakeOpenAI, **settings: Any) -> None:
        self.settings = Settings(
            database_url=database_url, redis_url=redis_url, qdrant_url=qdrant_url, qdrant_api_key=QDRANT_KEY,
            openai_base_url=llm.base_url, openai_api_key="sk-test", llm_timeout=OUT_OF_TIME, attempt_deadline=30,
            embeddings_timeout=OUT_OF_TIME, index_raw=False, **settings,
        )  # fmt: skip
        self.db = Database(database_url, pool_size=4)
        self.project_id = factories.project(self.db).id
        self._background = ThreadPoolExecutor(1)
        walled = Database(database_url, pool_size=4, walls=True)
        self.parts = make_parts(self.settings, walled, self._background, "tested")
        self._background.submit(bool).result(30)  # the probe of the boot is over

    def close(self) -> None:
        self._background.shutdown(wait=True)
        self.parts.close()
        self.db.close()

    def post(self, *texts: str) -> UUID:
        """Accept a write."""
        return factories.post(self.db, self.project_id, *texts).event_id

    def work(self) -> None:
        """Everything that is due, as if every pause were over."""
        change(self.db, "UPDATE scopes SET available_live = clock_timestamp()")
        change(self.db, "DELETE FROM breakers")
        leases = Leases(self.parts.db, lease=30, deadline=75)
        Dispatcher(self.parts, leases, run).drain()

    def event(self, event_id: UUID) -> Event:
        """As a caller reads it."""
        found = self.db.run(lambda session: events.get(session, self.project_id, event_id))
        assert found is not None
        return found

    def ended(self, event_id: UUID) -> Event:
        """Worked on until it ended."""

        def look() -> Event | None:
            self.work()
            event = self.event(event_id)
            return event if event.ended else None

        found = wait_until(look, "the event to end", 60)
        assert found is not None
        return found

    def snoozes(self) -> int:
        """How often the one event was put off, after one more try."""
        self.work()
        (row,) = rows(self.db, "SELECT snoozes FROM events")
        return int(row["snoozes"])

    def indexed(self) -> bool:
        """Whether the index has everything, pauses skipped."""
        change(self.db, "UPDATE index_queue SET available_at = clock_timestamp()")
        index(self.parts)
        return rows(self.db, "SELECT 1 FROM index_queue") == []


@pytest.fixture(scope="module")
def server() -> Iterator[FakeOpenAI]:
    """One server for the module."""
    with FakeOpenAI() as running:
        yield running


@pytest.fixture
def llm(server: FakeOpenAI) -> Iterator[FakeOpenAI]:
    """Without rules, and with nobody hanging afterwards."""
    server.reset()
    server.settings(dimensions=16)
    yield server
    server.release()


@pytest.fixture
def service(database_url: str, redis_url: str, qdrant_url: str, llm: FakeOpenAI) -> Iterator[Service]:
    """Chat and embeddings on the scripted server."""
    drop_collections(qdrant_url)
    made = Service(database_url, redis_url, qdrant_url, llm)
    yield made
    made.close()


def _facts(event: Event) -> list[tuple[str, str]]:
    assert (event.status, event.error_code) == ("SUCCEEDED", None), event.error_detail
    return [(result["event"], result["memory"].rstrip(".")) for result in event.results]


def _counts(service: Service) -> dict[str, int]:
    (row,) = rows(service.db, "SELECT attempts, crash_count, lone_crashes FROM events")
    return row


@pytest.mark.parametrize("kind", WAITS)
def test_a_provider_that_comes_back_costs_only_time(service: Service, llm: FakeOpenAI, kind: str) -> None:
    """Away for two calls: the event succeeds with what was said, and nothing is counted against it."""
    rule, _ = WAITS[kind]
    llm.script({"match": "Rome", "times": 2, **rule})
    event_id = service.post(FACT)

    assert _facts(service.ended(event_id)) == [("ADD", FACT)]
    assert _counts(service) == {"attempts": 0, "crash_count": 0, "lone_crashes": 0}


@pytest.mark.parametrize("kind", WAITS)
def test_a_provider_that_stays_away_ends_no_event(service: Service, llm: FakeOpenAI, kind: str) -> None:
    """However often it is tried, the event waits, its breaker says why; when the provider is back it succeeds."""
    rule, code = WAITS[kind]
    llm.script({"match": "Rome", "times": None, **rule})
    event_id = service.post(FACT)
    wait_until(lambda: service.snoozes() >= 3, "three tries", 60)

    assert service.event(event_id).status == "PENDING"
    assert _counts(service) == {"attempts": 0, "crash_count": 0, "lone_crashes": 0}
    assert {row["code"] for row in rows(service.db, "SELECT code FROM breakers")} == {code}
    llm.script(replace=True)
    llm.release()
    assert _facts(service.ended(event_id)) == [("ADD", FACT)]


@pytest.mark.parametrize("kind", [kind for kind, (_, code) in FAILS.items() if code in ASKED_AGAIN])
def test_an_answer_of_no_use_is_asked_for_again(service: Service, llm: FakeOpenAI, kind: str) -> None:
    """Once bad, then good: one claim, two calls, what was said."""
    rule, _ = FAILS[kind]
    llm.script({"match": "Rome", **rule})
    event_id = service.post(FACT)
    event = service.ended(event_id)

    assert _facts(event) == [("ADD", FACT)]
    assert event.usage["calls"] == 2


@pytest.mark.parametrize("kind", FAILS)
def test_content_that_stays_at_fault_fails_alone(service: Service, llm: FakeOpenAI, kind: str) -> None:
    """FAILED with the code of the cause, never empty; what was posted before and after it succeeds."""
    rule, code = FAILS[kind]
    llm.script({"match": "Rome", "times": None, **rule})
    before, poison, after = service.post("I work in Turin"), service.post(FACT), service.post("I own a boat")

    event = service.ended(poison)
    assert (event.status, event.error_code, event.failed, event.results) == ("FAILED", code, [0], [])
    assert event.error_detail
    assert _facts(service.ended(before)) == [("ADD", "I work in Turin")]
    assert _facts(service.ended(after)) == [("ADD", "I own a boat")]


@pytest.mark.parametrize("action", EMBEDDINGS)
def test_embeddings_that_fail_delay_only_the_index(service: Service, llm: FakeOpenAI, action: str) -> None:
    """The event succeeds at once; its vector is made when the embeddings are back."""
    service.ended(service.post("I own a boat"))
    wait_until(service.indexed, "the index to be written, which settles the size of vectors", 30)
    llm.script({"match": "Rome", "kind": "embeddings", "action": action, "times": None})
    event_id = service.post(FACT)
    event = service.ended(event_id)
    assert _facts(event) == [("ADD", FACT)]
    assert not service.indexed()

    llm.script(replace=True)
    llm.release()
    wait_until(service.indexed, "the index to be written", 30)
    assert rows(service.db, "SELECT count(*) AS made FROM memory_vectors") == [{"made": 2}]


@pytest.mark.parametrize("action", REFUSED)
def test_a_text_that_is_not_embedded_is_found_by_its_words(service: Service, llm: FakeOpenAI, action: str) -> None:
    """One text of a batch refused for good: it is indexed without a vector, and the others with theirs."""
    llm.script({"match": "Rome", "kind": "embeddings", "action": action, "times": None})
    event_id = service.post(FACT, "I work in Turin", "I own a boat")
    assert len(_facts(service.ended(event_id))) == 3

    wait_until(service.indexed, "the index to be written", 30)
    assert rows(service.db, "SELECT count(*) AS made FROM memory_vectors") == [{"made": 2}]


@pytest.mark.parametrize("action", ["server_error", "one_short", "nan", "hang", "bad_request"])
def test_embeddings_that_fail_before_a_search(
    database_url: str, redis_url: str, qdrant_url: str, llm: FakeOpenAI, action: str
) -> None:
    """A large scope waits for its candidates, or finds them by words where its sentences are refused."""
    drop_collections(qdrant_url)
    service = Service(database_url, redis_url, qdrant_url, llm, candidates=1)
    try:
        assert len(_facts(service.ended(service.post("I work in Turin", "I own a boat")))) == 2
        wait_until(service.indexed, "the index to be written", 30)
        llm.script({"match": "Rome", "kind": "embeddings", "action": action, "times": 2})

        assert _facts(service.ended(service.post(FACT))) == [("ADD", FACT)]
    finally:
        service.close()
