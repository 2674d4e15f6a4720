"""API keys: `fm_live_<public id>_<secret>`; only an HMAC of the secret is stored.

The public id finds the row, the HMAC (keyed with the server's pepper) proves the secret in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.db import tables as t
from shared.model.ids import uuid7

RIGHTS = ("ingest", "read", "delete", "admin")
_FORM = re.compile(r"fm_live_([a-z0-9]{12})_([A-Za-z0-9_-]{43})")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key's row without its secret. `user_id`, `agent_id`: the only ids this key may touch, None = any."""

    project_id: UUID
    id: UUID
    public_id: str
    name: str
    rights: tuple[str, ...]
    user_id: str | None
    agent_id: str | None
    expires_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime


def parse(token: str) -> tuple[str, str] | None:
    """(public id, secret) of a well-formed key, or None."""
    match = _FORM.fullmatch(token)
    return (match[1], match[2]) if match else None


def digest(secret: str, pepper: str) -> bytes:
    """HMAC-SHA-256 of a key's secret."""
    return hmac.new(pepper.encode(), secret.encode(), hashlib.sha256).digest()


def create(
    session: Session,
    project_id: UUID,
    pepper: str,
    *,
    name: str = "",
    rights: Sequence[str] = RIGHTS,
    user_id: str | None = None,
    agent_id: str | None = None,
    expires_at: datetime | None = None,
) -> str:
    """Make a key; the returned text is the only time it is seen."""
    unknown = set(rights) - set(RIGHTS)
    if unknown:
        raise ValueError(f"unknown rights: {', '.join(sorted(unknown))}; known: {', '.join(RIGHTS)}")
    public_id = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    secret = secrets.token_urlsafe(32)
    session.execute(
        sa.insert(t.api_keys).values(
            project_id=project_id, id=uuid7(), public_id=public_id, secret_hmac=digest(secret, pepper), name=name,
            rights=list(rights), user_id=user_id, agent_id=agent_id, expires_at=expires_at,
        )
    )  # fmt: skip
    return f"fm_live_{public_id}_{secret}"


_COLUMNS = "project_id, id, public_id, name, rights, user_id, agent_id, expires_at, revoked_at, created_at, secret_hmac"


def _key(row: sa.Row[tuple[object, ...]]) -> ApiKey:
    values = {name: value for name, value in row._mapping.items() if name != "secret_hmac"}
    values["rights"] = tuple(values["rights"])
    return ApiKey(**values)


def find(session: Session, token: str, pepper: str) -> ApiKey | None:
    """The key behind a token when it is known, not revoked and not expired; else None."""
    parts = parse(token)
    if parts is None:
        return None
    row = session.execute(
        sa.text(
            f"SELECT {_COLUMNS} FROM api_keys WHERE public_id = :id AND revoked_at IS NULL"
            " AND (expires_at IS NULL OR expires_at > clock_timestamp())"
        ),
        {"id": parts[0]},
    ).one_or_none()
    if row is None or not hmac.compare_digest(bytes(row.secret_hmac), digest(parts[1], pepper)):
        return None
    return _key(row)


def listing(session: Session, project_id: UUID | None = None) -> list[ApiKey]:
    """All keys (of one project), newest first."""
    where = "WHERE project_id = :p" if project_id else ""
    rows = session.execute(
        sa.text(f"SELECT {_COLUMNS} FROM api_keys {where} ORDER BY created_at DESC"),
        {"p": project_id} if project_id else {},
    )
    return [_key(row) for row in rows]


def revoke(session: Session, public_id: str) -> bool:
    """Revoke by public id; False when no live key has it."""
    result = session.execute(
        sa.text("UPDATE api_keys SET revoked_at = clock_timestamp() WHERE public_id = :id AND revoked_at IS NULL"),
        {"id": public_id},
    )
    return bool(result.rowcount)  # type: ignore[attr-defined]
