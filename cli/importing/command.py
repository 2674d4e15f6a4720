"""`flumes import` from its options to its exit code."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from cli.embedded.errors import EmbeddedError
from cli.importing.client import Client
from cli.importing.dry_run import Counting
from cli.importing.files import identity, open_log
from cli.importing.screen import Screen, write_json
from cli.importing.sending import send
from shared.importing.groups import Format
from shared.settings import Settings

_LOOK = 1.0  # seconds
_ENDED = ("DONE", "STOPPED", "CANCELLED", "PAUSED")


@dataclass(frozen=True, slots=True)
class Options:
    """As typed. `fields`: ids, timezone and infer for lines without their own."""

    url: str
    key: str
    form: Format
    on_error: str
    name: str | None
    fields: dict[str, Any]
    max_tokens: int | None
    json: bool
    detach: bool


def run(paths: Sequence[Path], options: Options) -> bool:
    """Send every file and follow it; False when a line was rejected or an event failed."""
    if options.name and len(paths) > 1:
        raise EmbeddedError("--name is for one file: several would share its line numbers")
    screen = Screen(quiet=options.json)
    client = Client(options.url, options.key, screen.say)
    jobs: list[dict[str, Any]] = []
    try:
        for path in paths:
            jobs += [_send(client, screen, path, options)]
        if options.detach:
            return _detached(screen, jobs, options)
        clean = [_follow(client, screen, job["id"], as_json=options.json) for job in jobs]
        return all(clean)
    except KeyboardInterrupt:
        screen.close()
        return _detached(screen, jobs, options, interrupted=True)
    finally:
        screen.close()
        client.close()


def attach(import_id: str, options: Options) -> bool:
    """Follow an import that was begun before."""
    screen = Screen(quiet=options.json)
    client = Client(options.url, options.key, screen.say)
    try:
        return _follow(client, screen, import_id, as_json=options.json)
    except KeyboardInterrupt:
        screen.close()
        return _detached(screen, [{"id": import_id}], options)
    finally:
        screen.close()
        client.close()


def dry_run(paths: Sequence[Path], options: Options, settings: Settings) -> bool:
    """Print what it would come to; nobody is asked. False when a line could not be imported."""
    counting = Counting(settings, options.form, options.fields)
    for path in paths:
        with open_log(path) as log:
            counting.read(log)
    found = counting.total.as_dict(settings)
    if options.json:
        write_json(found)
        return not found["rejected"]
    screen = Screen(quiet=False)
    screen.close()
    table = Table(show_header=False, box=None)
    for name in ("lines", "rejected", "messages", "scopes", "windows", "calls", "input_tokens", "output_tokens"):
        table.add_row(name.replace("_", " "), f"{found[name]:,}")
    cost = found["cost"]
    table.add_row("cost", "set FLUMES_PRICE_INPUT and FLUMES_PRICE_OUTPUT" if cost is None else f"about {cost:.2f} USD")
    screen.console.print(table)
    screen.console.print("estimated, nobody was asked; without a model (`rules`) there are no calls", style="dim")
    screen.faults(found["faults"])
    return not found["rejected"]


def _send(client: Client, screen: Screen, path: Path, options: Options) -> dict[str, Any]:
    given: dict[str, Any] = {"format": options.form.value, "on_error": options.on_error, **options.fields}
    if options.max_tokens:
        given["max_tokens"] = options.max_tokens
    given["name"] = options.name or identity(path, given)
    try:
        with open_log(path) as log:
            job = send(client, log, given, screen.sent)
    except EmbeddedError as error:
        if options.on_error == "stop":
            raise EmbeddedError(f"{error}\nmend it and go on with: --name {given['name']}") from None
        raise
    if job["changed_lines"]:
        screen.say(f"{len(job['changed_lines'])} lines came before with other content and were left as they are, "
                   f"the first is line {job['changed_lines'][0]}; another --name imports all anew")  # fmt: skip
    return job


def _follow(client: Client, screen: Screen, import_id: str, *, as_json: bool) -> bool:
    job = client.get(import_id)
    screen.start_working(job)
    while job["state"] not in _ENDED:
        if as_json:
            write_json({name: value for name, value in job.items() if name != "faults"})
        else:
            screen.working(job)
        time.sleep(_LOOK)
        job = client.get(import_id)
    screen.working(job)
    screen.close()
    faults = list(client.faults(import_id))
    if as_json:
        write_json(job | {"faults": faults})
    else:
        screen.result(job, faults)
    return job["state"] == "DONE" and not faults


def _detached(screen: Screen, jobs: list[dict[str, Any]], options: Options, *, interrupted: bool = False) -> bool:
    """The service goes on alone."""
    if options.json:
        for job in jobs:
            write_json(job)
    elif jobs:
        screen.console.print("the service goes on with it; come back with:")
        for job in jobs:
            screen.console.print(f"  flumes import --attach {job['id']}")
    if interrupted and not jobs:
        screen.console.print("not all was sent; the same command goes on where this one stopped")
    return not interrupted or bool(jobs)
