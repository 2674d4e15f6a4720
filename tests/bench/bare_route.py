"""The floor under a GET by id: one FastAPI route that runs the same SELECT and returns the row, with nothing around it.

`FLUMES_DATABASE_URL=... FLUMES_BENCH_PROJECT=... python -m tests.bench.bare_route FD`
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import orjson
import uvicorn
from fastapi import FastAPI
from fastapi.responses import Response
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from shared.db.memories import COLUMNS

_SELECT = f"SELECT {COLUMNS} FROM memories m WHERE m.project_id = %s AND m.id = %s"
_POOL = 10  # as the API's


def create_app() -> FastAPI:
    """The application; reads its database and project from the environment."""
    project = UUID(os.environ["FLUMES_BENCH_PROJECT"])
    pool: AsyncConnectionPool[AsyncConnection[DictRow]] = AsyncConnectionPool(
        os.environ["FLUMES_DATABASE_URL"], min_size=_POOL, max_size=_POOL, open=False, kwargs={"row_factory": dict_row}
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await pool.open(wait=True)
        yield
        await pool.close()

    app = FastAPI(lifespan=lifespan)

    @app.get("/bare/{memory_id}", response_model=None)
    async def read(memory_id: UUID) -> Response:
        async with pool.connection() as connection:
            row = await (await connection.execute(_SELECT, (project, memory_id))).fetchone()
        return Response(orjson.dumps(row, default=_plain), media_type="application/json")

    @app.get("/readyz", response_model=None)
    async def ready() -> Response:
        return Response(b"{}")

    return app


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else str(value)


def main(descriptor: int) -> None:
    """Serve until terminated."""
    config = uvicorn.Config(
        "tests.bench.bare_route:create_app", factory=True, access_log=False, log_level="warning", server_header=False
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    main(int(sys.argv[1]))
