"""Idempotency keys on the wire: what makes two requests the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from api.auth import Caller
from shared.db.idempotency import Key
from shared.errors import BadRequest

HEADER = "Idempotency-Key"
_LONGEST = 255
_WAITING_OPTIONS = frozenset({"async_mode"})


def idempotency_key(
    headers: Mapping[str, str], endpoint: str, body: Mapping[str, Any], caller: Caller, days: int
) -> Key | None:
    """The caller's key with the fingerprint of the body, None without the header. Raises `BadRequest`.

    A key that is bound to a user or agent has its own space: nobody replays an event of somebody else.
    """
    given = headers.get(HEADER.lower(), "").strip()
    if not given:
        return None
    if len(given) > _LONGEST:
        raise BadRequest(f"{HEADER} is longer than {_LONGEST} characters", field=HEADER)
    space = _space(endpoint, caller)
    return Key(space, given, fingerprint(body), days, caller.seal.request(caller.project_id, space, given))


def fingerprint(body: Mapping[str, Any]) -> bytes:
    """SHA-256 of the parsed body with sorted keys; how long the caller waits is no part of it."""
    said = {name: value for name, value in body.items() if name not in _WAITING_OPTIONS}
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).digest()


def _space(endpoint: str, caller: Caller) -> str:
    if caller.user_id is None and caller.agent_id is None:
        return endpoint
    bound = orjson.dumps([caller.user_id, caller.agent_id])
    return f"{endpoint} bound {hashlib.sha256(bound).hexdigest()[:32]}"
