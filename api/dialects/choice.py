"""Which dialect a caller speaks on paths that several share."""

from __future__ import annotations

from collections.abc import Mapping

from api.auth import Caller
from shared.errors import BadRequest

HEADER = "X-Flumes-Dialect"


def speaks_mem0(headers: Mapping[str, str], caller: Caller) -> bool:
    """By the header if it is there, else by how the key was sent: Token and X-API-Key are mem0, Bearer is Flumes."""
    asked = headers.get(HEADER.lower(), "").strip().lower()
    if asked not in ("", "flumes", "mem0"):
        raise BadRequest(f"{HEADER} must be flumes or mem0", field=HEADER)
    return asked == "mem0" if asked else caller.scheme in ("token", "x-api-key")
