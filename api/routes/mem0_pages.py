"""What the OpenAPI document says about the routes of mem0's dialects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.dialects import mem0_bodies as bodies
from api.routes.pages import EITHER, IDS, KEY, PREFER, answer, answers, body, parameter
from api.schemas import AddBody, WireModel

_ID = "4a43c2f0-2f37-7d1e-9a55-3a8d2a4f6e01"
_EVENT = "0199b1f2-7c1e-7a10-8a55-0d2f6c1b9e77"
_TIME = "2026-06-01T09:30:00+00:00"
_RECORD = {"id": _ID, "memory": "Wants to go to Rome in July", "user_id": "alex", "metadata": None,
           "categories": None, "created_at": _TIME, "updated_at": _TIME}  # fmt: skip
_HIT = {**_RECORD, "score": 0.71, "score_breakdown": {"semantic": 0.8, "bm25": 0.62, "entity": None}}
_PAGE = {"count": 1, "next": None, "previous": None, "results": [_RECORD]}
_QUEUED = {"message": "Memory processing has been queued for background execution", "status": "PENDING",
           "event_id": _EVENT}  # fmt: skip
_HELLO = {"messages": [{"role": "user", "content": "I want to go to Rome in July"}], "user_id": "alex"}
_FILTER = {"filters": {"user_id": "alex"}}
_SEARCH = {"query": "travel plans", "filters": {"AND": [{"user_id": "alex"}, {"created_at": {"gte": "2026-01-01"}}]}}
_VERSION = {"id": _EVENT, "memory_id": _ID, "old_memory": None, "new_memory": "Wants to go to Rome in July",
            "event": "ADD", "input": [{"role": "user", "content": "I want to go to Rome in July"}],
            "created_at": _TIME}  # fmt: skip
_ENTITY = {"id": _ID, "name": "alex", "type": "user", "total_memories": 3, "created_at": _TIME, "updated_at": _TIME}
_DELETING = {"message": "Delete in progress. This may take some time.", "event_id": _EVENT}
_PAGING = [
    parameter("page", "from 1", "integer", minimum=1),
    parameter("page_size", "how many", "integer", minimum=1, maximum=200),
]


def _route(
    summary: str, example: Any, *codes: int, model: type[WireModel] | None = None, given: Any = None,
    parameters: list[dict[str, Any]] | None = None, kinds: Sequence[str] = (),
) -> dict[str, Any]:  # fmt: skip
    extra: dict[str, Any] = {"parameters": parameters} if parameters else {}
    if model is not None:
        extra["requestBody"] = body(model, given)
        codes = (*codes, 413)
    return {"summary": summary, "responses": answers(example, *codes, kinds=kinds), "openapi_extra": extra}


_ADDING = (409, 422, 429, 502)
ADD_V3 = _route("Add memories (v3)", _QUEUED, *_ADDING, model=AddBody, given=_HELLO, parameters=[PREFER, KEY])
LIST_V3 = _route("List memories (v3)", _PAGE, model=bodies.ListBody, given=_FILTER, parameters=_PAGING)
LIST_V2 = _route("List memories (v2)", [_RECORD], model=bodies.ListBody, given=_FILTER, parameters=_PAGING,
                 kinds=EITHER)  # fmt: skip
SEARCH_V3 = _route("Search memories (v3)", {"results": [_HIT]}, model=bodies.SearchBody, given=_SEARCH)
SEARCH_V2 = _route("Search memories (v2)", [_HIT], model=bodies.SearchBody, given=_SEARCH, kinds=EITHER)
SEARCH_V1 = _route("Search memories (v1)", [_HIT], model=bodies.SearchBody,
                   given={"query": "travel plans", "user_id": "alex"}, kinds=EITHER)  # fmt: skip
BY_ENTITY = _route("Memories of one entity", _PAGE, 404, parameters=_PAGING)
HISTORY = _route("Versions of a memory", [_VERSION], 404)
HISTORY_FEED = _route("Changes of all memories", {**_PAGE, "results": [_VERSION]}, parameters=[
    parameter("page", "from 1", "integer", minimum=1),
    parameter("limit", "how many", "integer", minimum=1, maximum=200),
])  # fmt: skip
UPDATE = _route("Change a memory", _RECORD, 404, 409, model=bodies.UpdateBody, given={"text": "Wants to go to Rome"})
DELETE = _route("Delete a memory", {"message": "Memory deleted successfully"}, 404)
DELETE_ALL = _route("Erase all memories of the given ids", _DELETING, 413, parameters=IDS)
BATCH_UPDATE = _route("Change many memories", {"message": "Successfully updated 2 memories"}, 404, 409,
                      model=bodies.BatchBody, given={"memories": [{"memory_id": _ID, "text": "Tea"}]})  # fmt: skip
BATCH_DELETE = _route("Delete many memories", {"message": "Successfully deleted 2 memories"}, 404,
                      model=bodies.BatchBody, given={"memories": [{"memory_id": _ID}]})  # fmt: skip
ENTITIES = _route("List entities", {**_PAGE, "results": [_ENTITY], "total_users": 1}, parameters=_PAGING)
ENTITY = _route("Read an entity", [_ENTITY], 404)
DELETE_ENTITY = _route("Erase an entity", {**_DELETING, "message": "Entity deleted successfully!"}, 404)
PROFILE = _route("Profiles are not made", {"status": "not_enabled"}, 404)
FEEDBACK = _route("Give feedback", {"id": _ID, "feedback": "POSITIVE", "feedback_reason": None}, 404,
                  model=bodies.FeedbackBody, given={"memory_id": _ID, "feedback": "POSITIVE"})  # fmt: skip
READ_FEEDBACK = _route("Read feedback", {"id": _ID, "feedback": "POSITIVE", "feedback_reason": None}, 404)
_EXPORT = _route("Ask for an export", {}, 501, model=bodies.ExportBody, given={"schema": {}, **_FILTER})
EXPORT: dict[str, Any] = {**_EXPORT, "responses": {
    **{code: words for code, words in _EXPORT["responses"].items() if code != 200},
    201: answer("Ready to be fetched", {"type": "object"}, {"message": "Memory export request received.", "id": _ID}),
}}  # fmt: skip
READ_EXPORT = _route("Fetch an export", {"id": _ID, "memories": [_RECORD], "total": 1}, 404, 501, 502,
                     model=bodies.ExportGetBody, given={"memory_export_id": _ID})  # fmt: skip
SUMMARY = _route("Summary of memories", [
    {"summary": "Wants to go to Rome in July.", "source": "model", "covered": 1, "total": 1, "kinds": {"plan": 1},
     "from": _TIME, "to": _TIME},
], model=bodies.Selection, given=_FILTER)  # fmt: skip
STATS = _route("Counters", {"total_memories": 3, "total_events": 2, "total_users": 1})
PING = _route("Is the key good?", {"status": "ok", "org_id": _ID, "project_id": _ID, "user_email": None})
_PROJECT = {"id": _ID, "project_id": _ID, "name": "default", "custom_instructions": None, "custom_categories": None}
ORGANISATIONS = _route("Organisations of the key", [{"org_id": _ID, "name": "default"}])
ORGANISATION = _route("An organisation", {"org_id": _ID, "name": "default"}, 404)
PROJECTS = _route("Projects of the key", [_PROJECT], 404)
PROJECT = _route("Read the project", _PROJECT, 404)
CHANGE_PROJECT = _route("Change the project", {"message": "Updated project"}, 404, model=bodies.ProjectBody,
                        given={"custom_instructions": "Only facts about food."})  # fmt: skip
_REFUSED = _route("Refused: the operator's business", {}, 404)
OPERATOR_ONLY: dict[str, Any] = {
    **_REFUSED,
    "status_code": 403,
    "responses": {code: words for code, words in _REFUSED["responses"].items() if code != 200},
}
MEMBERS = _route("List members", {"members": [{"email": "a@example.org", "role": "READER"}]}, 404)
CHANGE_MEMBER = _route("Name a member", {"message": "User added to the project"}, 404, model=bodies.MemberBody,
                       given={"email": "a@example.org", "role": "READER"})  # fmt: skip
REMOVE_MEMBER = _route("Remove a member", {"message": "User removed from the project"}, 404,
                       parameters=[parameter("email", "whose")])  # fmt: skip

_RESULTS = {"results": [{"id": _ID, "memory": "Wants to go to Rome in July", "event": "ADD"}], "event_id": _EVENT}
_OSS_ADD = _route("Add memories (self-hosted server)", _RESULTS, *_ADDING, model=AddBody, given=_HELLO,
                  parameters=[PREFER, KEY])  # fmt: skip
OSS_ADD: dict[str, Any] = {**_OSS_ADD, "responses": {
    **_OSS_ADD["responses"], 202: answer("Accepted and kept; poll the event", {"type": "object"}, _QUEUED),
}}  # fmt: skip
OSS_LIST = _route("List memories (self-hosted server)", {"results": [_RECORD]}, parameters=[
    *IDS, parameter("top_k", "how many", "integer", minimum=1, maximum=1000),
    parameter("show_expired", "true or false"),
])  # fmt: skip
OSS_GET = _route("Read a memory (self-hosted server)", _RECORD, 404)
OSS_UPDATE = _route("Change a memory (self-hosted server)", {"message": "Memory updated successfully!"}, 404, 409,
                    model=bodies.UpdateBody, given={"text": "Wants to go to Rome"})  # fmt: skip
OSS_SEARCH = _route("Search memories (self-hosted server)", {"results": [_HIT]}, model=bodies.SearchBody, given=_SEARCH)
