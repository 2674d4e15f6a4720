"""The import contracts hold, and each of them can fail: a deliberate violation in a copy of the tree breaks it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house.tree import ROOT, SOURCE

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
VIOLATIONS = {
    "processes": ("api/errors.py", "import workers.pipeline"),
    "shared-layers": ("shared/model/ids.py", "import shared.db.tables"),
    "workers-layers": ("workers/rules/__init__.py", "import workers.tasks"),
    "story": ("workers/pipeline/prompts/extract.py", "import workers.llm_extractor"),
    "stages": ("workers/pipeline/recall.py", "import workers.pipeline.commit"),
    "api-layers": ("api/errors.py", "import api.app"),
    "api-no-llm": ("api/search.py", "import shared.vectors.index", "shared/vectors/index.py", "import shared.llm.chat"),
    "pure-domain": ("shared/model/ids.py", "import pydantic"),
    "private-tables": ("workers/pipeline/load.py", "import shared.db.tables"),
    "no-processes": ("workers/tasks.py", "import subprocess"),
    "no-tests": ("shared/clock.py", "import tests.fakes"),
    "fence-celery": ("workers/pipeline/run.py", "import celery"),
    "fence-sqlalchemy": ("api/deps.py", "import sqlalchemy.orm"),
    "fence-openai": ("workers/llm_extractor.py", "import openai"),
    "fence-qdrant": ("api/search.py", "import qdrant_client.models"),
    "fence-redis": ("api/wait.py", "import redis.asyncio"),
    "fence-fastapi": ("shared/metrics.py", "import fastapi"),
}


def test_contracts_hold() -> None:
    """The tree as it is keeps every contract."""
    result = lint(ROOT)

    assert result.returncode == 0, result.stdout[result.stdout.find("Broken contracts") :]


@pytest.mark.parametrize("contract", [contract["id"] for contract in CONTRACTS])
def test_contract_can_fail(contract: str, tmp_path: Path) -> None:
    """One forbidden import, in a file where it would hurt, and the contract says so."""
    copy_tree(tmp_path)
    edits = VIOLATIONS[contract]
    for path, line in zip(edits[::2], edits[1::2], strict=True):
        violate(tmp_path, path, line)

    result = lint(tmp_path, "--contract", contract)

    assert result.returncode == 1, result.stdout + result.stderr
    assert "0 kept, 1 broken" in result.stdout


def test_a_module_nobody_placed_is_noticed(tmp_path: Path) -> None:
    """`shared/anything.py` fails the build until it has a layer."""
    copy_tree(tmp_path)
    (tmp_path / "shared" / "anything.py").write_text('"""New."""\n', encoding="utf-8")

    result = lint(tmp_path, "--contract", "shared-layers")

    assert "shared.anything" in result.stdout
    assert result.returncode == 1


def copy_tree(target: Path) -> None:
    for package in SOURCE:
        shutil.copytree(ROOT / package, target / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", target)


def violate(tree: Path, path: str, line: str) -> None:
    """Append the import `line` to the file `path`; either side is made when it is not there yet."""
    for module in (path, imported(line)):
        (tree / module).parent.mkdir(parents=True, exist_ok=True)
        (tree / module).touch()
    with (tree / path).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")


def imported(line: str) -> str:
    """The file in which the module imported by `line` lives, so that it resolves; for others a file that is there."""
    module = line.removeprefix("import ").replace(".", "/")
    if not module.startswith(SOURCE):
        return "pyproject.toml"
    return f"{module}/__init__.py" if (ROOT / module).is_dir() else f"{module}.py"


def lint(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports_command as run; run()"
    return subprocess.run(
        [sys.executable, "-P", "-c", code, "--no-cache", "--no-logo", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
