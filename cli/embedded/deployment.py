"""Which parts one data directory needs, and what each is told. A part whose URL is given runs elsewhere."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from cli.embedded import environment
from cli.embedded.api import Api
from cli.embedded.engine import VectorEngine
from cli.embedded.keyfile import secret_once
from cli.embedded.part import Part
from cli.embedded.paths import Layout
from cli.embedded.postgres import Postgres
from cli.embedded.valkey import Valkey
from cli.embedded.worker import Worker
from shared.settings import Settings


class Deployment:
    """The parts of one `flumes up`: first the servers, then, once those serve, the programs."""

    def __init__(self, layout: Layout, settings: Settings, environ: Mapping[str, str]) -> None:
        """`environ` is the caller's; what it sets reaches the programs unless it would bend an embedded part."""
        self.layout = layout
        self._settings = settings
        self._environ = environ
        self._engine_key = secret_once(layout.data_dir / "vector-engine-key")
        self._postgres = None if settings.database_url else Postgres(layout)
        self._valkey = None if settings.redis_url else Valkey(layout)
        self._engine = None if settings.qdrant_url else VectorEngine(layout, api_key=self._engine_key)

    def servers(self) -> list[Part]:
        """Postgres, Valkey and the vector engine, as far as they are ours."""
        return [part for part in (self._postgres, self._valkey, self._engine) if part is not None]

    def programs(self, listener: socket.socket, workers: int = 1) -> list[Part]:
        """The API on `listener`, and the workers; call it once the servers serve."""
        env = self.environment(listener.getsockname()[1])
        api = Api(listener, env, self.layout.logs)
        names = ["worker", *(f"worker-{number}" for number in range(2, workers + 1))]
        slots, grace = self._settings.slots, self._settings.grace
        return [api, *(Worker(self.layout, env, slots=slots, grace=grace, name=name) for name in names)]

    @property
    def database_url(self) -> str:
        """Of the database the service uses, as the role that owns its tables."""
        settings = self._settings
        return self._postgres.url if self._postgres else settings.owner_database_url or settings.database_url

    @property
    def runtime_url(self) -> str:
        """The same for the programs: as a role that owns nothing and that row-level security holds."""
        return self._postgres.runtime_url if self._postgres else self._settings.database_url

    @property
    def pepper(self) -> str:
        """Of the API keys: the caller's, else made once for this data directory."""
        return self._settings.key_pepper.get_secret_value() or secret_once(self.layout.data_dir / "key-pepper")

    def services(self) -> dict[str, str]:
        """Where the servers are and what opens them, as settings."""
        told = {
            "FLUMES_DATABASE_URL": self.database_url,
            "FLUMES_REDIS_URL": self._valkey.url if self._valkey else self._settings.redis_url,
            "FLUMES_KEY_PEPPER": self.pepper,
            "FLUMES_DATA_DIR": str(self.layout.data_dir),
        }
        if self._engine is not None:
            told |= {"FLUMES_QDRANT_URL": self._engine.url, "FLUMES_QDRANT_API_KEY": self._engine_key}
        return told

    def environment(self, port: int) -> dict[str, str]:
        """The whole environment of a program of ours; `port` is where the API listens."""
        told = {**self.services(), "FLUMES_HOST": self._settings.host, "FLUMES_PORT": str(port)}
        told |= {"FLUMES_DATABASE_URL": self.runtime_url, "FLUMES_OWNER_DATABASE_URL": ""}
        return environment.program(self._environ, own_database=self._postgres is not None, extra=told)
