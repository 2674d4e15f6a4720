"""`flumes usage`: what each project spent at the providers, by day."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from cli.connect import services
from shared.db import tenancy, usage
from shared.db.engine import Database
from shared.settings import Settings

_COLUMNS = ("calls", "prompt_tokens", "completion_tokens", "cached_tokens", "embedding_calls", "embedding_tokens")


def show(settings: Settings, *, days: int, project: str | None) -> None:
    """Print a table, newest day first."""
    with services(settings, index=False) as told:
        database = Database(told.database_url, pool_size=2, name="flumes-usage", walls=True)
        try:
            with tenancy.across(tenancy.Role.OPERATOR):
                spent = database.run(lambda session: usage.by_day(session, days, project))
        finally:
            database.close()
    table = Table("day (UTC)", "project", *(name.replace("_", " ") for name in _COLUMNS))
    for row in spent:
        table.add_row(str(row.day), row.project, *(f"{getattr(row.usage, name):,}" for name in _COLUMNS))
    Console(highlight=False).print(table if spent else f"nothing was spent in the last {days} days")
