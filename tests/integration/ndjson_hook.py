"""Teaches schemathesis to write lines of JSON; it loads this file by `SCHEMATHESIS_HOOKS`."""

from __future__ import annotations

import json
from typing import Any

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def lines(_context: schemathesis.SerializationContext, value: Any) -> bytes:
    """A text as it is; anything else as one line."""
    return value.encode() if isinstance(value, str) else json.dumps(value).encode() + b"\n"
