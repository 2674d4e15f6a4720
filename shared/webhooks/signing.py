"""Signatures of Standard Webhooks (symmetric, `v1`): HMAC-SHA256 over `id.timestamp.body`.

A webhook's secret is derived from the server's pepper, its id and a generation, so the database holds none: a copy of
it cannot forge a delivery. Rotating raises the generation; for a while both secrets sign.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from uuid import UUID

PREFIX = "whsec_"


def secret(pepper: str, webhook_id: UUID, generation: int) -> str:
    """The text a receiver configures: `whsec_` and 32 bytes in base64. Raises `ValueError` without a pepper."""
    if not pepper:
        raise ValueError("webhook secrets need FLUMES_KEY_PEPPER")
    told = f"flumes.webhook\0{webhook_id}\0{generation}".encode()
    return PREFIX + base64.b64encode(hmac.new(pepper.encode(), told, hashlib.sha256).digest()).decode()


def headers(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers; one signature a secret, separated by spaces. `timestamp`: seconds since 1970."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(one, message_id, timestamp, body) for one in secrets),
    }


def _signature(one: str, message_id: str, timestamp: int, body: bytes) -> str:
    key = base64.b64decode(one.removeprefix(PREFIX))
    signed = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"
