"""What the OpenAPI document says about each route: parameters, bodies, answers with examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.schemas import AddBody, PatchBody, WireModel

_ID = "4a43c2f0-2f37-7d1e-9a55-3a8d2a4f6e01"
_EVENT = "0199b1f2-7c1e-7a10-8a55-0d2f6c1b9e77"
_ADDED = {
    "results": [
        {"id": _ID, "memory": "Wants to go to Rome in July", "event": "ADD"},
        {"id": "d9b9a1de-65c4-7e0a-8a11-92f1d8a5c3b2", "memory": "Looking for tips for museums", "event": "ADD"},
    ],
    "event_id": _EVENT,
}
_PENDING = {"results": [], "status": "PENDING", "event_id": _EVENT, "message": "Accepted and kept."}
_RECORD = {
    "id": _ID,
    "memory": "Wants to go to Rome in July",
    "user_id": None,
    "agent_id": "alex",
    "app_id": None,
    "run_id": None,
    "metadata": None,
    "state": "current",
    "version": 1,
    "created_at": "2026-06-01T09:30:00+00:00",
    "updated_at": "2026-06-01T09:30:00+00:00",
}
_EVENT_RECORD = {
    "id": _EVENT,
    "event_type": "ADD",
    "status": "SUCCEEDED",
    "results": [
        {
            "id": _ID,
            "event": "ADD",
            "memory": _RECORD["memory"],
            "data": {"memory": _RECORD["memory"]},
            "agent_id": "alex",
        }
    ],
    "created_at": "2026-06-01T09:30:00+00:00",
    "completed_at": "2026-06-01T09:30:01+00:00",
    "latency": 1012.4,
    "error": None,
    "message_count": 1,
}
PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "message", "code", "request_id", "errors"],
    "properties": {
        **{name: {"type": "string"} for name in ("type", "title", "detail", "message", "error", "code", "request_id")},
        "status": {"type": "integer"},
        "retryable": {"type": "boolean"},
        "event_id": {"type": "string", "format": "uuid"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}

_PROBLEM_HERE = {"$ref": "#/components/schemas/Problem"}

_WORDS = {
    400: "The request is wrong; `errors` names the fields",
    401: "No good API key",
    403: "The key lacks a right, or is bound to somebody else",
    404: "Unknown, deleted or foreign",
    409: "In conflict with what is stored, or still at work",
    413: "Over a size limit",
    422: "Idempotency-Key used with another body, or content the model refuses",
    429: "Too much work is waiting",
    500: "The work ended the worker, or something unexpected",
    501: "Needs a chat model, and the service works without one",
    502: "A provider failed or its answer could not be used",
    503: "A dependency is away",
}


EITHER = ("object", "array")  # of routes whose shape depends on the caller's dialect or on what it asks for


def answers(example: Any, *codes: int, kinds: Sequence[str] = ()) -> dict[int | str, dict[str, Any]]:
    """The 200 with its example, and the errors a route may give. `kinds`: JSON types, where not the example's alone."""
    kind = "array" if isinstance(example, list) else "object"
    found: dict[int | str, dict[str, Any]] = {200: answer("Done", {"type": list(kinds) or kind}, example)}
    found |= {code: answer(_WORDS[code], _PROBLEM_HERE) for code in (400, 401, 403, *codes, 500, 503)}
    return found


def answer(words: str, schema: dict[str, Any], example: Any = None) -> dict[str, Any]:
    media: dict[str, Any] = {"schema": schema}
    if example is not None:
        media["example"] = example
    return {"description": words, "content": {"application/json": media}}


def parameter(name: str, words: str, kind: str = "string", **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": words, "schema": {"type": kind, **schema}}


def header(name: str, words: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": words, "schema": {"type": "string"}}


def body(model: type[WireModel], example: dict[str, Any]) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"required": True, "content": {"application/json": {"schema": reference, "example": example}}}


IDS = [parameter(name, "equal to this") for name in ("user_id", "agent_id", "app_id", "run_id")]
PREFER = header("Prefer", "`respond-async`, or `wait=N` seconds")
KEY = header("Idempotency-Key", "the same key and body never make a second event; kept for 7 days")

_PENDING_ANSWER: dict[str, Any] = {
    **answer("Accepted and kept; poll the event", {"type": "object"}, _PENDING),
    "headers": {
        "Location": {"description": "the event", "schema": {"type": "string"}},
        "Retry-After": {"description": "seconds", "schema": {"type": "integer"}},
    },
}

_HELLO = {
    "messages": [{"role": "user", "content": "I want to go to Rome in July. give me tips for museums"}],
    "agent_id": "alex",
}

ADD: dict[str, Any] = {
    "summary": "Add memories",
    "responses": {**answers(_ADDED, 409, 413, 422, 429, 502, kinds=EITHER), 202: _PENDING_ANSWER},
    "openapi_extra": {"parameters": [PREFER, KEY], "requestBody": body(AddBody, _HELLO)},
}
_AS_OF = parameter("as_of", "what was current then: a moment, or a day to its end (ISO 8601, seconds since 1970)")
_HAPPENS = [
    parameter(
        "happens_from",
        "only what happens, or goes on, at or after this moment or day (UTC)",
    ),
    parameter("happens_to", "and before this moment or day, which no longer counts"),
]
LIST: dict[str, Any] = {
    "summary": "List or search memories",
    "responses": answers({"results": [_RECORD], "next_cursor": None}, kinds=EITHER),
    "openapi_extra": {
        "parameters": [
            *IDS,
            parameter("query", "search instead of listing"),
            parameter("limit", "how many", "integer", minimum=1, maximum=200, default=20),
            parameter("include_raw", "also the messages that memories were made of", "boolean", default=False),
            parameter("cursor", "`next_cursor` of the page before"),
            _AS_OF,
            *_HAPPENS,
        ]
    },
}
GET: dict[str, Any] = {
    "summary": "Read a memory",
    "responses": answers(_RECORD, 404),
    "openapi_extra": {"parameters": [parameter("include", "`sources`, `history` or both"), _AS_OF]},
}
PATCH: dict[str, Any] = {
    "summary": "Change a memory",
    "responses": answers(_RECORD, 404, 409, 413),
    "openapi_extra": {"requestBody": body(PatchBody, {"memory": "Wants to go to Rome in August", "metadata": None})},
}
DELETE: dict[str, Any] = {
    "summary": "Delete a memory",
    "responses": answers({"message": "Memory deleted successfully!", "id": _ID}, 404),
}
DELETE_ALL: dict[str, Any] = {
    "summary": "Erase all memories of the given ids",
    "responses": answers({"message": "Memories deleted successfully!", "event_id": _EVENT, "memories": 2}, 413),
    "openapi_extra": {"parameters": IDS},
}
_RECEIPT = {
    "id": _EVENT,
    "what": "ids",
    "named": ["user_id"],
    "counts": {"memories": 2, "versions": 3, "messages": 4, "events": 2, "points": 2},
    "state": "done",
    "waiting_points": 0,
    "erased_at": "2026-06-01T09:30:00+00:00",
    "completed_at": "2026-06-01T09:30:01+00:00",
}
ERASURES: dict[str, Any] = {
    "summary": "Ask whether these ids were erased",
    "responses": answers({"results": [_RECEIPT]}),
    "openapi_extra": {"parameters": IDS},
}
ERASURE: dict[str, Any] = {"summary": "Read the receipt of an erasure", "responses": answers(_RECEIPT, 404)}
EVENT: dict[str, Any] = {
    "summary": "Read an event",
    "responses": answers(_EVENT_RECORD, 404),
    "openapi_extra": {"parameters": [parameter("wait", "seconds to wait for its end", "integer", minimum=0), PREFER]},
}
RETRY: dict[str, Any] = {
    "status_code": 202,
    "summary": "Work again on the failed messages of an event",
    "responses": {
        **{code: words for code, words in answers({}, 404, 409, 429).items() if code != 200},
        202: answer(
            "Worked on again; poll the event", {"type": "object"},
            {"event_id": _EVENT, "status": "PENDING", "messages": 1},
        ),
    },
}  # fmt: skip
REVERT: dict[str, Any] = {
    "summary": "Undo what an event did to memories",
    "responses": answers(
        {
            "event_id": "0199b1f2-9a00-7a10-8a55-0d2f6c1b9e01", "reverted": _EVENT,
            "results": [{"id": _ID, "memory": _RECORD["memory"], "event": "DELETE"}],
            "kept": [{"id": "d9b9a1de-65c4-7e0a-8a11-92f1d8a5c3b2", "reason": "changed_later", "event_id": None}],
            "evidence_removed": 0,
        },
        404, 409,
    ),
}  # fmt: skip
EVENTS: dict[str, Any] = {
    "summary": "List events",
    "responses": answers({"count": 1, "next": None, "previous": None, "results": [_EVENT_RECORD]}),
    "openapi_extra": {
        "parameters": [
            *IDS,
            parameter("status", "only these", enum=["PENDING", "RUNNING", "SUCCEEDED", "FAILED"]),
            parameter("event_type", "only these", enum=["ADD", "DELETE"]),
            parameter("start_date", "accepted at or after"),
            parameter("end_date", "accepted at or before"),
            parameter("page", "from 1", "integer", minimum=1, default=1),
            parameter("page_size", "how many", "integer", minimum=1, maximum=200, default=50),
        ]
    },
}
