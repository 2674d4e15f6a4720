"""Wire models of the requests. Unknown keys are ignored, null means absent, errors name the field."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictStr,
    ValidationError,
    WithJsonSchema,
)

from shared.errors import BadRequest

MAX_ID_BYTES = 512  # four of them fit one index entry
MAX_RULE_CHARS = 10_000
MAX_CATEGORIES = 100

_TEXT_PARTS = (None, "text", "input_text", "output_text")


def _plain_text(content: object) -> object:
    """A string as it is; of a list of parts the texts, a line each (images and files carry none)."""
    if content is None or isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise ValueError("must be a string or a list of parts")  # noqa: TRY004 - pydantic wants ValueError
    return "\n".join(text for part in content if (text := _part_text(part)) is not None)


def _part_text(part: object) -> str | None:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        raise ValueError("holds a part that is neither text nor an object")  # noqa: TRY004 - as above
    if part.get("type") not in _TEXT_PARTS:
        return None
    text = part.get("text")
    if not isinstance(text, str):
        raise ValueError("holds a text part without text")  # noqa: TRY004 - as above
    return text


def _message_list(messages: object) -> object:
    """A bare string is one user message, a bare object one message."""
    if isinstance(messages, str):
        return [{"role": "user", "content": messages}]
    return [messages] if isinstance(messages, dict) else messages


def _words(value: object) -> object:
    """A list of phrases reads like one text."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return value


def _category_names(value: object) -> object:
    """Names, or objects of name and description."""
    if isinstance(value, list):
        return [name for item in value for name in (item if isinstance(item, dict) else [item])]
    return value


def _id(value: object) -> object:
    """Empty means absent."""
    if isinstance(value, str) and len(value.encode()) > MAX_ID_BYTES:
        raise ValueError(f"must not be longer than {MAX_ID_BYTES} bytes")
    return value or None if isinstance(value, str) else value


def _true(value: object) -> object:
    return True if value is None else value


def _false(value: object) -> object:
    return False if value is None else value


EntityId = Annotated[StrictStr | None, BeforeValidator(_id)]
Stamp = Annotated[Any, WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}]})]
Rule = Annotated[Annotated[StrictStr, Field(max_length=MAX_RULE_CHARS)] | None, BeforeValidator(_words)]
Category = Annotated[StrictStr, Field(min_length=1, max_length=100)]
_CONTENT_SCHEMA = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "object"}]}}]
}


class WireModel(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class MessageBody(WireModel):
    """One chat message."""

    role: Literal["user", "assistant", "system", "tool"]
    content: Annotated[
        StrictStr | None, BeforeValidator(_plain_text), WithJsonSchema(_CONTENT_SCHEMA)
    ] = Field(description="text, or parts of which the texts count")  # fmt: skip
    name: Annotated[StrictStr, Field(max_length=200)] | None = Field(None, description="who speaks, whatever the role")
    timestamp: Stamp = Field(None, description="when it was said: ISO 8601 or seconds since 1970")


_MESSAGES_SCHEMA = {
    "anyOf": [
        {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/MessageBody"}},
        {"$ref": "#/components/schemas/MessageBody"},
        {"type": "string", "minLength": 1},
    ]
}


class AddBody(WireModel):
    """What `POST /v1/memories/` takes; at least one of the four ids."""

    messages: Annotated[
        list[MessageBody], Field(min_length=1), BeforeValidator(_message_list), WithJsonSchema(_MESSAGES_SCHEMA)
    ]  # fmt: skip
    user_id: EntityId = None
    agent_id: EntityId = None
    app_id: EntityId = None
    run_id: EntityId = None
    metadata: dict[str, Any] | None = None
    infer: Annotated[bool, BeforeValidator(_true)] = Field(True, description="false: keep the messages as they are")
    timestamp: Stamp = Field(None, description="for messages without one of their own")
    timezone: EntityId = Field(None, description="IANA name; offset of stamps without one")
    async_mode: bool | None = Field(None, description="true: do not wait")
    custom_instructions: Rule = None
    includes: Rule = None
    excludes: Rule = None
    custom_categories: Annotated[
        Annotated[list[Category], Field(max_length=MAX_CATEGORIES)] | None, BeforeValidator(_category_names)
    ] = None
    expiration_date: date | None = Field(None, description="last day (UTC) on which it is served")
    immutable: Annotated[bool, BeforeValidator(_false)] = False


class PatchBody(WireModel):
    """What `PATCH /v1/memories/{id}` takes; absent or null leaves as it is, `{}` clears the metadata."""

    memory: StrictStr | None = Field(None, validation_alias=AliasChoices("memory", "text"))
    metadata: dict[str, Any] | None = None


Model = TypeVar("Model", bound=WireModel)


def parse(model: type[Model], body: dict[str, Any]) -> Model:
    """A validated request. Raises `BadRequest` naming every field at fault."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        faults = [
            {"field": _field(fault["loc"]), "message": _sentence(fault["type"], fault["msg"])}
            for fault in error.errors(include_url=False, include_input=False, include_context=False)[:20]
        ]
    first = faults[0]
    raise BadRequest(f"{first['field']}: {first['message']}", field=first["field"], extra={"errors": faults})


def _field(path: Sequence[int | str]) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".") or "body"


def _sentence(kind: str, message: str) -> str:
    if kind == "missing":
        return "is required"
    text = message.removeprefix("Value error, ").removeprefix("Input ")
    return text[:1].lower() + text[1:]
