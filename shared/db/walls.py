"""Row-level security: raised over every table that has a tenant, with the roles and grants work is done in.

Safe to repeat; `migrate` runs it after the migrations, so that a new table has its wall before anything writes to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import psycopg
import sqlalchemy as sa
from psycopg import sql

from shared.db.tenancy import SETTING, Role
from shared.logs import get_logger

TENANT = "flumes_tenant"  # the policy of one tenant
ACROSS = "flumes_across"  # the policy of the paths
# An unset setting is NULL, one that was set in an earlier transaction of the connection is '': both name no tenant.
PREDICATE = f"{{}} = nullif(current_setting('{SETTING}', true), '')::uuid"

_ALL = "SELECT, INSERT, UPDATE, DELETE"
# What each path may do across tenants; a table that is not named is closed to it.
PATHS: dict[Role, dict[str, str]] = {
    Role.QUEUE: {
        "scopes": "SELECT, UPDATE",
        "events": "SELECT",
        "index_queue": "SELECT",
        "idempotency_keys": "SELECT, DELETE",
        "imports": "SELECT",
        "import_lines": "SELECT",
        "webhooks": "SELECT",
        "webhook_deliveries": "SELECT, UPDATE, DELETE",
    },
    Role.INDEX: {
        "memories": "SELECT",
        "memory_vectors": "SELECT, INSERT, UPDATE",
        "index_queue": _ALL,
        "erasures": "SELECT, UPDATE",
    },
    Role.KEYS: {"api_keys": "SELECT", "projects": "SELECT"},
    Role.OPERATOR: {
        "api_keys": _ALL,
        "projects": _ALL,
        "project_usage": "SELECT",
        "erasures": "SELECT",
    },
}
# Tables without a tenant: what the paths need of them. The tenant's role may read and write them all.
_SHARED: dict[Role, dict[str, str]] = {
    Role.QUEUE: {"breakers": "SELECT"},
    Role.INDEX: {"index_collections": _ALL, "capabilities": "SELECT"},
}
_READ_ONLY = ("alembic_version", "index_collections")
_CLOSED = ("api_keys",)  # never read on behalf of a tenant
_CHANGED_ONLY = {"projects": "SELECT, UPDATE"}

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    tenant: str | None  # the column that names the tenant
    guarded: bool  # row-level security is on


def raise_walls(connection: sa.Connection) -> None:
    """The tenants' policy, then row-level security, on every table that has a tenant and lacks them.

    Each statement locks its table for a moment: on a connection that commits by itself never two at once.
    """
    have = _policies(connection)
    for table in _tables(connection):
        if table.tenant is None:
            continue
        if (table.name, TENANT) not in have:
            rule = PREDICATE.format(table.tenant)
            connection.execute(sa.text(f'CREATE POLICY {TENANT} ON "{table.name}" USING ({rule})'))
        if not table.guarded:
            connection.execute(sa.text(f'ALTER TABLE "{table.name}" ENABLE ROW LEVEL SECURITY'))


def lower_walls(connection: sa.Connection) -> None:
    """Back to how it was before; the roles stay, for other databases may use them."""
    for name, policy in _policies(connection):
        connection.execute(sa.text(f'DROP POLICY {policy} ON "{name}"'))
    for table in _tables(connection):
        if table.guarded:
            connection.execute(sa.text(f'ALTER TABLE "{table.name}" DISABLE ROW LEVEL SECURITY'))


def settle(connection: sa.Connection, runtime_url: str | None = None) -> bool:
    """Walls, roles, grants and, when the service logs in as another role than this connection, that role.

    The connection commits by itself.

    False when the roles are not there and may not be made: then the walls stand open to the tables' owner.
    """
    raise_walls(connection)
    if not _make_roles(connection):
        _log.warning("roles_missing", roles=[role.value for role in Role], why="CREATEROLE is needed to make them")
        return False
    _grant(connection, _tables(connection))
    _admit(connection, runtime_url)
    return True


def _tables(connection: sa.Connection) -> list[_Table]:
    rows = connection.execute(
        sa.text(
            """
            SELECT c.relname AS name, c.relrowsecurity AS guarded,
                   CASE WHEN c.relname = 'projects' THEN 'id'
                        WHEN EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'project_id'
                                     AND NOT a.attisdropped) THEN 'project_id' END AS tenant
            FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
            ORDER BY c.relname
            """
        )
    )
    return [_Table(row.name, row.tenant, row.guarded) for row in rows]


def _policies(connection: sa.Connection) -> dict[tuple[str, str], list[str]]:
    """Which of our policies stand on which table, and for which roles."""
    rows = connection.execute(
        sa.text(
            "SELECT tablename, policyname, roles::text[] AS roles FROM pg_policies"
            " WHERE schemaname = current_schema() AND policyname IN (:tenant, :across)"
        ),
        {"tenant": TENANT, "across": ACROSS},
    )
    return {(row.tablename, row.policyname): sorted(row.roles) for row in rows}


_MAKE_ROLE = """
    DO $$ BEGIN
        CREATE ROLE {role} NOLOGIN NOINHERIT;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; -- another database of this cluster was faster
    END $$
"""


def _make_roles(connection: sa.Connection) -> bool:
    """The roles belong to the cluster: made once, by whoever comes first."""
    names = [role.value for role in Role]
    there = set(connection.scalars(sa.text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:n)"), {"n": names}))
    may = connection.scalar(sa.text("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user"))
    missing = [name for name in names if name not in there]
    if missing and not may:
        return False
    for name in missing:
        connection.execute(sa.text(_MAKE_ROLE.format(role=name)))
    return True


def _grant(connection: sa.Connection, tables: list[_Table]) -> None:
    schema = connection.scalar(sa.text("SELECT quote_ident(current_schema())"))
    roles = ", ".join(Role)
    words = [f"GRANT USAGE ON SCHEMA {schema} TO {roles}"]
    words += [f'GRANT {_app_rights(table)} ON "{table.name}" TO {Role.APP}' for table in tables if _app_rights(table)]
    names = {table.name for table in tables}
    for path, rights in (*PATHS.items(), *_SHARED.items()):
        words += [f'GRANT {given} ON "{name}" TO {path}' for name, given in rights.items() if name in names]
    for statement in (*words, *_paths(connection, names)):
        connection.execute(sa.text(statement))


def _paths(connection: sa.Connection, names: set[str]) -> Iterator[str]:
    """The policies of the paths, where they are not as they should be: each costs its table a lock."""
    have = _policies(connection)
    for name in sorted({name for rights in PATHS.values() for name in rights} & names):
        among = sorted(path.value for path, rights in PATHS.items() if name in rights)
        if (name, ACROSS) not in have:
            yield f'CREATE POLICY {ACROSS} ON "{name}" TO {", ".join(among)} USING (true)'
        elif have[name, ACROSS] != among:
            yield f'ALTER POLICY {ACROSS} ON "{name}" TO {", ".join(among)}'


def _app_rights(table: _Table) -> str:
    if table.name in _CLOSED:
        return ""
    if table.name in _READ_ONLY:
        return "SELECT"
    return _CHANGED_ONLY.get(table.name, _ALL)


def _admit(connection: sa.Connection, runtime_url: str | None) -> None:
    """Let the role the service logs in as take each of the roles; it inherits none of their rights."""
    me, almighty = connection.execute(
        sa.text("SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user")
    ).one()
    login = unquote(urlsplit(runtime_url).username or "") if runtime_url else ""
    if not login or login == me:
        login = me
        if almighty:
            return
    else:
        _make_login(connection, login, unquote(urlsplit(runtime_url or "").password or ""))
    # Since PostgreSQL 16 whoever makes a role is its member without the right to take it.
    kind = "SET" if (connection.dialect.server_version_info or (0,)) >= (16,) else "MEMBER"
    for role in Role:
        member = sa.text("SELECT pg_has_role(:login, :role, :kind)")
        if role != login and not connection.scalar(member, {"login": login, "role": role.value, "kind": kind}):
            name = sql.Identifier(login).as_string()
            connection.execute(sa.text(f"GRANT {role} TO {name}"))


def _make_login(connection: sa.Connection, login: str, password: str) -> None:
    """A role that may log in and nothing else; its password is the one the service was given."""
    there = connection.scalar(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :n"), {"n": login})
    words = sql.SQL("{verb} ROLE {name} LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE").format(
        verb=sql.SQL("ALTER" if there else "CREATE"), name=sql.Identifier(login)
    )
    if password:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)  # noqa: S101 - the only driver there is
        verifier = driver.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256")
        words += sql.SQL(" PASSWORD {}").format(sql.Literal(verifier.decode()))
    connection.exec_driver_sql(words.as_string())
