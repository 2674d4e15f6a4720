"""The shape of the source: file budgets, names, docstrings, folders."""

from __future__ import annotations

import ast
from pathlib import Path

import shared
from tests.house.tree import ROOT, SOURCE, files, relative

LIMITS = dict.fromkeys((*SOURCE, "docs", "deploy"), 400) | {"tests": 500}
FUNCTION_LIMIT = 60
TOP_LEVEL = {
    *("api", "workers", "shared", "cli", "tests", "deploy", "docs"),
    *("pyproject.toml", "requirements.lock", "Makefile", "docker-compose.yml"),
    *("README.md", "CHANGELOG.md", "LICENSE"),
}
EMPTY_NAMES = {"utils", "util", "common", "base", "helpers", "misc"}


def test_files_stay_within_their_budget() -> None:
    """A file that outgrows its limit holds two ideas."""
    sizes = {
        relative(path): (len(path.read_text(encoding="utf-8").splitlines()), limit)
        for top, limit in LIMITS.items()
        for path in files(top, suffix=".py")
    }

    assert {name: size for name, (size, limit) in sizes.items() if size > limit} == {}


def test_functions_stay_within_their_budget() -> None:
    """No function of the product is longer than a screen."""
    long = [
        f"{relative(path)}:{node.lineno} {node.name} has {length} lines"
        for path in files(*SOURCE, suffix=".py")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and "migrations" not in path.parts
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LIMIT
    ]

    assert long == []


def test_packages_hold_a_docstring_and_nothing_else() -> None:
    """Importing a package runs nothing and re-exports nothing."""
    full = [
        relative(path)
        for path in files(*SOURCE, suffix="__init__.py")
        if len(tree(path).body) != 1 or ast.get_docstring(tree(path)) is None
    ]

    assert full == []


def test_modules_say_why_they_are_there() -> None:
    """Each module of the repository opens with a docstring."""
    mute = [relative(path) for path in files(*LIMITS, suffix=".py") if ast.get_docstring(tree(path)) is None]

    assert mute == []


def test_tests_say_what_they_prove() -> None:
    """Each test opens with a docstring."""
    mute = [
        f"{relative(path)}:{node.lineno} {node.name}"
        for path in files("tests", suffix=".py")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and path.name.startswith("test_")
        and ast.get_docstring(node) is None
    ]

    assert mute == []


def test_no_module_has_an_empty_name() -> None:
    """Names like `utils` say nothing, so they collect everything."""
    named = [relative(path) for path in files(*LIMITS) if EMPTY_NAMES & {path.stem, *path.relative_to(ROOT).parts}]

    assert named == []


def test_no_sleep_and_no_skip_in_tests() -> None:
    """Tests wait on conditions and always run; measuring scripts and fakes may pause."""
    found = [
        f"{relative(path)}:{node.lineno}"
        for path in files("tests", suffix=".py")
        if path.name.startswith("test_")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
        and (ast.unparse(node) in ("time.sleep", "pytest.skip") or ast.unparse(node).startswith("pytest.mark.skip"))
    ]

    assert found == []


def test_top_level_holds_only_what_belongs_there() -> None:
    """A newcomer sees the parts of the product and nothing else; dot files are tools' business."""
    present = {path.name for path in ROOT.iterdir() if not path.name.startswith(".") and path.name != "__pycache__"}

    assert present - TOP_LEVEL == set()


def test_shared_is_ours() -> None:
    """`shared` is a name others use too: the one imported must be the one in this tree."""
    assert Path(shared.__file__ or "").resolve() == ROOT / "shared" / "__init__.py"


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
