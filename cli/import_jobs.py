"""`flumes import` and `flumes imports`: what can be typed."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.terminal import load_settings, plain_errors

if TYPE_CHECKING:
    from cli.importing.client import Client
    from cli.importing.command import Options

app = typer.Typer(help="Imports on a server: list, show, pause, resume, cancel.", no_args_is_help=True)

Url = Annotated[str, typer.Option(envvar="FLUMES_URL", help="The server.")]
Key = Annotated[str, typer.Option(envvar="FLUMES_API_KEY", help="An API key with the right `ingest`.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON lines for a script instead of bars.")]
_HERE = "http://127.0.0.1:8000"


class Form(StrEnum):
    """As `shared.importing.groups.Format`, which the help must not have to load."""

    auto = "auto"
    flumes = "flumes"
    messages = "messages"
    sharegpt = "sharegpt"
    chatgpt = "chatgpt"
    locomo = "locomo"


class OnError(StrEnum):
    skip = "skip"
    stop = "stop"


def import_files(  # noqa: PLR0913, PLR0917 - a parameter for each option
    files: Annotated[
        list[Path] | None, typer.Argument(help="Logs: .jsonl, .json, .csv, .tsv; also .gz and .zip.")
    ] = None,
    url: Url = _HERE,
    key: Key = "",
    form: Annotated[Form, typer.Option("--format", help="Format of the lines; auto looks at each.")] = Form.auto,
    on_error: Annotated[OnError, typer.Option(help="Skip a bad line, or stop before it.")] = OnError.skip,
    name: Annotated[str | None, typer.Option(help="Go on with the import of this name [from the content].")] = None,
    user_id: Annotated[str | None, typer.Option(help="For lines without one.")] = None,
    agent_id: Annotated[str | None, typer.Option(help="For lines without one.")] = None,
    app_id: Annotated[str | None, typer.Option(help="For lines without one.")] = None,
    run_id: Annotated[str | None, typer.Option(help="For lines without one.")] = None,
    timezone: Annotated[str | None, typer.Option(help="IANA name, of times without an offset.")] = None,
    infer: Annotated[bool, typer.Option(help="No: keep the messages as they are.")] = True,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help="Stop once this many were spent; keep the rest.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would come to; ask nobody.")] = False,
    attach: Annotated[str | None, typer.Option(metavar="ID", help="Follow an import that was begun before.")] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Send all, do not wait for the end.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import logs of other systems; the same command again goes on where it stopped.

    A line is a conversation or a message: a body of POST /v1/memories/ (mem0's too), a list of {role, content,
    timestamp}, ShareGPT, OpenAI's conversations.json, LoCoMo; a CSV has a message a row under named columns.
    Exit code 1 when a line was rejected or its event failed.
    """
    fields: dict[str, Any] = {"user_id": user_id, "agent_id": agent_id, "app_id": app_id, "run_id": run_id,
                              "timezone": timezone}  # fmt: skip
    given = {field: value for field, value in fields.items() if value}
    if not infer:
        given["infer"] = "false"
    with plain_errors():
        from cli.importing.command import Options
        from shared.importing.groups import Format

        options = Options(
            url, key, Format(form.value), on_error.value, name, given, max_tokens, json=as_json, detach=detach
        )
        if not _import(files or [], options, dry=dry_run, attach=attach):
            raise typer.Exit(1)


def _import(files: list[Path], options: Options, *, dry: bool, attach: str | None) -> bool:
    from cli.importing import command

    if bool(files) == bool(attach):
        raise typer.BadParameter("give FILES, or --attach ID")
    if attach:
        return command.attach(attach, options)
    return command.dry_run(files, options, load_settings()) if dry else command.run(files, options)


@app.command("list")
def listing(
    url: Url = _HERE, key: Key = "", limit: Annotated[int, typer.Option(min=1, max=200)] = 20, as_json: AsJson = False
) -> None:
    """The newest imports."""
    with plain_errors():
        from rich.console import Console
        from rich.table import Column, Table

        found = _client(url, key).newest(limit)
        if as_json:
            _print(found)
            return
        table = Table(Column("id", no_wrap=True), "name", "state", "lines", "rejected", "groups", "ended", "failed")
        for job in found:
            table.add_row(*(str(job[name]) for name in ("id", "name", "state", "lines", "rejected", "groups", "ended",
                                                        "failed")))  # fmt: skip
        Console(highlight=False).print(table if found else "no imports yet")


@app.command()
def show(import_id: str, url: Url = _HERE, key: Key = "") -> None:
    """One import, as JSON."""
    with plain_errors():
        _print(_client(url, key).get(import_id))


@app.command()
def pause(import_id: str, url: Url = _HERE, key: Key = "") -> None:
    """Begin nothing more of it; what was begun is finished."""
    _move(import_id, "pause", url, key)


@app.command()
def resume(
    import_id: str,
    url: Url = _HERE,
    key: Key = "",
    max_tokens: Annotated[int | None, typer.Option(min=1, help="A new ceiling, over all it spends.")] = None,
) -> None:
    """Go on with one that was paused or stopped."""
    _move(import_id, "resume", url, key, max_tokens=max_tokens)


@app.command()
def cancel(import_id: str, url: Url = _HERE, key: Key = "") -> None:
    """End it for good; memories it made stay."""
    _move(import_id, "cancel", url, key)


def _move(import_id: str, to: str, url: str, key: str, **query: int | None) -> None:
    with plain_errors():
        job = _client(url, key).move(import_id, to, **query)
        typer.echo(f"{job['name']}: {job['state']}")


def _client(url: str, key: str) -> Client:
    from cli.importing.client import Client

    return Client(url, key, lambda line: typer.echo(line, err=True))


def _print(value: object) -> None:
    import orjson

    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
