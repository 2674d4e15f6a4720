"""Runs the cases through the whole service and compares what is served with what each case expects.

Cases run beside each other, each with a user of its own; the scripted model knows which post it is asked about by a
mark in the request's operator instructions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from tests.fakes.openai_control import Control
from tests.quality.cases import Case, Post
from tests.quality.stage import Running

Compare = Callable[[Case, Sequence[dict[str, Any]], Sequence[dict[str, Any]]], str | None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A case that ran; `wrong` says what is not as expected, None when all is."""

    case: Case
    wrong: str | None


def script(llm: Control, cases: Sequence[Case]) -> None:
    """Teach the scripted model its answers."""
    rules = [
        {"match": f"{mark(case, number)};", "action": "text", "text": text, "times": None if last else 1}
        for case in cases
        for number, post in enumerate(case.posts)
        for text, last in _turns(post)
    ]
    llm.script(*rules)


def _turns(post: Post) -> Iterator[tuple[str, bool]]:
    answers = post.answers or ()
    return ((text, number == len(answers) - 1) for number, text in enumerate(answers))


def mark(case: Case, number: int) -> str:
    """What names one post of one case inside its request to the model."""
    return f"case {case.id} post {number}"


def run(
    running: Running, cases: Sequence[Case], *, marked: bool = True, compare: Compare | None = None
) -> list[Outcome]:
    """Post the first request of every case, wait, the second ones, and so on; then look.

    marked: for the scripted model. compare: how to look, exactly unless given.
    """
    with running.caller("cases") as caller:
        events: dict[str, list[str]] = {case.id: [] for case in cases}
        for number in range(max(len(case.posts) for case in cases)):
            for case in cases:
                if number < len(case.posts):
                    events[case.id].append(_post(caller, case, number, marked=marked))
            running.settle()
        return [Outcome(case, _look(caller, case, events[case.id], compare or exactly)) for case in cases]


def _post(caller: httpx.Client, case: Case, number: int, *, marked: bool) -> str:
    post = case.posts[number]
    at = number if post.again is None else post.again
    named = case.posts[at]
    instructions = {"custom_instructions": f"{mark(case, at)};"} if marked else {}
    key = {"Idempotency-Key": f"{case.id}-{post.key}"} if post.key else {}
    body = {"messages": named.messages, "user_id": case.id, **named.body, **instructions}
    answer = caller.post("/v1/memories/", json=body, headers={"Prefer": "respond-async", **key})
    answer.raise_for_status()
    return str(answer.json()["event_id"])


def _look(caller: httpx.Client, case: Case, event_ids: Sequence[str], compare: Compare) -> str | None:
    events = [caller.get(f"/v1/event/{event_id}/").raise_for_status().json() for event_id in event_ids]
    listed = caller.get("/v1/memories/", params={"user_id": case.id, "limit": "200"}).raise_for_status().json()
    return compare(case, events, listed["results"])


def exactly(case: Case, events: Sequence[dict[str, Any]], memories: Sequence[dict[str, Any]]) -> str | None:
    """The first difference, or None."""
    return next((found for found in _differences(case, events, memories) if found), None)


def _differences(
    case: Case, events: Sequence[dict[str, Any]], memories: Sequence[dict[str, Any]]
) -> Iterator[str | None]:
    expect = case.expect
    texts = sorted(memory["memory"] for memory in memories)
    last = events[-1]
    yield _ended(expect, events)
    if "memories" in expect:
        yield _unless(texts == sorted(expect["memories"]), f"stand: {texts}")
    yield _unless(expect.get("count", len(texts)) == len(texts), f"{len(texts)} stand: {texts}")
    yield _unless(len(texts) >= expect.get("least", 0), f"only {texts} stand")
    yield from (
        _unless(any(word in text for text in texts), f"{word!r} is missing: {texts}") for word in expect.get("has", ())
    )
    yield from (
        _unless(not any(word in text for text in texts), f"{word!r} stands: {texts}")
        for word in expect.get("hasnt", ())
    )
    yield from _about_fields(expect, memories)
    if "rejections" in expect:
        rejections = sum((Counter(event["rejections"]) for event in events), Counter[str]())
        yield _unless(rejections == expect["rejections"], f"rejected: {dict(rejections)}")
    if "results" in expect:
        got = [result["event"] for result in last["results"]]
        yield _unless(got == expect["results"][-1], f"results of the last post: {got}")


def _ended(expect: dict[str, Any], events: Sequence[dict[str, Any]]) -> str | None:
    status, code = events[-1]["status"], events[-1]["code"]
    if any(event["status"] != "SUCCEEDED" for event in events[:-1]):
        return "an earlier post failed"
    if status != expect.get("status", "SUCCEEDED"):
        return f"ended {status} {code}"
    return _unless(expect.get("code") in (None, code), f"code {code}")


def _about_fields(expect: dict[str, Any], memories: Sequence[dict[str, Any]]) -> Iterator[str | None]:
    if "happens" in expect:
        days = [memory["happens_at"] for memory in memories if memory["happens_at"]]
        yield _unless(any(day.startswith(expect["happens"]) for day in days), f"dated {days}")
    evidence = {memory["memory"]: memory["evidence_count"] for memory in memories}
    yield from (
        _unless(evidence.get(text) == count, f"evidence of {text!r}: {evidence.get(text)}")
        for text, count in expect.get("evidence", {}).items()
    )


def _unless(holds: bool, words: str) -> str | None:  # noqa: FBT001 - reads as a sentence
    return None if holds else words


def counts(outcomes: Sequence[Outcome]) -> dict[str, tuple[int, int]]:
    """(passed, all) of each kind."""
    found: dict[str, tuple[int, int]] = {}
    for outcome in outcomes:
        passed, total = found.get(outcome.case.kind, (0, 0))
        found[outcome.case.kind] = (passed + (outcome.wrong is None), total + 1)
    return found
