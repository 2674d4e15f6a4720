"""The service in this process, on real Postgres and the real engine, with tenants whose every word is a canary."""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import httpx
import psycopg
from fastapi import FastAPI
from psycopg import sql

from api.app import create_app
from shared.db import keys, projects
from shared.db.engine import Database
from shared.settings import Settings
from shared.vectors.index import VectorIndex
from tests.integration.hand_worker import HandIndexer
from tests.stack import PEPPER, QDRANT_KEY, Stack
from tests.walls.moves import AGENTS, USERS, WORDS, Known
from tests.walls.routes import Way, ways

T = TypeVar("T")
_COLLECTION = "flumes-bm25-1"
_BACKUP = "walls_backup"

Cell = tuple[str, str]  # (user, agent)


class Tenant:
    """A project with keys of every kind, and a canary for itself and for each (user, agent) in it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.project_id = UUID(int=0)
        self.keys: dict[str, str] = {}
        self.canary = f"canary{number}all{secrets.token_hex(8)}"
        self.cells: dict[Cell, str] = {
            (user, agent): f"canary{number}{user}{agent}{secrets.token_hex(8)}" for user in USERS for agent in AGENTS
        }

    def sees(self, key: str, cell: Cell) -> bool:
        """Whether a key of this tenant may see what belongs to a user and an agent."""
        user, agent = cell
        return (key not in ("user", "both") or user == USERS[0]) and (
            key not in ("agent", "both") or agent == AGENTS[0]
        )


class Stage:
    """Made once; `restore` brings one tenant's rows back to how they were."""

    def __init__(self, stack: Stack, tenants: int = 3) -> None:
        self.runner = asyncio.Runner()
        self.url = stack.new_database()
        self._stack = stack
        self.db = Database(self.url, pool_size=2, name="walls")
        self._plain = psycopg.connect(self.url, autocommit=True)
        self.tenants = [Tenant(number) for number in range(tenants)]
        settings = Settings(
            database_url=self.url, redis_url=stack.valkey.url, qdrant_url=stack.engine.url, qdrant_api_key=QDRANT_KEY,
            key_pepper=PEPPER, wait_budget=0, wait_cap=0, extractor="rules", embeddings="none", log_level="ERROR",
            webhooks=True,
        )  # fmt: skip
        self.app: FastAPI = create_app(settings)
        self.ways: list[Way] = ways(self.app)
        self._lifespan = self.app.router.lifespan_context(self.app)
        self.run(self._lifespan.__aenter__())
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://walls", timeout=60)
        self.index = VectorIndex(stack.engine.url, QDRANT_KEY)
        self._indexer = HandIndexer(self.db, stack.engine.url, _COLLECTION)
        self._fill()
        self._tables = self._tenant_tables()
        self.known = Known([self._ids(tenant) for tenant in self.tenants], self._parameters())
        self._back_up()

    def run(self, work: Awaitable[T]) -> T:
        """On the stage's event loop."""

        async def inner() -> T:
            return await work

        return self.runner.run(inner())

    def close(self) -> None:
        self.run(self.http.aclose())
        self.run(self._lifespan.__aexit__(None, None, None))
        self.runner.close()
        self._indexer.close()
        self.index.close()
        self._plain.close()
        self.db.close()
        self._stack.drop_database(self.url)

    # --- filling

    def _fill(self) -> None:
        self._indexer.register()
        for tenant in self.tenants:
            self._make(tenant)
            self.run(self._live(tenant))
        self._indexer.apply()
        self.points = self.all_points()

    def _make(self, tenant: Tenant) -> None:
        made = self.db.run(lambda session: projects.ensure(session, f"tenant {tenant.number} {tenant.canary}"))
        tenant.project_id = made.id
        traits: dict[str, dict[str, Any]] = {
            "admin": {}, "revoked": {}, "expired": {"expires_at": datetime.now(UTC) - timedelta(seconds=1)},
            **{right: {"rights": (right,)} for right in ("read", "ingest", "delete")},
            "user": {"user_id": USERS[0]}, "agent": {"agent_id": AGENTS[0]},
            "both": {"user_id": USERS[0], "agent_id": AGENTS[0]},
        }  # fmt: skip

        for name, options in traits.items():
            token = self.db.run(lambda session, o=options: keys.create(session, made.id, PEPPER, **o))  # type: ignore[misc]
            tenant.keys[name] = token
        self.db.run(lambda session: keys.revoke(session, tenant.keys["revoked"].split("_")[2]))
        secret = tenant.keys["admin"].split("_", 3)[3]
        tenant.keys["unknown"] = f"fm_live_{'a' * 12}_{secret}"
        tenant.keys["mixed"] = tenant.keys["read"][:20] + "_" + secret
        tenant.keys["malformed"] = "fm_live_" + "x" * 9
        tenant.keys["none"] = ""

    async def _live(self, tenant: Tenant) -> None:
        """A tenant's life over HTTP: a webhook, raw memories, pending events, feedback, an export, an erasure."""
        hook = {"url": f"https://example.org/{tenant.canary}", "name": tenant.canary}
        await self._own(tenant, "POST", f"/api/v1/webhooks/projects/{tenant.project_id}", hook)
        word = WORDS[tenant.number % len(WORDS)]
        for place, ((user, agent), canary) in enumerate(tenant.cells.items()):
            ids = {"user_id": user, "agent_id": agent, "metadata": {"place": "attic", "note": canary}}
            for turn, infer in enumerate((False, True)):
                said = [{"role": "user", "content": f"I play the {word} {canary} {infer}"}]
                body = {"messages": said, "infer": infer, **ids}
                answer = await self._own(tenant, "POST", "/v1/memories", body, f"the-same-for-all-{place * 2 + turn}")
                if not infer:
                    memory_id = answer["results"][0]["id"]
                    reason = {"memory_id": memory_id, "feedback": "POSITIVE", "feedback_reason": canary}
                    await self._own(tenant, "POST", "/v1/feedback", reason)
                    change = {"text": f"I still play the {word} {canary}"}
                    await self._own(tenant, "PUT", f"/v1/memories/{memory_id}", change)
            lines = {"messages": f"I play the {word} {canary} and imported it", "user_id": user, "agent_id": agent}
            await self._own(tenant, "POST", f"/v1/imports?name=log-{place % 2}", lines)
        await self._own(tenant, "POST", "/v1/imports?name=log-1&from_line=9", {"about": tenant.canary})
        gone = {"messages": [{"role": "user", "content": tenant.canary}], "infer": False, "user_id": "carol"}
        await self._own(tenant, "POST", "/v1/memories", gone)
        await self._own(tenant, "DELETE", "/v1/memories?user_id=carol", None)
        export = {"filters": {"user_id": "*"}}
        await self._own(tenant, "POST", "/v1/exports", export)
        project = f"/api/v1/orgs/organizations/{tenant.project_id}/projects/{tenant.project_id}"
        await self._own(tenant, "PATCH", project, {"custom_instructions": tenant.canary})
        member = {"email": f"{tenant.canary}@example.org", "role": "READER"}
        await self._own(tenant, "POST", f"{project}/members", member)

    async def _own(self, tenant: Tenant, method: str, path: str, body: Any, repeat: str = "") -> Any:
        headers = {"Authorization": f"Bearer {tenant.keys['admin']}", "Prefer": "respond-async"}
        if repeat:
            headers["Idempotency-Key"] = repeat
        answer = await self.http.request(method, path, json=body, headers=headers)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    # --- what there is

    def _tenant_tables(self) -> list[str]:
        rows = self._plain.execute(
            "SELECT table_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND column_name = 'project_id' ORDER BY 1"
        ).fetchall()
        return [name for (name,) in rows]

    def _ids(self, tenant: Tenant) -> dict[str, list[UUID]]:
        """Every uuid that stands in any column of a tenant's rows, and those of the kinds paths name."""
        columns = self._plain.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND data_type = 'uuid' AND table_name = ANY(%s)",
            [self._tables],
        ).fetchall()
        found: defaultdict[str, set[UUID]] = defaultdict(set)
        for table, column in columns:
            words = sql.SQL("SELECT {0} FROM {1} WHERE project_id = %s AND {0} IS NOT NULL").format(
                sql.Identifier(column), sql.Identifier(table)
            )
            values = {value for (value,) in self._plain.execute(words, [tenant.project_id])}
            found["any"] |= values
            kind = _KINDS.get(table)
            if kind and column == "id":
                found[kind] |= values
        found["project"] = {tenant.project_id}
        return {kind: sorted(values) for kind, values in found.items()}

    def _parameters(self) -> dict[str, list[str]]:
        """The query parameters each route documents."""
        paths = self.app.openapi()["paths"]
        return {
            f"{method.upper()} {path.rstrip('/') or '/'}": [
                item["name"] for item in page.get("parameters", ()) if item["in"] == "query"
            ]
            for path, page_of in paths.items()
            for method, page in page_of.items()
        }

    # --- digests

    def digests(self) -> dict[tuple[int, str], str]:
        """(tenant, user/agent or "") → digest of all its rows in all tables."""
        parts = [
            f"SELECT r.project_id, {_cell(table)} AS cell, '{table}' AS name, r::text AS line FROM \"{table}\" r"
            for table in self._tables
        ]
        parts.append("SELECT r.id, '', 'projects', r::text FROM projects r")
        query = (
            "SELECT project_id, cell, md5(string_agg(name || line, '|' ORDER BY name, line)) FROM ("
            + " UNION ALL ".join(parts)
            + ") AS x GROUP BY project_id, cell"
        )
        number = {tenant.project_id: tenant.number for tenant in self.tenants}
        return {(number[project], cell): value for project, cell, value in self._plain.execute(query)}

    def all_points(self) -> dict[UUID, dict[UUID, int]]:
        """Every tenant's points in the engine."""
        return {tenant.project_id: dict(self.index.scan(_COLLECTION, tenant.project_id)) for tenant in self.tenants}

    # --- back to the start

    def _back_up(self) -> None:
        self._plain.execute(f"CREATE SCHEMA {_BACKUP}")
        for table in (*self._tables, "projects"):
            self._plain.execute(f'CREATE TABLE {_BACKUP}."{table}" AS TABLE "{table}"')
        self.before = self.digests()

    def restore(self, tenant: Tenant) -> None:
        """This tenant's rows as they were after filling."""
        with self._plain.transaction():
            self._plain.execute("SET LOCAL session_replication_role = replica")
            for table, column in (*((name, "project_id") for name in self._tables), ("projects", "id")):
                where = f"WHERE {column} = '{tenant.project_id}'"
                self._plain.execute(f'DELETE FROM "{table}" {where}')
                self._plain.execute(
                    f'INSERT INTO "{table}" OVERRIDING SYSTEM VALUE SELECT * FROM {_BACKUP}."{table}" {where}'
                )


_KINDS = {
    "memories": "memory", "events": "event", "memory_exports": "export", "webhooks": "webhook",
    "webhook_deliveries": "delivery", "erasures": "erasure",
    "imports": "import",
}  # fmt: skip
_BY_SCOPE = (
    "SELECT coalesce(s.user_id, '') || '/' || coalesce(s.agent_id, '') FROM scopes s WHERE s.project_id = r.project_id"
)
_CELLS = {
    "scopes": "coalesce(r.user_id, '') || '/' || coalesce(r.agent_id, '')",
    "import_lines": "coalesce(r.user_id, '') || '/' || coalesce(r.agent_id, '')",
    "events": f"({_BY_SCOPE} AND s.id = r.scope_id)",
    "messages": f"({_BY_SCOPE} AND s.id = r.scope_id)",
    "memories": f"({_BY_SCOPE} AND s.id = r.scope_id)",
    "memory_versions": f"({_BY_SCOPE} AND s.id = r.scope_id)",
    "event_payloads": f"({_BY_SCOPE} AND s.id = (SELECT e.scope_id FROM events e WHERE e.id = r.event_id))",
    **dict.fromkeys(
        ("memory_sources", "memory_feedback"),
        f"({_BY_SCOPE} AND s.id = (SELECT m.scope_id FROM memories m WHERE m.id = r.memory_id))",
    ),
}


def _cell(table: str) -> str:
    """Whose a row is within its tenant: its scope's user and agent; '' = the tenant's as a whole."""
    return f"coalesce({_CELLS[table]}, '')" if table in _CELLS else "''"
