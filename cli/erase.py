"""`flumes erase` and `flumes erasures`: remove for good what belongs to a person, and show the receipts."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from cli.embedded.errors import EmbeddedError
from cli.terminal import DataDir, load_settings, plain_errors

if TYPE_CHECKING:
    from shared.db.engine import Database, Session
    from shared.db.erasure import Erased
    from shared.db.erasures import Receipt
    from shared.db.projects import Project
    from shared.model.scope import ScopeIds
    from shared.model.seal import Seal
    from shared.settings import Settings

_KEY_REMEMBERED = 5.0  # seconds in which an API process may still take a key that was revoked

ProjectName = Annotated[str, typer.Option(help="Project (tenant) it belongs to.")]
UserId = Annotated[str | None, typer.Option(help="Everything of this user.")]
AgentId = Annotated[str | None, typer.Option(help="Everything of this agent.")]
AppId = Annotated[str | None, typer.Option(help="Everything of this app.")]
RunId = Annotated[str | None, typer.Option(help="Everything of this run.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Exactly one of these is to be erased; several ids together mean what bears them all."""

    ids: ScopeIds
    memory: UUID | None
    event: UUID | None
    whole_project: bool

    @property
    def words(self) -> str:
        if self.whole_project:
            return "the whole project, its keys included"
        if self.memory or self.event:
            return f"memory {self.memory}" if self.memory else f"event {self.event}"
        return "everything of " + ", ".join(f"{name} {value}" for name, value in self.ids.given().items())


class _NotForReal(Exception):
    """Ends a dry run's transaction without effect."""


def erase(  # noqa: PLR0913, PLR0917 - the options of the command
    user_id: UserId = None,
    agent_id: AgentId = None,
    app_id: AppId = None,
    run_id: RunId = None,
    memory: Annotated[
        str | None, typer.Option(help="Id of one memory: with its history and the messages behind it.")
    ] = None,
    event: Annotated[str | None, typer.Option(help="Id of one event: with what its messages became.")] = None,
    project: ProjectName = "default",
    whole_project: Annotated[bool, typer.Option("--whole-project", help="Everything of the project.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    compact: Annotated[
        bool,
        typer.Option("--compact", help="Afterwards write tables and index anew, so that no file holds a trace."),
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Erase for good what belongs to a user, agent, app or run, one memory, one event, or a whole project.

    Memories with their versions, sources and vectors, raw messages, what events held, idempotency keys, feedback and
    exports that name it go in one transaction; nothing that is queued or retried brings them back. API keys bound to
    the user or agent are revoked. What stays is a receipt in numbers, found again by `flumes erasures`.
    """
    with plain_errors():
        wanted = _wanted(user_id, agent_id, app_id, run_id, memory, event, whole_project)
        with _opened(load_settings(data_dir=data_dir), index=compact) as (settings, database, seal):
            found = _project(database, project)
            counts = _tried(database, found, wanted, seal)
            if not as_json:
                _show(f"{wanted.words} (project {project})", counts)
            if dry_run:
                _print(as_json, {"dry_run": True, "counts": counts}, "nothing was erased: this was a dry run")
                return
            if not yes and not typer.confirm("Erase this for good?", default=False, err=True):
                raise EmbeddedError("nothing was erased")
            _retire(database, found, wanted, seal)
            receipt = _erased(database, found, wanted, seal)
            if compact:
                _compact(settings)
            _tell(receipt, as_json=as_json)


def erasures(  # noqa: PLR0913, PLR0917 - the options of the command
    user_id: UserId = None,
    agent_id: AgentId = None,
    app_id: AppId = None,
    run_id: RunId = None,
    memory: Annotated[str | None, typer.Option(help="Id of a memory.")] = None,
    event: Annotated[str | None, typer.Option(help="Id of an event.")] = None,
    project: ProjectName = "default",
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Was it erased? The receipts of erasures that named exactly this; without a name, the newest of the project."""
    with plain_errors():
        from shared.model.scope import ScopeIds

        named = ScopeIds(user_id, agent_id, app_id, run_id).given()
        named |= {name: value for name, value in (("memory", memory), ("event", event)) if value}
        with _opened(load_settings(data_dir=data_dir), index=False) as (_, database, seal):
            found = _receipts(database, project, named, seal)
        if as_json:
            typer.echo(json.dumps([_record(receipt) for receipt in found]))
            return
        for receipt in found:
            _show(f"{receipt.id}  {receipt.at:%Y-%m-%d %H:%M} UTC  {_title(receipt)}", dict(receipt.counts))
        if not found:
            typer.echo("no such erasure")


def _wanted(
    user_id: str | None,
    agent_id: str | None,
    app_id: str | None,
    run_id: str | None,
    memory: str | None,
    event: str | None,
    whole_project: bool,
) -> _Wanted:
    from shared.model.scope import ScopeIds

    ids = ScopeIds(user_id, agent_id, app_id, run_id)
    if sum((bool(ids.given()), memory is not None, event is not None, whole_project)) != 1:
        raise EmbeddedError("name what to erase: ids (--user-id …), --memory, --event or --whole-project, one of them")
    return _Wanted(ids, _uuid("memory", memory), _uuid("event", event), whole_project)


def _uuid(option: str, text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError:
        raise EmbeddedError(f"--{option} takes an id like 0199b1f2-7c1e-7a10-8a55-0d2f6c1b9e77") from None


@contextmanager
def _opened(settings: Settings, *, index: bool) -> Iterator[tuple[Settings, Database, Seal]]:
    from cli.connect import services
    from shared.db.engine import Database
    from shared.model.seal import Seal

    with services(settings, index=index) as told:
        pepper = told.key_pepper.get_secret_value()
        if not pepper:
            raise EmbeddedError("set FLUMES_KEY_PEPPER to the value the API runs with")
        database = Database(told.database_url, pool_size=2, name="flumes-erase", walls=True)
        try:
            yield told, database, Seal(pepper)
        finally:
            database.close()


def _project(database: Database, name: str) -> Project:
    from shared.db import projects, tenancy
    from shared.errors import NotFound

    with tenancy.across(tenancy.Role.OPERATOR):
        found = database.run(lambda session: projects.by_name(session, name))
    if found is None:
        raise NotFound(f"there is no project {name}", code="project_not_found", field="project")
    return found


def _work(session: Session, project: Project, wanted: _Wanted, seal: Seal) -> Erased:
    """The erasure itself, in the caller's transaction."""
    from shared.db import erasure

    erasure.take_time(session)
    if wanted.memory:
        return erasure.erase_memory(session, project.id, wanted.memory, seal=seal)
    if wanted.event:
        return erasure.erase_event(session, project.id, wanted.event, seal=seal)
    if wanted.whole_project:
        return erasure.erase_project(session, project.id, project.name, seal=seal)
    return erasure.delete_all(session, project.id, wanted.ids, scope_key=project.scope_key, seal=seal)


def _tried(database: Database, project: Project, wanted: _Wanted, seal: Seal) -> dict[str, int]:
    """What would go, found by doing it and taking it back."""
    from shared.db import tenancy

    counts: dict[str, int] = {}

    def work(session: Session) -> None:
        counts.update(_work(session, project, wanted, seal).counts)
        raise _NotForReal

    with tenancy.tenant(project.id), suppress(_NotForReal):
        database.run(work)
    return counts


def _retire(database: Database, project: Project, wanted: _Wanted, seal: Seal) -> None:
    """Keys bound to what goes are revoked. For a whole project wait until no API process takes one any more."""
    from shared.db import erasure, keys, tenancy

    def all_of_project(session: Session) -> int:
        return sum(keys.revoke(session, key.public_id) for key in keys.listing(session, project.id))

    with tenancy.across(tenancy.Role.OPERATOR):
        if wanted.whole_project and database.run(all_of_project):
            time.sleep(_KEY_REMEMBERED)
        database.run(lambda session: erasure.retire_keys(session, project.id, wanted.ids, seal=seal))


def _erased(database: Database, project: Project, wanted: _Wanted, seal: Seal) -> Receipt:
    from shared.db import erasure, tenancy
    from shared.db import erasures as receipts

    with tenancy.tenant(project.id):
        erased = database.run(lambda session: _work(session, project, wanted, seal))
        receipt = database.run(lambda session: receipts.get(session, project.id, erased.event_id))
    assert receipt is not None  # noqa: S101 - written with the erasure
    if wanted.whole_project:
        with tenancy.across(tenancy.Role.OPERATOR):
            database.run(lambda session: erasure.drop_project(session, project.id))
    return receipt


def _compact(settings: Settings) -> None:
    from shared.db.compaction import compact
    from shared.db.engine import Database
    from workers import maintenance

    maintenance.rebuild(settings)
    owner = Database(settings.database_url, pool_size=1, name="flumes-compact")
    try:
        compact(owner)
    finally:
        owner.close()


def _tell(receipt: Receipt, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_record(receipt)))
        return
    typer.secho(f"erased; receipt {receipt.id}", fg="green")
    if receipt.state == "pending":
        typer.echo(f"{receipt.waiting} points leave the vector index as soon as a worker runs and the index is there")


def _receipts(database: Database, name: str, named: dict[str, str], seal: Seal) -> list[Receipt]:
    """Those that named this; of a project that is there, or of one that was erased."""
    from shared.db import erasure, projects, tenancy
    from shared.db import erasures as receipts

    def ids(session: Session) -> list[UUID]:
        found = projects.by_name(session, name)
        gone = receipts.of_projects(session, erasure.project_subject(seal, name))
        return [found.id, *gone] if found else gone

    listed: list[Receipt] = []
    with tenancy.across(tenancy.Role.OPERATOR):
        known = database.run(ids)
    for project_id in known:
        with tenancy.tenant(project_id):
            listed += database.run(lambda session, own=project_id: _of_project(session, own, named, seal))  # type: ignore[misc]
    return listed


def _of_project(session: Session, project_id: UUID, named: dict[str, str], seal: Seal) -> list[Receipt]:
    from shared.db import erasures as receipts

    receipts.complete(session, project_id)
    if not named:
        return receipts.newest(session, project_id)
    return receipts.of_subject(session, project_id, seal.subject(project_id, named))


def _record(receipt: Receipt) -> dict[str, Any]:
    return {
        "id": str(receipt.id), "what": receipt.what, "named": list(receipt.names), "counts": dict(receipt.counts),
        "state": receipt.state, "waiting_points": receipt.waiting, "erased_at": receipt.at.isoformat(),
    }  # fmt: skip


def _title(receipt: Receipt) -> str:
    return f"{', '.join(receipt.names) or receipt.what} ({receipt.state})"


def _show(title: str, counts: dict[str, int]) -> None:
    typer.secho(title, bold=True)
    told = [(kind.replace("_", " "), number) for kind, number in sorted(counts.items()) if number]
    for kind, number in told:
        typer.echo(f"  {number:>8,}  {kind}")
    if not told:
        typer.echo("  nothing")


def _print(as_json: bool, record: dict[str, Any], words: str) -> None:
    typer.echo(json.dumps(record) if as_json else words)
