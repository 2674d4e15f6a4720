"""Request bodies of the mem0 platform, beside those that are shared with Flumes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BeforeValidator, Field, StrictStr, WithJsonSchema

from api.schemas import EntityId, WireModel

LONGEST_QUERY = 8_000
_ANY_OBJECT = WithJsonSchema({"type": "object"})


def _listed(value: object) -> object:
    """One name, several with commas, or a list."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _false(value: object) -> object:
    return False if value is None else value


Names = Annotated[list[StrictStr] | None, BeforeValidator(_listed)]
Flag = Annotated[bool, BeforeValidator(_false)]
Filters = Annotated[Any, _ANY_OBJECT]


class Selection(WireModel):
    """Which memories; `filters` is read by `api.filters`."""

    filters: Filters = None
    user_id: EntityId = None
    agent_id: EntityId = None
    app_id: EntityId = None
    run_id: EntityId = None
    metadata: dict[str, Any] | None = None
    categories: Names = None
    keywords: StrictStr | None = None
    fields: Names = Field(None, description="only these of each memory, and its id")
    show_expired: Flag = False
    start_date: Any = Field(None, description="created at or after this day or moment")
    end_date: Any = Field(None, description="created at or before this day or moment")


class ListBody(Selection):
    """`POST /v2/memories/`, `POST /v3/memories/`."""

    page: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    page_size: Annotated[int, Field(ge=1, le=200)] | None = None
    limit: Annotated[int, Field(ge=1, le=1_000)] | None = Field(
        None, validation_alias=AliasChoices("limit", "top_k"), description="how many, where no page_size is given"
    )


class SearchBody(Selection):
    """Every search; `rerank`, `keyword_search` and the like are taken and change nothing: both lists always count."""

    query: Annotated[StrictStr, Field(max_length=LONGEST_QUERY)]
    top_k: Annotated[int, Field(ge=1, le=1_000)] | None = None
    limit: Annotated[int, Field(ge=1, le=1_000)] | None = None
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    only_metadata_based_search: Flag = False
    output_format: StrictStr | None = None


class UpdateBody(WireModel):
    """`PUT /v1/memories/{id}/`; at least one of these, `expiration_date: null` clears."""

    text: StrictStr | None = Field(None, validation_alias=AliasChoices("text", "memory"))
    metadata: dict[str, Any] | None = None
    timestamp: Any = None
    expiration_date: StrictStr | None = None


class BatchItem(UpdateBody):
    """One memory of a batch."""

    memory_id: StrictStr


class BatchBody(WireModel):
    """`PUT` and `DELETE /v1/batch/`."""

    memories: Annotated[list[BatchItem], Field(min_length=1, max_length=1_000)]


class FeedbackBody(WireModel):
    """`POST /v1/feedback/`; null takes the feedback back."""

    memory_id: StrictStr
    feedback: Literal["POSITIVE", "NEGATIVE", "VERY_NEGATIVE"] | None = None
    feedback_reason: Annotated[StrictStr, Field(max_length=2_000)] | None = None


class ExportBody(Selection):
    """`POST /v1/exports/`."""

    schema_: Any = Field(None, alias="schema", description="the form the export should have")
    export_instructions: Annotated[StrictStr, Field(max_length=10_000)] | None = None


class ExportGetBody(Selection):
    """`POST /v1/exports/get/`: by id, or the newest with the same filters."""

    memory_export_id: StrictStr | None = None


class ProjectBody(WireModel):
    """`PATCH` of a project; what is absent stays, null clears."""

    custom_instructions: Annotated[StrictStr, Field(max_length=10_000)] | None = None
    agent_custom_instructions: Annotated[StrictStr, Field(max_length=10_000)] | None = None
    custom_categories: Annotated[list[dict[str, Any] | StrictStr], Field(max_length=100)] | None = None
    name: Annotated[StrictStr, Field(max_length=200)] | None = None
    description: Annotated[StrictStr, Field(max_length=2_000)] | None = None
    multilingual: bool | None = None
    decay: bool | None = None
    enable_graph: bool | None = None
    memory_depth: Annotated[StrictStr, Field(max_length=200)] | None = None
    usecase_setting: Any = None
    version: StrictStr | None = None


class MemberBody(WireModel):
    """A member of a project."""

    email: Annotated[StrictStr, Field(min_length=3, max_length=320)]
    role: Literal["READER", "OWNER"] = "READER"
