"""`flumes demo`: a service of its own on a temporary folder, shown at work, gone afterwards."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.json import JSON
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from cli import screen
from cli.demo_client import Client
from cli.embedded import environment
from cli.embedded.deployment import Deployment
from cli.embedded.errors import EmbeddedError
from cli.embedded.listener import listen
from cli.embedded.signals import StopAsked, StopSignals
from cli.embedded.supervisor import Supervisor
from cli.embedded.temporary import TemporaryDataDir
from cli.terminal import load_settings
from cli.up import boot

_SAMPLE = Path(__file__).resolve().parents[1] / "tests" / "data" / "synthetic-persona-chat.jsonl"
_SEED = {"messages": [{"role": "user", "content": "I want to go to Rome in July. give me tips for museums"}],
         "agent_id": "alex"}  # fmt: skip
_APP = {"app_id": "persona-chat"}
_QUESTION = "Who has a dog?"
_INDEX_WAIT = 30  # seconds


def run(*, llm: bool) -> None:
    """Show everything and clean up. Raises EmbeddedError when something does not work as shown."""
    kept = environment.isolated(os.environ, keep_model=llm)
    os.environ.clear()
    os.environ.update(kept)
    console = Console(highlight=False, soft_wrap=True)
    started = time.monotonic()
    try:
        with _service(console) as (client, signals), signals.immediate():
            _seed(console, client)
            _asynchronous(console, client)
            _update(console, client)
            _conversations(console, client)
            _search(console, client)
    except StopAsked:
        raise EmbeddedError("interrupted; everything was stopped and removed") from None
    console.print(
        f"\nEverything was stopped and removed. The demo took {time.monotonic() - started:.1f} s.", style="dim"
    )


@contextmanager
def _service(console: Console) -> Iterator[tuple[Client, StopSignals]]:
    """The five parts on a temporary folder and a free port."""
    settings = load_settings(port=0)
    with TemporaryDataDir("demo") as home, listen(settings.host, 0) as listener, StopSignals() as signals:
        supervisor = Supervisor(signals, lambda line: console.print(line, style="yellow"))
        started = time.monotonic()
        try:
            with console.status("starting Postgres, Valkey, the vector engine, the API and a worker"):
                key, api = boot(Deployment(home.layout, settings, os.environ), supervisor, listener, 1)
            console.print(
                f"Postgres, Valkey, vector engine, API and worker run after {time.monotonic() - started:.1f} s."
            )
            console.print(f"Extractor: {screen.extractor(settings)}.", style="dim")
            client = Client(api.url, key or "")
            yield client, signals
            client.close()
        finally:
            supervisor.shut_down()


def _seed(console: Console, client: Client) -> None:
    _title(console, "A message becomes memories")
    _request(console, "POST /v1/memories/", _SEED)
    answer = client.add(_SEED)
    console.print(JSON(json.dumps(answer)))
    first = _first(answer)
    _request(console, f"GET /v1/memories/{first}")
    console.print(JSON(json.dumps(_brief(client.memory(first)))))


def _asynchronous(console: Console, client: Client) -> None:
    _title(console, "Not waiting: an id now, the result later")
    body = {"messages": [{"role": "user", "content": "My name is Alex. I live in Rome."}], "user_id": "alex"}
    _request(console, "POST /v1/memories/   Prefer: respond-async", body)
    accepted = client.add_async(body)
    console.print(JSON(json.dumps(accepted)))
    _request(console, f"GET /v1/event/{accepted['event_id']}/?wait=20")
    event = client.event(accepted["event_id"])
    console.print(JSON(json.dumps({name: event[name] for name in ("id", "status", "results", "latency")})))


def _update(console: Console, client: Client) -> None:
    _title(console, "A fact changes: same id, new text, history kept")
    body = {"messages": [{"role": "user", "content": "I moved to Milan"}], "user_id": "alex"}
    _request(console, "POST /v1/memories/", body)
    answer = client.add(body)
    console.print(JSON(json.dumps(answer)))
    changed = next((r["id"] for r in answer["results"] if r["event"] == "UPDATE"), None)
    if changed is None:
        raise EmbeddedError(f"the move did not update a memory: {answer}")
    _request(console, f"GET /v1/memories/{changed}?include=history")
    for row in client.memory(changed, "history")["history"]:
        console.print(Text(f"  version {row['version']}  {row['event']:<7} {row['memory']}"))


def _conversations(console: Console, client: Client) -> None:
    _title(console, "A real log: 30 conversations of Synthetic-Persona-Chat (CC BY 4.0, see tests/data)")
    conversations = _load()
    started = time.monotonic()
    total = sum(len(conversation["messages"]) for conversation in conversations)
    made = 0
    with _bar(console) as bar:
        task = bar.add_task("messages", total=total)
        accepted = [(client.add_async(_post(c))["event_id"], len(c["messages"])) for c in conversations]
        posted = time.monotonic() - started
        for event_id, count in accepted:
            made += len(client.event(event_id)["results"])
            bar.advance(task, count)
    seconds = time.monotonic() - started
    console.print(
        f"{total} messages accepted in {posted:.1f} s, {made} changes to memories after {seconds:.1f} s "
        f"({total / seconds:.0f} messages a second)"
    )


def _search(console: Console, client: Client) -> None:
    _title(console, f"Searching them: {_QUESTION}")
    _request(console, f"GET /v1/memories/?app_id=persona-chat&query={_QUESTION}&limit=5")
    _indexed(client)
    started = time.monotonic()
    hits = client.memories(**_APP, query=_QUESTION, limit=5)
    took = (time.monotonic() - started) * 1000
    for hit in hits:
        console.print(Text(f"  {hit['score']:.3f}  {hit['memory']}"))
    console.print(f"{len(hits)} found in {took:.0f} ms", style="dim")
    _title(console, "Where a memory comes from")
    _request(console, f"GET /v1/memories/{hits[0]['id']}?include=sources")
    found = client.memory(hits[0]["id"], "sources")
    console.print(Text(f"  {found['memory']}", style="bold"))
    for source in found["sources"]:
        console.print(
            Text(f"  {source['name'] or source['role']} said: {source['content']}   (quote: {source['quote']})")
        )


def _indexed(client: Client) -> None:
    """The index follows the answers within seconds; this waits for it."""
    deadline = time.monotonic() + _INDEX_WAIT
    while not client.memories(**_APP, query=_QUESTION, limit=5):
        if time.monotonic() > deadline:
            raise EmbeddedError(f"the search found nothing within {_INDEX_WAIT} s")
        time.sleep(0.1)


def _load() -> list[dict[str, Any]]:
    if not _SAMPLE.is_file():
        raise EmbeddedError(f"the sample conversations are missing: {_SAMPLE}; run the demo from a full checkout")
    return [json.loads(line) for line in _SAMPLE.read_text(encoding="utf-8").splitlines()]


def _post(conversation: dict[str, Any]) -> dict[str, Any]:
    messages = [{"role": "user", **message} for message in conversation["messages"]]
    return {"messages": messages, **_APP, "run_id": conversation["id"]}


def _bar(console: Console) -> Progress:
    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)


def _title(console: Console, text: str) -> None:
    console.print(Text(f"\n{text}", style="bold green"))


def _request(console: Console, line: str, body: dict[str, Any] | None = None) -> None:
    console.print(Text(f"> {line}", style="cyan"))
    if body is not None:
        console.print(Text(f"  {json.dumps(body, ensure_ascii=False)}", style="cyan"))


def _first(answer: dict[str, Any]) -> str:
    if not answer["results"]:
        raise EmbeddedError(f"no memory was made: {answer}")
    first: str = answer["results"][0]["id"]
    return first


def _brief(memory: dict[str, Any]) -> dict[str, Any]:
    """Without what is empty here."""
    return {name: value for name, value in memory.items() if value not in (None, {}, [], False)}
