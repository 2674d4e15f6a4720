"""Between a clone and a running test: the environment builder's refusals, the caller's variables kept out."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.house.tree import ROOT

HOSTILE = {
    "FLUMES_DATABASE_URL": "postgresql://elsewhere/production",
    "OPENAI_API_KEY": "sk-of-the-caller",
    "OPENAI_BASE_URL": "http://elsewhere",
    "PGHOST": "elsewhere",
    "QDRANT_URL": "http://elsewhere",
    "REDIS_URL": "redis://elsewhere",
    "CELERY_BROKER_URL": "redis://elsewhere",
    "https_proxy": "http://elsewhere",
    "PYTHONPATH": "/elsewhere",
    "PYTEST_ADDOPTS": "--collect-only",
}
MODEL = {"OPENAI_API_KEY", "OPENAI_BASE_URL", "https_proxy"}


def sh(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", **variables}
    return subprocess.run(["sh", *words], cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=60)


def make(*words: str, **variables: str) -> str:
    """The commands a target would run."""
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", **variables}
    command = ["make", "--dry-run", "--no-print-directory", *words]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True, timeout=60).stdout


def variables_of(output: str) -> Mapping[str, str]:
    return dict(line.split("=", 1) for line in output.splitlines() if "=" in line)


def test_service_variables_of_the_caller_are_dropped() -> None:
    """An exported key, database or proxy does not reach demo or tests; what is no service's stays."""
    seen = variables_of(sh(ROOT, ".ci/clean-env", "env", **HOSTILE, LANG="C.UTF-8").stdout)

    assert not HOSTILE.keys() & seen.keys()
    assert seen["LANG"] == "C.UTF-8"
    assert "127.0.0.1" in seen["NO_PROXY"]


def test_the_model_stays_on_request() -> None:
    """`make demo LLM=1` takes the key, the address and the proxy to it, and nothing else."""
    seen = variables_of(sh(ROOT, ".ci/clean-env", "--keep-openai", "env", **HOSTILE).stdout)

    assert HOSTILE.keys() & seen.keys() == MODEL


def test_only_makes_own_command_line_opts_in() -> None:
    """`LLM` and `QDRANT_URL` count as arguments of make, not as variables that happen to be exported."""
    assert "--keep-openai" in make("demo", "LLM=1")
    assert "--keep-openai" not in make("demo", LLM="1")
    assert "TEST_QDRANT_URL='http://q'" in make("test", "QDRANT_URL=http://q")
    assert "http://q" not in make("test", QDRANT_URL="http://q")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What the builder reads, in a folder whose name needs care."""
    folder = tmp_path / "it's a $HOME, with spaces"
    (folder / ".ci").mkdir(parents=True)
    for name in (".ci/venv", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def program(folder: Path, name: str, script: str) -> str:
    """A program of that name comes first on the path that is returned."""
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return f"{path.parent}:/usr/bin:/bin"


def test_python_that_exists_but_does_not_run_is_passed_over(clone: Path) -> None:
    """A version manager's shim that fails is no Python; the message says what would be one."""
    shim = program(clone, "python3.13", "echo 'python3.13: command not found' >&2; exit 127")
    result = sh(clone, ".ci/venv", ".venv", "requirements.lock", PATH=shim, PYTHON="python3.13")

    assert result.returncode == 1
    assert "CPython 3.11 to 3.14" in result.stderr
    assert not list(clone.glob(".venv*"))


@pytest.mark.parametrize(
    ("name", "script", "word"),
    [
        ("uname", "echo MINGW64_NT-10.0", "WSL"),
        ("uname", "echo FreeBSD", "FreeBSD is not supported"),
        ("ldd", "echo 'musl libc (x86_64)' >&2; exit 1", "musl"),
    ],
)
def test_foreign_systems_are_refused_by_name(clone: Path, name: str, script: str, word: str) -> None:
    """A system without wheels is told so before anything is fetched."""
    result = sh(clone, ".ci/venv", ".venv", "requirements.lock", PATH=program(clone, name, script))

    assert result.returncode == 1
    assert word in result.stderr


def test_finished_environment_is_left_alone_until_its_lock_changes(clone: Path) -> None:
    """The stamp holds the lock's checksum and the place; with another lock the builder sets to work."""
    (clone / ".venv" / "bin").mkdir(parents=True)
    (clone / ".venv" / "bin" / "python").symlink_to(sys.executable)
    sum_of_lock = sh(clone, "-c", "cksum < requirements.lock").stdout.strip()
    (clone / ".venv" / ".complete").write_text(f"{sum_of_lock} {clone}\n", encoding="utf-8")

    assert sh(clone, ".ci/venv", ".venv", "requirements.lock", PYTHON="none").returncode == 0

    (clone / "requirements.lock").write_text("# another\n", encoding="utf-8")

    assert "No usable Python" in sh(clone, ".ci/venv", ".venv", "requirements.lock", PYTHON="none").stderr
