"""The embedded PostgreSQL: reached over a Unix socket only, durable as a server would be."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import time
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from cli.embedded import environment, runtime
from cli.embedded.child import Child, Command
from cli.embedded.errors import EmbeddedError
from cli.embedded.paths import Layout, release_socket_folder, socket_folder
from cli.embedded.stale import clear_stale_postmaster

_SOCKET = ".s.PGSQL.5432.lock"  # the longest name Postgres makes beside the data
_STOP_GRACE = 30.0
_MAJOR = "18"
_RUNTIME_ROLE = "flumes_app"


class Postgres:
    """One cluster in `layout.postgres`, superuser `postgres`, closed to other system users by the folder's mode."""

    name = "postgres"

    def __init__(self, layout: Layout, *, database: str = "flumes") -> None:
        self._layout = layout
        self._database = database
        self._note = layout.run / "postgres-sockets"
        self._sockets: Path | None = None
        self._has_database = False
        self.child: Child | None = None

    @property
    def url(self) -> str:
        """`postgresql://…` of the service's database."""
        return self.url_of(self._database)

    @property
    def runtime_url(self) -> str:
        """The same for the role the service works as; the migration makes it."""
        return self.url_of(self._database, user=_RUNTIME_ROLE)

    def url_of(self, database: str, *, user: str = "postgres") -> str:
        """The same for any database of the cluster. The port is spelled out, for libpq would take PGPORT."""
        if self._sockets is None:
            raise EmbeddedError("postgres was not started")
        return f"postgresql://{user}@/{database}?host={quote(str(self._sockets), safe='/')}&port=5432"

    def start(self) -> None:
        """Spawn the server, after initdb at the first time. Raises EmbeddedError."""
        _refuse_nameless_user()
        programs = runtime.postgres_runtime(self._layout.home, self._layout.user) / "bin"
        data = self._layout.postgres
        if not data.exists():
            self._initialise(programs)
        _refuse_other_version(data)
        if self._sockets is None:  # a restart keeps the address
            self._sockets = socket_folder(data, _SOCKET, self._note, self._layout.user)
        clear_stale_postmaster(data, self._sockets)
        self.child = Child(self._command(programs))

    def ready(self) -> bool:
        """Whether it takes connections; makes the service's database at the first yes."""
        try:
            with psycopg.connect(self.url_of("postgres"), connect_timeout=2, autocommit=True) as connection:
                if not self._has_database:
                    self._make_database(connection)
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, a checkpoint is written."""
        if self.child is not None and not self.child.stop(_STOP_GRACE):
            clear_stale_postmaster(self._layout.postgres, self._sockets or self._layout.postgres)
        self.child = self._sockets = None
        release_socket_folder(self._note)

    def _command(self, programs: Path) -> Command:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": f'"{self._sockets}"',
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            "log_line_prefix": "%m [%p] ",
            "log_error_verbosity": "terse",  # the details of an error quote the row it is about
            "log_parameter_max_length": "0",
        }
        argv = [str(programs / "postgres"), "-D", str(self._layout.postgres)]
        argv += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return Command(
            argv,
            environment.server(os.environ),
            self._layout.logs / "postgres.log",
            user=self._layout.user,
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
        )

    def _initialise(self, programs: Path) -> None:
        """Into a folder of another name first, so that a killed initdb leaves nothing that looks like a cluster."""
        for left in self._layout.home.glob("postgres.new-*"):
            shutil.rmtree(left, ignore_errors=True)
        fresh = self._layout.home / f"postgres.new-{time.time_ns()}"
        fresh.mkdir(mode=0o700)
        if self._layout.user is not None:
            os.chown(fresh, self._layout.user.uid, self._layout.user.gid)
        child = Child(self._initdb(programs, fresh))
        if child.result(120) != 0:
            raise EmbeddedError(f"initdb failed\n{child.log_tail()}")
        fresh.replace(self._layout.postgres)

    def _initdb(self, programs: Path, target: Path) -> Command:
        argv = [str(programs / "initdb"), "-D", str(target), "-U", "postgres", "--auth=trust", "--encoding=UTF8"]
        argv += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions"]
        argv += ["--no-sync"] if self._layout.temporary else []
        return Command(argv, environment.server(os.environ), self._layout.logs / "initdb.log", user=self._layout.user)

    def _make_database(self, connection: psycopg.Connection) -> None:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self._database]).fetchone()
        if found is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self._database)))
        self._has_database = True


def _refuse_nameless_user() -> None:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise EmbeddedError(
            f"user id {os.geteuid()} has no name on this system, which Postgres demands; "
            "run a PostgreSQL server and set FLUMES_DATABASE_URL"
        ) from None


def _refuse_other_version(data: Path) -> None:
    found = (data / "PG_VERSION").read_text(encoding="ascii").strip()
    if found != _MAJOR:
        raise EmbeddedError(
            f"{data} was written by PostgreSQL {found}, installed is {_MAJOR}; dump it with {found} first"
        )
