"""Whose memories: the four ids of the public APIs inside one project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Lane = Literal["live", "bulk"]
ID_FIELDS = ("user_id", "agent_id", "app_id", "run_id")


@dataclass(frozen=True, slots=True)
class ScopeIds:
    """The four entity ids as a caller gave them; None = not given."""

    user_id: str | None = None
    agent_id: str | None = None
    app_id: str | None = None
    run_id: str | None = None

    def given(self) -> dict[str, str]:
        """Only the ids that were given, by wire name."""
        return {name: value for name in ID_FIELDS if (value := getattr(self, name)) is not None}

    def __bool__(self) -> bool:
        return bool(self.given())

    def key(self, fields: tuple[str, ...] = ID_FIELDS) -> ScopeIds:
        """The part of these ids that a project uses as its scope key; the others are labels."""
        return ScopeIds(**{name: getattr(self, name) for name in fields})


@dataclass(frozen=True, slots=True)
class ScopeRef:
    """A scope's primary key; also the hint inside a bell."""

    project_id: UUID
    scope_id: UUID
