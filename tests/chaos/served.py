"""What the service serves, as the checker asks for it: the public HTTP API, and the order that only the tables show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import httpx
import psycopg

Row = tuple[Any, ...]


class Served(Protocol):
    """Where answers come from; tests of the checker fabricate them."""

    def event(self, event_id: str) -> dict[str, Any] | None:
        """The event; None when there is none of this id. Raises LookupError when no sensible answer came."""

    def memories(self, scope: dict[str, str]) -> Iterator[dict[str, Any]]:
        """All memories that have these ids, whatever their other ids."""

    def serves(self, memory_id: str) -> bool:
        """Whether GET by id finds it."""

    def history(self) -> Iterator[Row]:
        """(scope, event) of each version an add made, in the order of the commits."""

    def endings(self) -> Iterator[Row]:
        """(scope and lane, event) of the adds in the order they ended."""

    def twice(self) -> Iterator[Row]:
        """(memory, op) that stand more than once in a history."""

    def accepted(self) -> set[str]:
        """The ids of all events that were accepted."""

    def left(self) -> Iterator[Row]:
        """Scopes that still count pending work or are leased."""


class Service:
    """A running one, with one of its keys."""

    def __init__(self, url: str, key: str, database_url: str) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False)
        self._database = psycopg.connect(database_url, autocommit=True)

    def close(self) -> None:
        self._http.close()
        self._database.close()

    def event(self, event_id: str) -> dict[str, Any] | None:
        try:
            answer = self._http.get(f"/v1/event/{event_id}/")
        except httpx.TransportError as error:
            raise LookupError(str(error)) from error
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise LookupError(f"answered {answer.status_code}")
        found: dict[str, Any] = answer.json()
        return found

    def memories(self, scope: dict[str, str]) -> Iterator[dict[str, Any]]:
        cursor: str | None = None
        while True:
            query = {**scope, "limit": "200"} | ({"cursor": cursor} if cursor else {})
            page = self._http.get("/v1/memories/", params=query).raise_for_status().json()
            yield from page["results"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def serves(self, memory_id: str) -> bool:
        return self._http.get(f"/v1/memories/{memory_id}").status_code != 404

    def history(self) -> Iterator[Row]:
        yield from self._database.execute(_HISTORY)

    def endings(self) -> Iterator[Row]:
        yield from self._database.execute(_ENDINGS)

    def twice(self) -> Iterator[Row]:
        yield from self._database.execute(_TWICE)

    def accepted(self) -> set[str]:
        rows = self._database.execute("SELECT id FROM events WHERE kind IN ('add', 'raw')")
        return {str(row[0]) for row in rows}

    def left(self) -> Iterator[Row]:
        yield from self._database.execute(_LEFT)


# What is kept word for word is stored inside its accept transaction, before what was accepted earlier.
_HISTORY = """
    SELECT v.scope_id::text, v.event_id::text FROM memory_versions v
    JOIN events e ON e.project_id = v.project_id AND e.id = v.event_id
    WHERE e.kind = 'add' ORDER BY v.commit_order
"""
_ENDINGS = "SELECT scope_id::text || lane, id::text FROM events WHERE kind = 'add' ORDER BY completed_at, seq"
_TWICE = "SELECT memory_id, op FROM memory_versions GROUP BY memory_id, op HAVING count(*) > 1"
_LEFT = "SELECT id FROM scopes WHERE pending_live + pending_bulk <> 0 OR pending_bytes <> 0 OR lease_owner IS NOT NULL"
