"""Point ids: unsigned integers or UUIDs, nothing else."""

from __future__ import annotations

from uuid import UUID

from cli.vector_engine.errors import bad_request


def point_id(value: object) -> int | UUID:
    """The id as the engine takes it."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64:
        return value
    if isinstance(value, str):
        try:
            return UUID(value)
        except ValueError:
            pass
    raise bad_request(f"{value!r} is not a valid point ID, valid values are either an unsigned integer or a UUID")
