"""What a chat server was found to understand; small enough to be kept as a row's JSON."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self, cast

Rung = Literal["json_schema", "json_object", "tools"]
RUNGS: tuple[Rung, ...] = ("json_schema", "json_object", "tools")


def endpoint_of(base_url: str, model: str) -> str:
    """Names a server and model without telling the address, which may hold credentials."""
    return f"{model}@{hashlib.sha256(base_url.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Capability:
    """The highest rung of the structure ladder that works, and the request parameters the server refused.

    proven: a valid answer came back on this rung. problem: code of what went wrong when it is not proven.
    """

    endpoint: str
    rung: Rung = "json_schema"
    refused: tuple[str, ...] = ()
    proven: bool = False
    problem: str | None = None

    def below(self) -> Self | None:
        """One rung down; None at the bottom."""
        at = RUNGS.index(self.rung)
        return replace(self, rung=RUNGS[at + 1], proven=False) if at + 1 < len(RUNGS) else None

    def without(self, parameter: str) -> Self:
        """The same without a parameter that the server does not know."""
        return replace(self, refused=tuple(sorted({*self.refused, parameter})))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Self | None:
        """A kept capability; None when it was written by an incompatible release."""
        if raw.get("rung") not in RUNGS or not isinstance(raw.get("endpoint"), str):
            return None
        return cls(
            endpoint=raw["endpoint"],
            rung=cast("Rung", raw["rung"]),
            refused=tuple(str(name) for name in raw.get("refused", ())),
            proven=bool(raw.get("proven")),
            problem=raw.get("problem"),
        )
