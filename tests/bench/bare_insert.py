"""The floor under an enqueued add: its event, payload and two messages inserted and committed, and nothing else."""

from __future__ import annotations

import uuid
from typing import Any

import psycopg

from tests.bench.names import exchange, name
from tests.bench.pace import closed

_EVENT = """INSERT INTO events (project_id, id, scope_id, seq, kind, lane, status, user_id, window_key, pending)
    VALUES (%s, %s, %s, %s, 'add', 'live', 'PENDING', %s, %s, 2)"""
_PAYLOAD = (
    "INSERT INTO event_payloads (project_id, event_id, origin, options) VALUES (%s, %s, '{}', '{\"infer\": true}')"
)
_MESSAGE = "(%s, %s, %s, %s, %s, %s, 'live', %s, %s, clock_timestamp(), %s)"
_MESSAGES = f"""INSERT INTO messages (project_id, id, scope_id, event_id, seq, idx, lane, role, text, said_at, hash)
    VALUES {_MESSAGE}, {_MESSAGE}"""


def insert(url: str, project: str, connections: int, seconds: float) -> dict[str, Any]:
    """Transactions as fast as they go over this many connections; run it where no worker looks."""
    opened = [psycopg.connect(url) for _ in range(connections)]
    owner = uuid.UUID(project)

    def transaction(caller: int, step: int) -> None:
        word = name(caller * 100_000 + step)
        event, scope, key = uuid.uuid4(), uuid.uuid4(), b"0123456789abcdef"
        rows = [
            value
            for index, message in enumerate(exchange(word))
            for value in (
                owner, uuid.uuid4(), scope, event, 1, index, message["role"], message["content"], uuid.uuid4().bytes,
            )
        ]  # fmt: skip
        with opened[caller].transaction():
            opened[caller].execute(_EVENT, (owner, event, scope, 1, f"user-{word}", key))
            opened[caller].execute(_PAYLOAD, (owner, event))
            opened[caller].execute(_MESSAGES, rows)

    try:
        return closed(connections, seconds, transaction).as_dict()
    finally:
        for connection in opened:
            connection.close()
