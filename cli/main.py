"""The `flumes` command. Each command imports what it needs when it runs, so that `--help` answers at once."""

from __future__ import annotations

from typing import Annotated

import typer

from cli import erase, import_jobs, keys
from cli.terminal import DataDir, load_settings, plain_errors

app = typer.Typer(
    name="flumes",
    help="A memory service that never loses an accepted message.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(keys.app, name="keys")
app.command()(erase.erase)
app.command()(erase.erasures)
app.add_typer(import_jobs.app, name="imports")
app.command("import")(import_jobs.import_files)


@app.command()
def up(
    data_dir: DataDir = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on [FLUMES_HOST, 127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, 0 = a free one [FLUMES_PORT, 8000].")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes.")] = 1,
) -> None:
    """Run the whole service on this machine until Ctrl-C: no Docker, no key needed."""
    with plain_errors():
        from cli import up as command

        command.run(load_settings(data_dir=data_dir, host=host, port=port), workers)


@app.command()
def migrate(data_dir: DataDir = None) -> None:
    """Bring the database to the schema of this version; safe to repeat."""
    with plain_errors():
        from cli.connect import services
        from shared.db import migrate as migrations

        asked = load_settings(data_dir=data_dir)
        with services(asked, index=False) as settings:
            migrations.upgrade(settings.database_url, asked.database_url or None)
            typer.echo(f"the database stands at {migrations.head()}")


@app.command()
def verify(
    repair: Annotated[
        bool, typer.Option("--repair", help="Write again what is missing or stale, drop what is extra.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Compare the vector index with Postgres; exit code 1 when they differ."""
    with plain_errors():
        from cli import maintain as command

        if not command.verify(load_settings(data_dir=data_dir), repair=repair):
            raise typer.Exit(1)


@app.command()
def rebuild(data_dir: DataDir = None) -> None:
    """Build the vector index anew from Postgres; searches go on meanwhile."""
    with plain_errors():
        from cli import maintain as command

        if not command.rebuild(load_settings(data_dir=data_dir)):
            raise typer.Exit(1)


@app.command()
def reindex(data_dir: DataDir = None) -> None:
    """Move the index to the configured embedding model; workers do it by themselves, this shows the progress."""
    with plain_errors():
        from cli import maintain as command

        if not command.reindex(load_settings(data_dir=data_dir)):
            raise typer.Exit(1)


@app.command()
def usage(
    days: Annotated[int, typer.Option(min=1, help="How many days back.")] = 30,
    project: Annotated[str | None, typer.Option(help="Only this project.")] = None,
    data_dir: DataDir = None,
) -> None:
    """What each project spent at the model's provider: calls and tokens by day."""
    with plain_errors():
        from cli import usage as command

        command.show(load_settings(data_dir=data_dir), days=days, project=project)


@app.command()
def limit(
    tokens_per_day: Annotated[
        int | None, typer.Option(min=0, help="Tokens of a UTC day after which work waits; 0 = no ceiling.")
    ] = None,
    tokens_per_month: Annotated[int | None, typer.Option(min=0, help="The same for a UTC month.")] = None,
    default: Annotated[bool, typer.Option("--default", help="Back to FLUMES_TOKENS_PER_DAY and _MONTH.")] = False,
    project: Annotated[str, typer.Option(help="Project (tenant).")] = "default",
    data_dir: DataDir = None,
) -> None:
    """Set a project's ceilings on tokens, or show them: what is over a ceiling waits, nothing is lost."""
    with plain_errors():
        from cli import limit as command

        asked = command.Asked(project, tokens_per_day, tokens_per_month, default)
        command.run(load_settings(data_dir=data_dir), asked)


@app.command()
def demo(
    llm: Annotated[bool, typer.Option("--llm", help="Use OPENAI_API_KEY and OPENAI_BASE_URL of this shell.")] = False,
) -> None:
    """Watch messages become memories: a service on a temporary folder, gone afterwards."""
    with plain_errors():
        from cli import demo as command

        command.run(llm=llm)


@app.command()
def doctor(
    data_dir: DataDir = None,
    host: Annotated[str | None, typer.Option(help="Address `up` would listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port `up` would listen on.")] = None,
) -> None:
    """Check this machine and the settings, name what is wrong."""
    with plain_errors():
        from cli import doctor as command

        if not command.run(load_settings(data_dir=data_dir, host=host, port=port)):
            raise typer.Exit(1)
