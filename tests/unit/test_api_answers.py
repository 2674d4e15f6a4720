"""Error bodies, what failed events mean, and how search results are scored."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import orjson
import pytest
from fastapi import Request

from api import errors
from api.dialects.flumes_v1 import added, event_record
from api.outcomes import failure, reason
from api.search import scored
from shared.db.events import Event
from shared.errors import BadRequest, Overloaded, Snooze, TooLarge, Unauthorized, Unavailable
from shared.model.memory import Memory
from shared.model.scope import ScopeIds
from shared.vectors.types import Hit

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PAGE = Path(__file__).parents[2] / "docs" / "errors.md"


def request(**headers: str) -> Request:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": raw, "request_id": "r-1"})


def event(status: str = "FAILED", code: str | None = None, failed: tuple[int, ...] = ()) -> Event:
    results = [{"event": "ADD", "role": "user", "id": "1", "memory": "x"}]
    return Event(
        uuid4(), uuid4(), "add", "live", status, ScopeIds("u"), results, None, NOW, NOW, NOW, NOW, code,  # type: ignore[arg-type]
        "what the provider said", list(failed), {}, {}, erased=False, wait=0.0,
    )  # fmt: skip


def test_an_error_is_one_object() -> None:
    """String detail and message, the field at fault, the request id."""
    answer = errors.answer(request(), BadRequest("user_id is wrong", field="user_id"))
    body = orjson.loads(answer.body)

    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json")
    assert (body["detail"], body["message"], body["error"]) == ("user_id is wrong",) * 3
    assert body["errors"] == [{"field": "user_id", "message": "user_id is wrong"}]
    assert (body["title"], body["status"], body["code"], body["request_id"]) == (
        "Bad Request", 400, "invalid_request", "r-1",
    )  # fmt: skip


def test_problem_json_only_when_asked_for() -> None:
    """Clients that read plain JSON would show problem+json raw."""
    asked = errors.answer(request(accept="application/problem+json"), BadRequest("no"))

    assert asked.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("error", "expected"),
    [(Overloaded("x", retry_after=2.1), "3"), (Unavailable("x"), "1"), (Unavailable("x", retry_after=0.2), "1")],
)
def test_retry_after_is_a_whole_number(error: Overloaded | Unavailable, expected: str) -> None:
    """Clients ignore dates and fractions."""
    assert errors.answer(request(), error).headers["retry-after"] == expected


def test_refusals_carry_their_headers() -> None:
    """401 says how, 413 stops the upload."""
    assert "Bearer" in errors.answer(request(), Unauthorized("x")).headers["www-authenticate"]
    assert errors.answer(request(), TooLarge("x")).headers["connection"] == "close"


def test_words_of_dependencies_stay_inside() -> None:
    """What Qdrant or a provider said may hold addresses and text."""
    body = orjson.loads(errors.answer(request(), Snooze("qdrant at 10.0.0.7 said: secret")).body)

    assert "secret" not in str(body)


def test_failed_events_answer_as_the_page_says() -> None:
    """Each documented reason of a failed event has the documented status and retryable."""
    rows = re.findall(r"^\| `([a-z_]+)` \| (\d+) \| (yes|no) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    ends = ["llm_refused", "content_filtered", "context_too_long", "output_too_long", "provider_rejected",
            "llm_invalid_output", "llm_ungrounded", "crashed", "expired", "internal"]  # fmt: skip
    documented = {code: (int(status), again == "yes") for code, status, again in rows if code in ends}
    answered = {code: (error.status, error.retryable) for code in ends if (error := failure(event(code=code)))}

    assert documented == answered


def test_a_partly_failed_event_shows_what_it_has() -> None:
    """Results and the failed indexes, not an error."""
    partial = event(code="partial", failed=(1,))

    assert failure(partial) is None
    assert added(partial)["failed"] == [1]
    assert added(partial)["results"][0]["memory"] == "x"
    assert reason(partial) is not None


def test_a_failed_event_never_leaks_what_a_provider_said() -> None:
    """Pollers read our sentence under `error` and `message`."""
    failed = event(code="provider_unavailable")
    body = event_record(failed, reason(failed))

    assert body["error"] == body["message"]
    assert "what the provider said" not in str(body)


def test_results_are_in_the_order_readers_know() -> None:
    """id, memory, event first; no top-level `event`, which breaks a client."""
    body = added(event("SUCCEEDED"))

    assert list(body["results"][0]) == ["id", "memory", "event", "role"]
    assert "event" not in body


def memory() -> Memory:
    return Memory(
        project_id=uuid4(), id=uuid4(), scope_id=uuid4(), ids=ScopeIds("u"), text="x", index_text="x", hash=b"",
        kind="knowledge", observed_at=NOW, created_at=NOW, updated_at=NOW,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("semantic", "bm25", "with_dense", "score", "parts"),
    [
        (0.8, 8.0, True, 0.65, (0.8, 0.5)),
        (-0.5, 8.0, True, 0.25, (0.0, 0.5)),
        (None, 24.0, True, 0.375, (0.0, 0.75)),
        (1.0000001, 0.0, True, 0.5, (1.0, 0.0)),
        (None, 8.0, False, 0.5, (None, 0.5)),
        (None, None, False, 0.0, (None, 0.0)),
    ],
)
def test_scores_lie_between_0_and_1(
    semantic: float | None, bm25: float | None, *, with_dense: bool, score: float, parts: tuple[float | None, float]
) -> None:
    """Half of the rank with an embedding, the BM25 part alone without."""
    found = scored(memory(), Hit(uuid4(), 1, semantic, bm25), 8.0, with_dense=with_dense)

    assert found.score == pytest.approx(score)
    assert (found.semantic, found.bm25) == parts
