"""Query strings: empty means absent, twice or unknown is refused, so that no filter is silently dropped."""

from __future__ import annotations

import base64
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from fastapi import Request
from starlette.datastructures import URL

from api.body import refuse_nul
from api.schemas import MAX_ID_BYTES
from shared.errors import BadRequest, NotFound
from shared.model.scope import ID_FIELDS, ScopeIds

IGNORED = frozenset({"org_id", "project_id", "org_name", "project_name", "output_format", "version", "source"})


@dataclass(frozen=True, slots=True)
class Parameters:
    """The given parameters by name; none is empty."""

    given: dict[str, str]

    def ids(self) -> ScopeIds:
        """The entity ids. Raises `BadRequest`."""
        for name in ID_FIELDS:
            if len(self.given.get(name, "").encode()) > MAX_ID_BYTES:
                raise BadRequest(f"{name} is longer than {MAX_ID_BYTES} bytes", field=name)
        return ScopeIds(**{name: self.given.get(name) for name in ID_FIELDS})

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number within bounds. Raises `BadRequest` naming the parameter."""
        text = self.given.get(name)
        if text is None:
            return default
        value = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
        if not least <= value <= most:
            raise BadRequest(f"{name} must be a whole number from {least} to {most}", field=name)
        return value

    def flag(self, name: str) -> bool:
        """`true` or `false`; absent is false. Raises `BadRequest` naming the parameter."""
        text = self.given.get(name, "false").lower()
        if text not in ("true", "false", "1", "0"):
            raise BadRequest(f"{name} must be true or false", field=name)
        return text in ("true", "1")

    def words(self, name: str, known: Collection[str]) -> frozenset[str]:
        """Comma-separated words. Raises `BadRequest` for an unknown one."""
        found = frozenset(word.strip() for word in self.given.get(name, "").split(",") if word.strip())
        if found - set(known):
            raise BadRequest(f"{name} knows {', '.join(sorted(known))}", field=name)
        return found


def parameters(request: Request, known: Collection[str], several: Collection[str] = ()) -> Parameters:
    """Raises `BadRequest` naming a parameter that is unknown, given twice, or holds a NUL character.

    Those in `several` may come more than once; they are put together with commas.
    """
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        refuse_nul(name, "query")
        refuse_nul(value, name)
        if name in IGNORED or not value:
            continue
        if name not in known:
            raise BadRequest(f"the parameter {name} is not known here", code="unknown_parameter", field=name)
        if name in given and name in several:
            value = f"{given[name]},{value}"  # noqa: PLW2901 - the parts of one value
        elif name in given:
            raise BadRequest(f"{name} is given twice", field=name)
        given[name] = value
    return Parameters(given)


def id_in_path(text: str, missing: NotFound) -> UUID:
    """A UUID in canonical form; anything else is as good as an unknown one."""
    try:
        found = UUID(text)
    except ValueError:
        raise missing from None
    if str(found) != text.lower():
        raise missing
    return found


def write_cursor(created_at: datetime, memory_id: UUID) -> str:
    """Where a page ended, opaque."""
    return base64.urlsafe_b64encode(f"{created_at.isoformat()}|{memory_id}".encode()).decode().rstrip("=")


def read_cursor(text: str) -> tuple[datetime, UUID]:
    """Where the next page starts. Raises `BadRequest`."""
    try:
        plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        moment, _, identity = plain.partition("|")
        created_at = datetime.fromisoformat(moment)
        return created_at.astimezone(UTC), UUID(identity)
    except (ValueError, OverflowError):
        raise BadRequest("cursor is not one of ours", field="cursor") from None


def neighbours(request: Request, public_url: str, page: int, size: int, total: int) -> tuple[str | None, str | None]:
    """Absolute addresses of the next and the previous page, where there are any."""
    base = public_url.rstrip("/") or str(request.base_url).rstrip("/")
    here = URL(f"{base}{request.url.path.rstrip('/')}/?{request.url.query}")
    following = str(here.include_query_params(page=page + 1)) if page * size < total else None
    return following, str(here.include_query_params(page=page - 1)) if page > 1 else None
