"""`flumes limit`: what a project may spend at the providers, and what it has spent."""

from __future__ import annotations

from dataclasses import dataclass

import typer

from cli.connect import services
from shared.db import projects, spend, tenancy
from shared.db.engine import Database, Session
from shared.db.projects import Project
from shared.db.spend import Ceilings, Spent
from shared.errors import NotFound
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command was given; None = leave as it is. `default`: drop the project's own ceilings."""

    project: str
    day: int | None
    month: int | None
    default: bool


def run(settings: Settings, asked: Asked) -> None:
    """Change what was given, then show how things stand. Raises `NotFound` for an unknown project."""
    with services(settings, index=False) as told:
        database = Database(told.database_url, pool_size=2, name="flumes-limit", walls=True)
        try:
            project = _project(database, asked.project)
            with tenancy.tenant(project.id):
                ceilings, spent = database.run(lambda session: _work(session, told, project, asked))
        finally:
            database.close()
    _line("today (UTC)", spent.day, ceilings.day)
    _line("this month", spent.month, ceilings.month)
    if spent.pause(ceilings) > 0:
        typer.secho(f"at its ceiling: work waits {spent.pause(ceilings) / 3600:.1f} h, or until it is raised", fg="red")


def _project(database: Database, name: str) -> Project:
    with tenancy.across(tenancy.Role.OPERATOR):
        found = database.run(lambda session: projects.by_name(session, name))
    if found is None:
        raise NotFound(f"there is no project {name}", code="project_not_found", field="project")
    return found


def _work(session: Session, settings: Settings, found: Project, asked: Asked) -> tuple[Ceilings, Spent]:
    own = found.settings
    if asked.default:
        spend.set_ceilings(session, found.id, None, None)
    elif asked.day is not None or asked.month is not None:
        day = own.get("tokens_per_day") if asked.day is None else asked.day
        month = own.get("tokens_per_month") if asked.month is None else asked.month
        spend.set_ceilings(session, found.id, day, month)
    changed = projects.get(session, found.id) or found
    defaults = Ceilings(settings.tokens_per_day, settings.tokens_per_month)
    lapse = settings.attempt_deadline + settings.lease
    return Ceilings.of(changed.settings, defaults), spend.spent(session, found.id, lapse=lapse)


def _line(period: str, spent: int, ceiling: int) -> None:
    typer.echo(f"{period:<12} {spent:>14,} of {f'{ceiling:,}' if ceiling else 'no ceiling'} tokens")
