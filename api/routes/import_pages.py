"""What the OpenAPI document says about imports."""

from __future__ import annotations

from typing import Any

from api.routes.pages import IDS, answer, answers, parameter

_EXAMPLE = {
    "id": "0199b1f2-7c1e-7a10-8a55-0d2f6c1b9e77", "name": "conversations.json-3fa91c0d", "state": "RUNNING",
    "reason": None, "complete": True, "lines": 5200, "groups": 5310, "messages": 104211, "rejected": 2, "ended": 1404,
    "failed": 0, "added": 911, "updated": 120, "deleted": 4, "calls": 702, "input_tokens": 1804311,
    "output_tokens": 98120, "format": "auto", "on_error": "skip", "max_tokens": None,
    "created_at": "2026-06-01T09:30:00+00:00", "started_at": "2026-06-01T09:30:01+00:00", "completed_at": None,
    "received_at": "2026-06-01T09:30:44+00:00", "eta": 310.5,
}  # fmt: skip
_WHOLE = _EXAMPLE | {
    "last_line": 5200,
    "messages_in_work": 960,
    "cost": 1.79,
    "faults": [{"line": 17, "part": 0, "state": "REJECTED", "reason": "not JSON: unexpected end of data"}],
}
_NDJSON = {
    "schema": {"type": "string"},
    "example": '{"messages": [{"role": "user", "content": "I moved to Porto", "timestamp": "2024-03-01T10:00:00Z"}],'
    ' "user_id": "ana"}\n',
}


def _accepted(example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    found = answers(example, 404, 409, 429)
    found[202] = answer("Kept; workers go on with it", {"type": "object"}, example)
    del found[200], found[404]
    return found


POST: dict[str, Any] = {
    "status_code": 202,
    "responses": _accepted(_WHOLE | {"changed_lines": []}),
    "openapi_extra": {
        "parameters": [
            {**parameter("name", "which import this is; the same name again goes on with it"), "required": True},
            parameter("format", "of the lines; auto looks at each",
                      enum=["auto", "flumes", "messages", "sharegpt", "chatgpt", "locomo"]),
            parameter("on_error", "skip a bad line, or stop before it", enum=["skip", "stop"]),
            parameter("from_line", "the number of the first line in this body", "integer", minimum=1),
            parameter("more", "true: more of the same log follows in another request", "boolean"),
            parameter("timezone", "IANA name; of times without an offset"),
            parameter("infer", "false: keep the messages as they are", "boolean"),
            parameter("max_tokens", "stop, and keep the rest, once this many were spent", "integer", minimum=0),
            *({**item, "description": "for lines without one"} for item in IDS),
        ],
        "requestBody": {"required": True, "content": {"application/x-ndjson": _NDJSON}},
    },
}  # fmt: skip
LIST: dict[str, Any] = {
    "responses": answers({"results": [_EXAMPLE]}, 404),
    "openapi_extra": {
        "parameters": [
            parameter("limit", "at most so many", "integer", minimum=1, maximum=200),
            parameter("before", "an import's id: only older ones"),
        ]
    },
}
GET: dict[str, Any] = {
    "responses": answers(_WHOLE, 404),
    "openapi_extra": {"parameters": [parameter("after", "faults after this LINE or LINE.PART")]},
}
MOVE: dict[str, Any] = {"responses": answers(_WHOLE, 404, 409)}
RESUME: dict[str, Any] = MOVE | {
    "openapi_extra": {
        "parameters": [parameter("max_tokens", "a new ceiling, over all it spends", "integer", minimum=1)],
    }
}
