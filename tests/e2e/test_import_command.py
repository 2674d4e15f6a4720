"""`flumes import` against a running service: formats with their dates, kills of every part, the same command again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cli.embedded import environment
from tests.e2e.flumes import Caller, make_key
from tests.stack import Service, crash, revive, wait_until

FAST = {"lease": 3, "poll": 0.3}


def flumes(caller: Caller, *words: str | Path) -> subprocess.Popen[str]:
    """The command, running."""
    env = environment.isolated(os.environ) | {
        "FLUMES_URL": str(caller.http.base_url),
        "FLUMES_API_KEY": caller.http.headers["authorization"].removeprefix("Bearer "),
    }
    argv = [sys.executable, "-m", "cli", *map(str, words)]
    return subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(caller: Caller, *words: str | Path) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, the JSON lines of the output, what was said beside it."""
    process = flumes(caller, *words)
    out, err = process.communicate(timeout=100)
    return process.returncode, [json.loads(line) for line in out.splitlines() if line.startswith("{")], err


def write(path: Path, lines: list[Any]) -> Path:
    """NDJSON."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def book(number: int, user: str = "ann") -> dict[str, Any]:
    """A line with a fact of its own."""
    stamp = f"2024-01-{number % 28 + 1:02}T10:{number % 60:02}:00Z"
    return {"messages": [{"role": "user", "content": f"I own book {number}", "timestamp": stamp}], "user_id": user}


def chatgpt(number: int, text: str, at: float) -> dict[str, Any]:
    """A conversation of an export with one message."""
    content = {"content_type": "text", "parts": [text]}
    message = {"author": {"role": "user"}, "content": content, "create_time": at}
    return {"conversation_id": f"c{number}", "current_node": "a",
            "mapping": {"a": {"message": message, "parent": None, "children": []}}}  # fmt: skip


@pytest.mark.timeout(240)
def test_dates_are_those_of_the_log(service: Service, caller: Caller, tmp_path: Path) -> None:
    """Messages keep their own times, relative days resolve against them; old news does not undo what is known."""
    service.start_worker(**FAST)
    caller.add("I live in Madrid", user_id="ann")
    export = tmp_path / "conversations.json"
    export.write_text(json.dumps([chatgpt(1, "I live in Rome", 1_704_106_800.0),
                                  chatgpt(2, "I bought a boat yesterday", 1_704_193_200.0)]))  # fmt: skip
    talk = {"session_1": [{"speaker": "Cara", "text": "I adopted a cat last week"}],
            "session_1_date_time": "1:56 pm on 8 May, 2023"}  # fmt: skip
    locomo = write(tmp_path / "locomo.jsonl", [{"sample_id": "s1", "conversation": talk}])
    code, out, err = run(caller, "import", export, locomo, "--user-id", "ann", "--json")
    found = {item["memory"]: item for item in caller.memories(user_id="ann")}
    boat = next(item for text, item in found.items() if "boat" in text)
    cat = next(item for text, item in found.items() if "cat" in text)

    assert (code, [job["state"] for job in out][-1]) == (0, "DONE"), err
    assert boat["happens_at"].startswith("2024-01-01")
    assert boat["observed_at"].startswith("2024-01-02")
    assert cat["happens_at"] is None or cat["happens_at"] < "2023-05-08"
    assert cat["observed_at"].startswith("2023-05-08")
    assert "Lives in Madrid" in found
    assert not any("Rome" in text for text in found)


@pytest.mark.timeout(240)
def test_a_worker_that_dies_between_steps_loses_and_doubles_nothing(
    service: Service, caller: Caller, tmp_path: Path
) -> None:
    """Kill -9 right after lines were handed over, twice; each line once."""
    log = write(tmp_path / "log.jsonl", [book(number, f"u{number % 5}") for number in range(50)])
    process = flumes(caller, "import", log, "--json")
    for _ in range(2):
        worker = service.start_worker(**FAST, chaos=1, crash_at="feed.after")
        assert worker.child is not None
        wait_until(lambda w=worker: w.child.exit_code() is not None, "the worker dies", 60)  # type: ignore[misc]
    service.start_worker(**FAST)
    out, err = process.communicate(timeout=100)
    last = json.loads(out.splitlines()[-1])
    texts = [text.rstrip(".") for user in range(5) for text in caller.texts(user_id=f"u{user}")]

    assert (process.returncode, last["state"], last["ended"]) == (0, "DONE", 50), err
    assert len(texts) == 50
    assert {text.rsplit(" ", 1)[-1] for text in texts} == {str(number) for number in range(50)}


@pytest.mark.timeout(240)
def test_an_api_that_dies_while_it_receives_is_waited_for(service: Service, tmp_path: Path) -> None:
    """The command goes on when it is back; the same command again sends nothing twice."""
    api = service.start_api()
    log = write(tmp_path / "log.jsonl", [book(number) for number in range(9_000)])

    def staged() -> int:
        with psycopg.connect(service.database_url) as connection:
            row = connection.execute("SELECT count(*) FROM import_lines").fetchone()
            return int(row[0]) if row else 0

    with Caller(api.url, make_key(service.database_url)) as caller:
        process = flumes(caller, "import", log, "--detach", "--json")
        wait_until(staged, "some lines", 60)
        crash(api)
        some = staged()
        revive(api)
        out, err = process.communicate(timeout=100)
        again = run(caller, "import", log, "--detach", "--json")[1][-1]

    assert process.returncode == 0, err
    assert 0 < some < 9_000
    assert json.loads(out.splitlines()[-1])["complete"]
    assert (staged(), again["lines"], again["rejected"], again["changed_lines"]) == (9_000, 9_000, 0, [])


def test_bad_lines_and_a_dry_run(service: Service, caller: Caller, tmp_path: Path) -> None:
    """A dry run asks nobody; a bad line is told by its number and makes the exit code 1."""
    log = tmp_path / "log.jsonl"
    log.write_text(f"{json.dumps(book(1))}\n{{bad\n{json.dumps(book(2))}\n")
    dry = run(caller, "import", log, "--dry-run", "--json")
    nobody = caller.http.get("/v1/imports/").json()["results"]
    service.start_worker(**FAST)
    code, out, _ = run(caller, "import", log, "--json")

    assert (dry[0], dry[1][0]["messages"], dry[1][0]["windows"], dry[1][0]["faults"][0]["line"]) == (1, 2, 1, 2)
    assert nobody == []
    assert (code, out[-1]["state"], [fault["line"] for fault in out[-1]["faults"]]) == (1, "DONE", [2])
