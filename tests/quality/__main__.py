"""`python -m tests.quality`: measures, prints one table, exits 1 when something that binds does not hold."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from tests.quality import candidates, cases, decide, evidence, junk, kappa, locomo, model, precision, rows
from tests.quality.locomo import BadShape, Conversation
from tests.quality.stage import forget_services, running
from tests.quality.table import Row, failed, render


class Report:
    """Rows for people and the same figures as one JSON object."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.figures: dict[str, Any] = {}
        self._began = time.monotonic()

    def add(self, name: str, figures: Any, made: Sequence[Row]) -> None:
        """Keep a measurement; say that it is done."""
        self.figures[name] = figures
        self.rows += made
        print(f"  {time.monotonic() - self._began:5.0f} s  {name}", file=sys.stderr, flush=True)

    def close(self, path: Path | None) -> int:
        """Print the table, write the file; the exit code."""
        self.figures["seconds"] = round(time.monotonic() - self._began, 1)
        print(render(self.rows))
        if path:
            path.write_bytes(orjson.dumps(self.figures, option=orjson.OPT_INDENT_2))
        return int(failed(self.rows))


def main() -> int:
    """The command."""
    given = _arguments()
    conversations = _conversations(given.locomo, captions=not given.no_captions)
    key = {name: os.environ[name] for name in model.KEPT if os.environ.get(name)}
    forget_services()
    from tests.stack import Stack  # after the environment was cleaned

    stack, report = Stack(), Report()
    try:
        if given.sweep:
            figures = kappa.measure(stack, conversations)
            report.add("kappa", figures, list(kappa.rows(figures)))
        elif given.llm:
            model.measure(stack, report.add, conversations, key, given.model)
        else:
            _scripted(stack, report)
            _rules(stack, report, conversations)
            _candidates(stack, report)
    finally:
        stack.close()
    if not conversations:
        why = f"{given.locomo} is not there" if given.locomo else "no file given (LOCOMO=path)"
        report.rows.append(Row("evidence recall", "not measured", why))
    return report.close(given.json)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.quality", description=__doc__)
    parser.add_argument("--locomo", type=Path, help="conversations of LoCoMo's shape for evidence recall")
    parser.add_argument("--no-captions", action="store_true", help="leave out what shared photos show")
    parser.add_argument("--sweep", action="store_true", help="only measure kappas, on the conversations")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument(
        "--llm", action="store_true", help="ask the model of OPENAI_API_KEY / OPENAI_BASE_URL; it costs"
    )
    parser.add_argument("--model", help="its name; default: the service's")
    return parser.parse_args()


def _conversations(path: Path | None, *, captions: bool) -> list[Conversation]:
    """Those of the file; none where it is absent. A file of another shape ends the program."""
    if path is None or not path.exists():
        return []
    try:
        return locomo.load(path, captions=captions)
    except BadShape as wrong:
        raise SystemExit(f"not of LoCoMo's shape: {wrong}") from None


def _scripted(stack: Any, report: Report) -> None:
    from tests.fakes.openai_control import FakeOpenAIProcess

    chosen = [case for case in cases.load() if case.extractor == "scripted"]
    with FakeOpenAIProcess(stack.home.layout.run) as llm:
        decide.script(llm, chosen)
        with running(stack, OPENAI_BASE_URL=llm.base_url, OPENAI_API_KEY="sk-test", embeddings="none") as service:
            outcomes = decide.run(service, chosen)
    report.add("cases, scripted model", decide.counts(outcomes), list(rows.of_cases(outcomes, "cases, scripted model")))


def _rules(stack: Any, report: Report, conversations: Sequence[Conversation]) -> None:
    chosen = [case for case in cases.load() if case.extractor == "rules"]
    with running(stack, extractor="rules", embeddings="none") as service:
        outcomes = decide.run(service, chosen, marked=False)
        report.add("cases, rules", decide.counts(outcomes), list(rows.of_cases(outcomes, "cases, rules")))
        found = precision.measure(service)
        report.add("precision", found.as_dict(), list(rows.of_precision(found)))
        counted = junk.measure_sample(service)
        report.add("junk, sample", counted, list(rows.of_junk("sample", counted)))
        if conversations:
            _evidence(service, report, conversations)


def _evidence(service: Any, report: Report, conversations: Sequence[Conversation]) -> None:
    evidence.fill(service, conversations)
    figures = evidence.measure(service, conversations)
    report.add("evidence recall", figures, list(rows.of_evidence(figures)))
    with service.caller(evidence.PROJECTS["statements"]) as caller:
        turns = sum(len(conversation.turns) for conversation in conversations)
        counted = junk.count(caller, [conversation.id for conversation in conversations], turns)
    report.add("junk, LoCoMo", counted, list(rows.of_junk("LoCoMo", counted)))


def _candidates(stack: Any, report: Report) -> None:
    from tests.fakes.openai_control import FakeOpenAIProcess

    words = candidates.measure(stack, None)
    with FakeOpenAIProcess(stack.home.layout.run) as llm:
        llm.settings(concepts=True)
        dense = candidates.measure(stack, llm.base_url)
    figures = {"bm25": words.as_dict(), "dense": dense.as_dict()}
    report.add("candidate recall", figures, list(rows.of_candidates(words, dense)))


if __name__ == "__main__":
    sys.exit(main())
