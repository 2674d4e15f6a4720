"""Sends what the OpenAPI document allows, and what it forbids, to a real API: no 5xx, no undocumented answer.

`python -m tests.integration.explore --seconds 600`: the long form, as `make explore`; it speaks both dialects in turn.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from cli.embedded import environment
from docs.openapi_page import PAGE

CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance",
)  # fmt: skip
_HOOKS = {"SCHEMATHESIS_HOOKS": str(Path(__file__).with_name("ndjson_hook.py"))}
# Nobody works on what is accepted, so nobody is kept waiting for it either.
SETTINGS = {"wait_budget": 0, "wait_cap": 0, "backlog_messages": 10_000_000, "backlog_messages_per_project": 10_000_000}


def explore(url: str, key: str, seconds: int, *, scheme: str = "Bearer", seed: int | None = None) -> tuple[int, str]:
    """Exit code and report of a run of at most about `seconds`; 0 = nothing was found."""
    argv = [
        sys.executable, "-m", "schemathesis.cli", "run", str(PAGE), "--url", url,
        "--header", f"Authorization: {scheme} {key}", "--checks", ",".join(CHECKS), "--max-time", str(seconds),
        "--phases", "examples,coverage,fuzzing", "--request-timeout", "30", "--warnings", "off",
        "--suppress-health-check", "all", "--continue-on-failure", "--generation-database", "none",
    ]  # fmt: skip
    argv += ["--seed", str(seed)] if seed is not None else []
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            argv, capture_output=True, text=True, check=False, cwd=folder, timeout=10 * seconds + 300,
            env=environment.program(environment.isolated(os.environ), own_database=True, extra=_HOOKS),
        )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def main() -> int:
    """The long form: half of the time as a Flumes caller, half as one of mem0."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--seconds", type=int, default=600)
    given.add_argument("--seed", type=int)
    asked = given.parse_args()
    from tests.integration.api_support import LiveApi
    from tests.integration.hand_worker import HandIndexer
    from tests.stack import Stack

    stack = Stack()
    found = 0
    try:
        live = LiveApi(stack, **SETTINGS)
        indexer = HandIndexer(live.db, stack.engine.url)
        indexer.register()
        indexer.apply()
        for scheme in ("Bearer", "Token"):
            code, report = explore(live.url, live.key(live.project()), asked.seconds // 2, scheme=scheme,
                                   seed=asked.seed)  # fmt: skip
            print(f"=== {scheme}\n{report}", flush=True)
            found |= code
        indexer.close()
        live.close()
    finally:
        stack.close()
    return found


if __name__ == "__main__":
    sys.exit(main())
