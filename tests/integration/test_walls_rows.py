"""The second wall: what Postgres itself refuses, whatever a query forgot to say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.exc import ProgrammingError

from shared.db import events, index_collections, index_queue, keys, memories, migrate, scopes, tenancy, usage, walls
from shared.db.engine import ApiDatabase, Database, Session
from shared.db.memories import Page
from shared.db.tables import metadata
from shared.db.tenancy import Role
from shared.model.record import Usage
from shared.model.scope import ScopeIds, ScopeRef
from tests import factories
from tests.stack import PEPPER, Stack

OPEN = {"alembic_version", "breakers", "capabilities", "index_collections"}  # nobody's rows


@pytest.fixture
def walled(database_url: str) -> Iterator[Database]:
    """The database as the service sees it: one connection, so that what one transaction leaves the next one finds."""
    database = Database(database_url, pool_size=1, name="walled", walls=True)
    yield database
    database.close()


@pytest.fixture
def tenants(db: Database) -> tuple[UUID, UUID]:
    """Two projects with a memory, a key, spend and pending work each."""
    db.run(lambda session: index_collections.ensure(session, index_collections.BM25_ONLY, "flumes-bm25-1"))
    ids = tuple(factories.project(db, name).id for name in ("one", "two"))
    for project_id in ids:
        factories.post(db, project_id, "kept as it is", infer=False)
        factories.post(db, project_id, "to be worked on")
        db.run(lambda session, project_id=project_id: keys.create(session, project_id, PEPPER))  # type: ignore[misc]
        db.run(lambda session, project_id=project_id: usage.add(session, project_id, Usage(calls=1)))  # type: ignore[misc]
    return ids[0], ids[1]


def _tenant_tables(db: Database) -> list[tuple[str, str]]:
    """(table, column of the tenant) of the database as it is, not as the code thinks."""
    found = factories.rows(
        db,
        "SELECT table_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND column_name = 'project_id'",
    )
    return [("projects", "id"), *((row["table_name"], "project_id") for row in found)]


def _seen(db: Database, tables: list[tuple[str, str]]) -> dict[str, set[UUID]]:
    """Whose rows each table shows; tables closed to the role are left out."""
    seen: dict[str, set[UUID]] = {}
    for name, column in tables:
        words = sa.text(f'SELECT {column} FROM "{name}"')
        try:
            with db.transaction() as session:
                seen[name] = set(session.scalars(words))
        except ProgrammingError:
            continue
    return seen


def test_every_table_stands_behind_the_wall(db: Database) -> None:
    """A new table with a tenant has its policy after `migrate`, or this says so; all others are known by name."""
    flags = factories.rows(
        db,
        "SELECT c.relname AS name, c.relrowsecurity AS guarded, p.polname AS policy FROM pg_class c"
        " LEFT JOIN pg_policy p ON p.polrelid = c.oid AND p.polname = 'flumes_tenant'"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'",
    )
    guarded = {row["name"] for row in flags if row["guarded"] and row["policy"]}

    assert guarded == {name for name, _ in _tenant_tables(db)}
    assert {row["name"] for row in flags} - guarded <= OPEN
    assert set(metadata.tables) <= guarded | OPEN


def test_the_roles_own_nothing_and_bypass_nothing(db: Database) -> None:
    """No owner, no superuser, no BYPASSRLS, no login, and none inherits another's rights."""
    found = factories.rows(
        db,
        "SELECT r.*, EXISTS (SELECT 1 FROM pg_class c WHERE c.relowner = r.oid) AS owns FROM pg_roles r"
        " WHERE r.rolname LIKE 'flumes\\_%%'",
    )

    assert {row["rolname"] for row in found} >= {role.value for role in Role}
    for row in found:
        powers = ("rolsuper", "rolbypassrls", "rolcreaterole", "rolcreatedb", "rolinherit", "owns")
        assert not any(row[power] for power in powers), row


def test_without_a_tenant_there_are_no_rows(db: Database, walled: Database, tenants: tuple[UUID, UUID]) -> None:
    """Nothing said: every table is empty, before and after the connection served a tenant."""
    tables = _tenant_tables(db)
    filled = {name for name, rows in _seen(db, tables).items() if rows}
    before = _seen(walled, tables)
    with tenancy.tenant(tenants[0]):
        assert _seen(walled, [("memories", "project_id")]) == {"memories": {tenants[0]}}
    after = _seen(walled, tables)

    assert len(filled) >= 11
    assert set(before) == {name for name, _ in tables} - {"api_keys"}
    assert not any(before.values())
    assert not any(after.values())


def test_a_query_without_a_filter_sees_one_tenant(db: Database, walled: Database, tenants: tuple[UUID, UUID]) -> None:
    """The same query the other way round: what the first wall forgot, the second holds."""
    filled = {name for name, rows in _seen(db, _tenant_tables(db)).items() if rows} - {"api_keys"}
    with tenancy.tenant(tenants[0]):
        seen = _seen(walled, _tenant_tables(db))

    assert {name: seen[name] for name in filled} == {name: {tenants[0]} for name in filled}


def test_a_write_without_a_filter_touches_one_tenant(
    db: Database, walled: Database, tenants: tuple[UUID, UUID]
) -> None:
    """UPDATE and DELETE find only the tenant's rows; an INSERT or a move into another tenant is an error."""
    mine, foreign = tenants

    def run(statement: str, **values: Any) -> int:
        with tenancy.tenant(mine):
            return int(walled.run(lambda session: session.execute(sa.text(statement), values).rowcount))  # type: ignore[attr-defined]

    assert run("UPDATE memories SET weight = 3") == 1
    assert run("DELETE FROM idempotency_keys") == 0
    assert run("DELETE FROM memory_sources") == 1
    with pytest.raises(ProgrammingError, match="row-level security"):
        run("INSERT INTO scopes (project_id, id) VALUES (:p, :i)", p=foreign, i=uuid4())
    with pytest.raises(ProgrammingError, match="row-level security"):
        run("UPDATE scopes SET project_id = :p", p=foreign)
    assert factories.rows(db, "SELECT weight FROM memories WHERE project_id = %s", foreign) == [{"weight": 2}]
    assert len(factories.rows(db, "SELECT 1 FROM memory_sources WHERE project_id = %s", foreign)) == 1


def test_a_path_reaches_its_tables_and_no_other(db: Database, walled: Database, tenants: tuple[UUID, UUID]) -> None:
    """Each path sees all tenants in the tables it names; everything else, all text but the index's, is closed."""
    both = set(tenants)
    for role, rights in walls.PATHS.items():
        with tenancy.across(role):
            seen = _seen(walled, _tenant_tables(db))
        assert set(seen) == set(rights) & {name for name, _ in _tenant_tables(db)}, role
        assert {name for name, rows in seen.items() if rows not in (both, set())} == set(), role
    texts = {"messages", "event_payloads", "memory_versions", "memory_sources", "memory_exports", "memory_feedback"}
    assert not texts & {name for rights in walls.PATHS.values() for name in rights}
    assert [role for role, rights in walls.PATHS.items() if "memories" in rights] == [Role.INDEX]


def test_two_callers_take_turns_on_one_server_connection(walled: Database, tenants: tuple[UUID, UUID]) -> None:
    """As behind a transaction pooler: tenant, path and nobody by turns, and each sees its own."""

    def seen() -> set[UUID]:
        return _seen(walled, [("scopes", "project_id")])["scopes"]

    for _ in range(3):
        with tenancy.tenant(tenants[0]):
            assert seen() == {tenants[0]}
        with tenancy.across(Role.QUEUE):
            assert seen() == set(tenants)
        with tenancy.tenant(tenants[1]):
            assert seen() == {tenants[1]}
        assert seen() == set()


async def _of_a_request(database: ApiDatabase, project_id: UUID) -> set[UUID]:
    tenancy.become(project_id)
    return set(await database.run(lambda session: session.scalars(sa.text("SELECT project_id FROM memories")).all()))


def test_requests_at_once_do_not_mix(database_url: str, tenants: tuple[UUID, UUID]) -> None:
    """Forty tasks on two connections of the asynchronous side: each is its own tenant's."""
    import asyncio

    async def all_at_once() -> list[set[UUID]]:
        database = ApiDatabase(database_url, pool_size=2)
        try:
            return await asyncio.gather(
                *(asyncio.create_task(_of_a_request(database, tenants[turn % 2])) for turn in range(40))
            )
        finally:
            await database.close()

    assert asyncio.run(all_at_once()) == [{tenants[turn % 2]} for turn in range(40)]


def test_the_tenant_travels_with_the_begin(walled: Database, tenants: tuple[UUID, UUID]) -> None:
    """A transaction of one query is three messages to the server, with the walls as without them."""
    sent: list[str] = []
    sa.event.listen(walled.engine, "before_cursor_execute", lambda _c, _u, statement, *_: sent.append(statement))
    with tenancy.tenant(tenants[0]):
        walled.run(lambda session: session.execute(sa.text("SELECT 1")))

    assert sent == [
        f"BEGIN; SET LOCAL ROLE flumes_app; SET LOCAL flumes.project_id = '{tenants[0]}'", "SELECT 1",
    ]  # fmt: skip


def test_a_login_of_its_own_can_do_nothing_but_take_the_roles(stack: Stack, tenants: tuple[UUID, UUID]) -> None:
    """`migrate` as the owner makes the role the service logs in as; again, it changes nothing."""
    owner = stack.new_database(migrated=False)
    login = f"flumes_login_{uuid4().hex[:8]}"
    runtime = owner.replace("//postgres@", f"//{login}:secret@")
    try:
        for _ in range(2):
            migrate.upgrade(owner, runtime)
        maker = Database(owner, pool_size=1)
        project_id = factories.project(maker).id
        factories.post(maker, project_id, "kept", infer=False)
        service = Database(runtime, pool_size=1, walls=True)
        with tenancy.tenant(project_id):
            assert _seen(service, [("memories", "project_id")]) == {"memories": {project_id}}
        with tenancy.across(Role.QUEUE):
            assert service.run(scopes.due_lanes) == (False, False)
        with psycopg.connect(runtime) as bare, pytest.raises(psycopg.errors.InsufficientPrivilege):
            bare.execute("SELECT * FROM memories")
        service.close()
        maker.close()
    finally:
        stack.drop_database(owner)
        with psycopg.connect(stack.postgres.url, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(login)))


def test_an_older_release_goes_on_while_the_walls_are_raised(stack: Stack) -> None:
    """Expand: tables of before, then the walls; the owner, as who it logs in, notices nothing."""
    url = stack.new_database()
    database = Database(url, pool_size=2)
    try:
        with database.engine.begin() as connection:
            walls.lower_walls(connection)
        project_id = factories.project(database).id
        assert _flagged(database) == 0
        migrate.upgrade(url)
        factories.post(database, project_id, "written by the release before", infer=False)

        assert _flagged(database) >= 15
        assert factories.column(database, "SELECT text FROM memories") == ["written by the release before"]
    finally:
        database.close()
        stack.drop_database(url)


def _flagged(db: Database) -> int:
    return len(factories.rows(db, "SELECT 1 FROM pg_class WHERE relrowsecurity"))


_HOT: dict[str, Callable[[Session, UUID], object]] = {
    "a memory by id": lambda session, p: memories.get(session, p, uuid4()),
    "an event by id": lambda session, p: events.get(session, p, uuid4()),
    "a list": lambda session, p: memories.newest(session, p, ScopeIds(user_id="alex"), Page(5)),
    "texts known": lambda session, p: memories.by_hashes(session, ScopeRef(p, uuid4()), [b"x"]),
    "the scope's lock": lambda session, p: scopes.lock(session, ScopeRef(p, uuid4())),
    "what the index still lacks": lambda session, p: index_queue.reached(session, ScopeRef(p, uuid4()), [uuid4()]),
    "events of a project": lambda session, p: events.feed(session, p, limit=5),
}


@pytest.mark.parametrize("query", sorted(_HOT))
def test_plans_keep_their_indexes(db: Database, walled: Database, tenants: tuple[UUID, UUID], query: str) -> None:
    """Behind the walls each hot query walks the same indexes as without them, and none is read row by row."""
    with tenancy.tenant(tenants[0]):
        behind = _indexes(walled, tenants[0], query)

    assert behind
    assert behind == _indexes(db, tenants[0], query)


def _indexes(database: Database, project_id: UUID, query: str) -> list[str]:
    """The scans of the plans of all statements of a query."""
    sent: list[tuple[str, Any]] = []

    def note(_c: Any, _u: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().startswith(("SELECT", "WITH", "UPDATE")):
            sent.append((statement, parameters))

    sa.event.listen(database.engine, "before_cursor_execute", note)
    try:
        database.run(lambda session: _HOT[query](session, project_id))
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", note)
    with database.transaction() as session:
        session.execute(sa.text("SET LOCAL enable_seqscan = off"))  # the tables of a test are too small for an index
        connection = session.connection()
        plans = [
            connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {words}", values).scalar_one() for words, values in sent
        ]
    return [scan for plan in plans for scan in _scans(plan[0]["Plan"])]


def _scans(node: dict[str, Any]) -> Iterator[str]:
    if "Scan" in node["Node Type"] and "Relation Name" in node:
        yield f"{node['Node Type']} {node.get('Index Name')}"
    for child in node.get("Plans", ()):
        yield from _scans(child)
