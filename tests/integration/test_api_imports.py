"""Imports: lines are kept once each, told what is wrong with them, handed over in order, counted to the end."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from shared.db import import_lines
from tests.integration.api_support import LiveApi, assert_problem
from tests.integration.hand_worker import HandWorker
from workers.feeding import feed

SETTINGS = {"import_line_bytes": 2_000, "max_messages": 40, "price_input": 1.0}
PATH = "/v1/imports/"


def line(text: str, user: str = "ann", at: str | None = None, **more: Any) -> dict[str, Any]:
    """A body of one message."""
    stamp = {"timestamp": at} if at else {}
    return {"messages": [{"role": "user", "content": text, **stamp}], "user_id": user, **more}


def ndjson(*lines: Any) -> bytes:
    """Lines; text and bytes stand as they are."""
    return b"".join((item if isinstance(item, bytes) else json.dumps(item).encode()) + b"\n" for item in lines)


def send(caller: httpx.Client, body: bytes, name: str = "log", **query: Any) -> dict[str, Any]:
    """The import as it stands after this body."""
    answer = caller.post(PATH, params={"name": name, **query}, content=body)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


def show(caller: httpx.Client, job: dict[str, Any]) -> dict[str, Any]:
    """The import as it stands now."""
    found: dict[str, Any] = caller.get(f"{PATH}{job['id']}/").json()
    return found


class Feeder:
    """The worker's part, moved by the test: hand over, finish what was handed over."""

    def __init__(self, live: LiveApi, worker: HandWorker) -> None:
        self._live = live
        self._worker = worker

    def feed(self, in_work: int = 1_000) -> int:
        """Hand over and count all that may be."""
        return feed(self._live.db, in_work, lambda: False)

    def finish(self, **traits: Any) -> None:
        """One claimed lane ends."""
        self._worker.finish(self._worker.claim(), **traits)

    def finish_one(self) -> bool:
        """One claimed lane ends; False when nothing is due."""
        claim = self._worker.due()
        if claim is not None:
            self._worker.finish(claim)
        return claim is not None

    def handed(self, job: dict[str, Any]) -> list[tuple[int, int]]:
        """(line, seq) of what became events, in the order in which they were accepted."""
        with self._live.db.transaction() as session:
            rows = session.connection().exec_driver_sql(
                "SELECT l.line, e.seq FROM import_lines l JOIN events e ON e.project_id = l.project_id"
                " AND e.id = l.event_id WHERE l.import_id = %s ORDER BY e.id", (job["id"],),
            )  # fmt: skip
            return [(row[0], row[1]) for row in rows]


@pytest.fixture
def feeder(live: LiveApi, worker: HandWorker) -> Iterator[Feeder]:
    """Ends what earlier tests left, so that only this test's lines are in work."""
    with live.db.transaction() as session:
        session.connection().exec_driver_sql("DELETE FROM imports")
    yield Feeder(live, worker)
    worker.sweep()


def test_lines_become_events_of_the_bulk_lane_and_are_counted(live: LiveApi, feeder: Feeder) -> None:
    """From the body to DONE: what was added, what it cost."""
    caller = live.caller()
    job = send(caller, ndjson(line("I like tea"), line("I live in Rome"), line("I own a boat", "bob")))
    feeder.feed()
    at_work = show(caller, job)
    feeder.finish(results=[{"id": "x", "memory": "m", "event": "ADD"}], usage={"calls": 1, "prompt_tokens": 1_500_000})
    feeder.finish(results=[{"id": "y", "memory": "n", "event": "UPDATE"}])
    feeder.feed()
    done = show(caller, job)
    event = caller.get("/v1/events/", params={"user_id": "bob"}).json()["results"][0]

    assert (job["state"], job["lines"], job["groups"], job["messages"], job["complete"]) == ("RUNNING", 3, 3, 3, True)
    assert (at_work["messages_in_work"], at_work["ended"]) == (3, 0)
    assert (done["state"], done["ended"], done["failed"], done["messages_in_work"]) == ("DONE", 3, 0, 0)
    assert sum(done[name] for name in ("added", "updated", "deleted")) == 3
    assert (event["lane"], event["status"]) == ("bulk", "SUCCEEDED")
    assert done["input_tokens"] in (1_500_000, 3_000_000)
    assert done["cost"] == done["input_tokens"] / 1e6


def test_bad_lines_are_told_by_number_and_leave_the_others_alone(live: LiveApi, feeder: Feeder) -> None:
    """Not JSON, no format, a bad field, no scope, too long, a NUL, a day that is still far."""
    body = ndjson(
        line("good"), b"{bad", {"a": 1}, line("x", timezone="Nowhere/City"), {"messages": "no scope"},
        line("y" * 3_000), line("a\0b"), line("later", at="2199-01-01T00:00:00Z"), b"", b"[]", line("good too"),
    )  # fmt: skip
    caller = live.caller()
    job = send(caller, body)
    faults = {fault["line"]: fault["reason"] for fault in job["faults"]}

    assert (job["lines"], job["rejected"], job["groups"], job["last_line"]) == (10, 8, 2, 11)
    assert sorted(faults) == [2, 3, 4, 5, 6, 7, 8, 10]
    for number, words in {2: "not JSON", 3: "none of the known", 4: "timezone", 5: "user_id", 6: "longer than 2000",
                          7: "NUL", 8: "more than a day ahead", 10: "at least one message"}.items():  # fmt: skip
        assert words in faults[number]
    assert feeder.feed() == 2


def test_the_same_lines_again_count_once(live: LiveApi, feeder: Feeder) -> None:
    """Whole, in part, while it runs and after it is done; a line with other content is told, not imported."""
    caller = live.caller()
    lines = [line(f"I own book {number}") for number in range(250)]
    half = send(caller, ndjson(*lines[:120]), more="true")
    whole = send(caller, ndjson(*lines))
    tail = send(caller, ndjson(*lines[200:]), from_line=201)
    feeder.feed()
    feeder.finish()
    feeder.feed()
    again = send(caller, ndjson(line("something else"), *lines[1:]))
    feeder.feed()

    assert (half["lines"], half["complete"], half["last_line"]) == (120, False, 120)
    assert {job["groups"] for job in (whole, tail, again)} == {250}
    assert again["changed_lines"] == [1]
    assert show(caller, again)["state"] == "DONE"
    assert len(feeder.handed(whole)) == 250


def test_a_rejected_line_may_come_again_mended(live: LiveApi, feeder: Feeder) -> None:
    """Also when all else is done already; it goes on as if it had always been good."""
    caller = live.caller()
    job = send(caller, ndjson(line("one"), b"{bad", line("three")))
    feeder.feed()
    feeder.finish()
    feeder.feed()
    first = show(caller, job)
    mended = send(caller, ndjson(line("one"), line("two"), line("three")))
    feeder.feed()
    feeder.finish()
    feeder.feed()
    last = show(caller, job)

    assert (first["state"], first["rejected"], first["ended"]) == ("DONE", 1, 2)
    assert (mended["state"], mended["rejected"], mended["groups"], mended["changed_lines"]) == ("RUNNING", 0, 3, [])
    assert (last["state"], last["rejected"], last["ended"], last["faults"]) == ("DONE", 0, 3, [])


def test_on_error_stop_keeps_what_came_before(live: LiveApi, feeder: Feeder) -> None:
    """The answer names the line; nothing after it is kept until it is mended."""
    caller = live.caller()
    refused = caller.post(PATH, params={"name": "log", "on_error": "stop"},
                          content=ndjson(line("one"), b"{bad", line("three")))  # fmt: skip
    job = caller.get(PATH).json()["results"][0]
    mended = send(caller, ndjson(line("one"), line("two"), line("three")), on_error="stop")

    assert_problem(refused, 400, "bad_line")
    assert "line 2: not JSON" in refused.json()["detail"]
    assert (job["lines"], job["groups"], job["complete"]) == (1, 1, False)
    assert (mended["groups"], mended["rejected"], mended["changed_lines"]) == (3, 0, [])


def test_within_a_scope_the_oldest_is_first(live: LiveApi, feeder: Feeder) -> None:
    """Lines of a block are sorted by time; those without a time come last, in their own order."""
    days = ["2024-03-01", None, "2024-01-01", "2024-02-01", None]
    job = send(live.caller(), ndjson(*(line(f"at {day}", at=day) for day in days)))
    feeder.feed()

    assert [number for number, _ in feeder.handed(job)] == [3, 4, 1, 2, 5]
    assert [seq for _, seq in feeder.handed(job)] == sorted(seq for _, seq in feeder.handed(job))


def test_an_open_block_waits_for_its_end(live: LiveApi, feeder: Feeder, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older line may still come; whole blocks are handed over at once, the last one when all is here."""
    monkeypatch.setattr(import_lines, "BLOCK", 4)
    caller = live.caller()
    job = send(caller, ndjson(*(line(f"n {number}") for number in range(6))), more="true")
    with live.db.transaction() as session:  # the API process has the long block
        session.connection().exec_driver_sql("UPDATE import_lines SET block = line / 4")
    feeder.feed()
    begun = feeder.handed(job)
    send(caller, b"")
    feeder.feed()

    assert [number for number, _ in begun] == [1, 2, 3]
    assert [number for number, _ in feeder.handed(job)] == [1, 2, 3, 4, 5, 6]


def test_only_so_much_is_in_work(live: LiveApi, feeder: Feeder) -> None:
    """The rest waits outside of the queue, whatever its size."""
    job = send(live.caller(), ndjson(*(line(f"n {number}", f"u{number % 3}") for number in range(90))))
    feeder.feed(in_work=30)
    some = len(feeder.handed(job))
    feeder.feed(in_work=30)

    assert 30 <= some < 50  # up to one step more
    assert len(feeder.handed(job)) == some


def test_pause_resume_cancel(live: LiveApi, feeder: Feeder) -> None:
    """Paused: nothing more is handed over. Cancelled: for good, and what waited is gone."""
    caller = live.caller()
    job = send(caller, ndjson(line("one"), line("two", "bob")))
    paused = caller.post(f"{PATH}{job['id']}/pause")
    while_paused = feeder.feed()
    resumed = caller.post(f"{PATH}{job['id']}/resume/").json()
    caller.post(f"{PATH}{job['id']}/pause")
    cancelled = caller.post(f"{PATH}{job['id']}/cancel").json()
    after = caller.post(f"{PATH}{job['id']}/resume")
    anew = caller.post(PATH, params={"name": "log"}, content=ndjson(line("one")))
    with live.db.transaction() as session:
        left = session.connection().exec_driver_sql("SELECT count(prepared) FROM import_lines").scalar_one()

    assert (paused.json()["state"], while_paused, resumed["state"]) == ("PAUSED", 0, "RUNNING")
    assert (cancelled["state"], feeder.feed(), left) == ("CANCELLED", 0, 0)
    assert_problem(after, 409, "import_state")
    assert_problem(anew, 409, "import_cancelled")


def test_a_token_ceiling_stops_it_and_keeps_the_rest(live: LiveApi, feeder: Feeder) -> None:
    """What is in work is finished and counted; with a higher ceiling it goes on."""
    caller = live.caller()
    job = send(caller, ndjson(*(line(f"n {number}", f"u{number}") for number in range(40))), max_tokens=100)
    feeder.feed(in_work=1)
    handed = len(feeder.handed(job))
    feeder.finish(usage={"calls": 1, "prompt_tokens": 60, "completion_tokens": 60})
    feeder.feed(in_work=1)
    stopped = show(caller, job)
    while feeder.finish_one():
        pass
    feeder.feed(in_work=1)
    at_rest = show(caller, job)
    resumed = caller.post(f"{PATH}{job['id']}/resume", params={"max_tokens": 1_000}).json()
    feeder.feed(in_work=100)

    assert handed < 40
    assert (stopped["state"], stopped["reason"]) == ("STOPPED", "the ceiling of 100 tokens is reached")
    assert (at_rest["state"], at_rest["ended"], at_rest["messages_in_work"]) == ("STOPPED", handed, 0)
    assert (resumed["state"], resumed["max_tokens"]) == ("RUNNING", 1_000)
    assert len(feeder.handed(job)) == 40


def test_gzip_and_what_only_says_so(live: LiveApi, feeder: Feeder) -> None:
    """Packed bodies, also several streams in one; a torn one keeps what came before."""
    caller = live.caller()
    gz = {"Content-Encoding": "gzip"}
    whole = gzip.compress(ndjson(line("one"))) + gzip.compress(ndjson(line("two")))
    torn = gzip.compress(ndjson(*(line(f"n {number} {'x' * 900}") for number in range(300))), 0)[:200_000]
    good = caller.post(PATH, params={"name": "a"}, content=whole, headers=gz)
    plain = caller.post(PATH, params={"name": "b"}, content=ndjson(line("one")), headers=gz)
    cut = caller.post(PATH, params={"name": "c"}, content=torn, headers=gz)
    kept = caller.get(PATH).json()["results"][0]

    assert (good.status_code, good.json()["groups"]) == (202, 2)
    assert_problem(plain, 400, "invalid_request")
    assert_problem(cut, 400, "invalid_request")
    assert kept["lines"] >= 100
    assert not kept["complete"]


def test_defaults_of_the_request_hold_for_lines_without_their_own(live: LiveApi, feeder: Feeder) -> None:
    """Ids and zone; a log without any id keeps its conversations apart by their names."""
    caller = live.caller()
    send(caller, ndjson({"messages": "I like tea"}, line("I like milk", "bob")), user_id="zoe", infer="false")
    named = send(caller, ndjson({"conversations": [{"from": "human", "value": "hi there"}], "id": "c7"}), name="other")
    feeder.feed()
    texts = {who: [m["memory"] for m in caller.get("/v1/memories/", params={"user_id": who}).json()["results"]]
             for who in ("zoe", "bob")}  # fmt: skip
    events = caller.get("/v1/events/", params={"run_id": "c7"}).json()["results"]

    assert texts == {"zoe": ["I like tea"], "bob": ["I like milk"]}
    assert named["groups"] == len(events) == 1


def test_walls_and_rights(live: LiveApi, feeder: Feeder) -> None:
    """A foreign import is not there; a bound key imports for its own user only, under names of its own."""
    project = live.project()
    caller, bound = live.caller(project), live.caller(project, user_id="ann")
    job = send(caller, ndjson(line("one")))
    own = send(bound, ndjson(line("mine"), line("theirs", "bob")))
    reader = live.caller(project, rights=["read"])

    assert (own["groups"], own["rejected"]) == (1, 1)
    assert live.caller().get(f"{PATH}{job['id']}/").status_code == 404
    assert live.caller().post(f"{PATH}{job['id']}/cancel").status_code == 404
    assert bound.get(f"{PATH}{job['id']}/").status_code == 404
    assert (show(bound, own)["groups"], show(caller, job)["groups"]) == (1, 1)
    assert reader.post(PATH, params={"name": "x"}, content=b"").status_code == 403


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "name"), ({"name": "a/b"}, "name"), ({"name": "a", "format": "xml"}, "format"),
        ({"name": "a", "on_error": "ask"}, "on_error"), ({"name": "a", "from_line": "0"}, "from_line"),
        ({"name": "a", "speed": "9"}, "speed"),
    ],
)  # fmt: skip
def test_bad_parameters_name_themselves(live: LiveApi, query: dict[str, str], field: str) -> None:
    """400 before anything is kept."""
    answer = live.caller().post(PATH, params=query, content=ndjson(line("one")))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field
